import type { MaskMethod } from '../masking/model.js';
import type { CompiledPolicy, Hold } from './compiled-policy.js';
import { byReportingOrder, mergeHold } from './hold.js';
import type { Judged } from './judge.js';
import type { PolicyApplied, Reference, RequiredApproval } from './model.js';
import { compareText } from './policy-set.js';
import { strictestMethod } from './strictest-mask.js';

/** A policy that bears on the request, with the references of fields that it bears on. */
export interface Reported {
  hold: Hold;
  fields: readonly Reference[];
}

/** Each policy that bears on any reference, once, in the order of reporting. */
export function reportingOf(judged: readonly Judged[]): readonly Reported[] {
  const found = new Map<CompiledPolicy, { hold: Hold; fields: Reference[] }>();
  for (const { reference, judgement } of judged) {
    for (const hold of judgement.holds) {
      let known = found.get(hold.compiled);
      if (known === undefined) {
        known = { hold, fields: [] };
        found.set(hold.compiled, known);
      } else known.hold = mergeHold(known.hold, hold);
      if (reference.field !== null) known.fields.push(reference);
    }
  }
  return [...found.values()].sort((a, b) => byReportingOrder(a.hold, b.hold));
}

/** The approvals a request needs: each of these policies must be satisfied. */
export function approvalsOf(reported: readonly Reported[]): readonly RequiredApproval[] {
  const asked = reported.filter(({ hold }) => hold.compiled.policy.action === 'require_approval');
  return asked.map(({ hold: { compiled, lifts } }) => {
    const { id, approval } = compiled.policy;
    return {
      policy_id: id,
      approver_role: approval?.approver_role ?? '',
      approvals: approval?.approvals ?? 1,
      metadata_required: [...(approval?.metadata_required ?? [])].sort(compareText),
      lifts_mask: lifts,
    };
  });
}

/** The key of a field in `masks` and `denied_fields`; of a dataset reference the dataset's name alone. */
export function nameOfReference({ dataset, field }: Reference): string {
  return field === null ? dataset : `${dataset}.${field}`;
}

/** Which policy did what to which fields; named with their dataset where the request touches more than one. */
export function policiesApplied(
  reported: readonly Reported[],
  judged: readonly Judged[],
): readonly PolicyApplied[] {
  const [first] = judged;
  const isOne = judged.every(({ reference }) => reference.dataset === first?.reference.dataset);
  return reported.map(({ hold: { compiled }, fields }) => {
    const { id: policy_id, action } = compiled.policy;
    const names = fields.map((one) => (isOne ? (one.field ?? '') : nameOfReference(one)));
    const fields_affected = names.sort(compareText);
    const method = action === 'mask' ? methodOf(compiled, fields) : undefined;
    return method === undefined
      ? { policy_id, action, fields_affected }
      : { policy_id, action, fields_affected, mask_type: method };
  });
}

function methodOf(compiled: CompiledPolicy, fields: readonly Reference[]): MaskMethod | undefined {
  const asked = compiled.masksAlike ? fields.slice(0, 1) : fields;
  return strictestMethod(asked.map(({ field }) => compiled.maskOf(field ?? '').method));
}
