import type { MaskMethod } from '../masking/model.js';
import type { CompiledPolicy, Hold } from './compiled-policy.js';
import { mergeHold } from './hold.js';
import type { Judged } from './judge.js';
import type { PolicyApplied, Reference, RequiredApproval } from './model.js';
import { nameOfReference } from './name-of-reference.js';
import { compareText } from './policy-set.js';
import { strictestMethod } from './strictest-mask.js';

/** A policy that bears on the request, with the references of fields that it bears on. */
export interface Reported {
  hold: Hold;
  fields: readonly Reference[];
}

/** Each policy that bears on any reference, once, in the order of reporting. */
export function reportingOf(judged: readonly Judged[]): readonly Reported[] {
  const reported: { hold: Hold; fields: Reference[] }[] = [];
  for (const { reference, judgement } of judged) {
    for (const hold of judgement.holds) {
      const place = placeIn(reported, hold);
      let known = reported[place];
      if (known === undefined || known.hold.compiled !== hold.compiled) {
        known = { hold, fields: [] };
        reported.splice(place, 0, known);
      } else known.hold = mergeHold(known.hold, hold);
      if (reference.field !== null) known.fields.push(reference);
    }
  }
  return reported;
}

/** Where the policy stands, or belongs. */
function placeIn(reported: readonly Reported[], { compiled: { reportedAt } }: Hold): number {
  let [from, to] = [0, reported.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const { compiled } = (reported[middle] as Reported).hold;
    if (compiled.reportedAt < reportedAt) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The approvals a request needs: each of these policies must be satisfied. */
export function approvalsOf(reported: readonly Reported[]): readonly RequiredApproval[] {
  const asked: RequiredApproval[] = [];
  for (const { hold } of reported) {
    const { demand } = hold.compiled;
    if (demand === null) continue;
    const { policy_id, approver_role, approvals, metadata_required } = demand;
    const lifts_mask = hold.lifts;
    asked.push({ policy_id, approver_role, approvals, metadata_required, lifts_mask });
  }
  return asked;
}

/** Which policy did what to which fields; named with their dataset where the request touches more than one. */
export function policiesApplied(
  reported: readonly Reported[],
  isOneDataset: boolean,
): readonly PolicyApplied[] {
  return reported.map(({ hold: { compiled }, fields }) => {
    const { id: policy_id, action } = compiled;
    // Those of one dataset come in the order of their names.
    const fields_affected = isOneDataset
      ? fields.map(({ field }) => field ?? '')
      : fields.map(nameOfReference).sort(compareText);
    const method = action === 'mask' ? methodOf(compiled, fields) : undefined;
    return method === undefined
      ? { policy_id, action, fields_affected }
      : { policy_id, action, fields_affected, mask_type: method };
  });
}

function methodOf(compiled: CompiledPolicy, fields: readonly Reference[]): MaskMethod | undefined {
  if (compiled.onlyMethod !== null && fields.length > 0) return compiled.onlyMethod;
  return strictestMethod(fields.map(({ field }) => compiled.maskOf(field ?? '').method));
}
