import type { Bundle } from '../../../src/bundle/model.js';
import type { Mask } from '../../../src/masking/model.js';
import type {
  Decision,
  EvaluationInput,
  PolicyApplied,
  Reference,
  ReferenceDecision,
} from '../../../src/policy/model.js';
import { type Asker, askersOf } from './askers.js';
import { addedBounds, smallest } from './bounds.js';
import { METHODS, maskOf, strictestOf } from './masks.js';
import type { Note } from './note.js';
import {
  type Applying,
  appliesTo,
  type Opinion,
  opinionOf,
  type Question,
  STRICT_FIRST,
  strictest,
} from './opinion.js';

/** A decision as the reference makes it: of the trace, only which policy matched. */
export type ReferenceAnswer = Omit<Decision, 'trace'> & {
  matched?: Readonly<Record<string, 'yes' | 'undecided' | 'no'>>;
};

interface Judged {
  reference: Reference;
  opinion: Opinion;
}

/**
 * policy.md a second time, to the letter, slow and obvious: the properties compare the engine with it. It imports nothing
 * of src/ but types.
 */
export function referenceEvaluate(
  bundle: Bundle,
  input: EvaluationInput,
  note: Note = () => {},
): ReferenceAnswer {
  const question = { bundle, input, note };
  const askers = askersOf(bundle, input, note);
  const judged = each(input.references).map((reference) => ({
    reference,
    opinion: stricter(askers.map((asker) => opinionOf(question, asker, reference))),
  }));
  const answer = decisionOf(question, judged);
  return input.trace ? { ...answer, matched: matchedOf(question, askers, judged) } : answer;
}

/** Rule 5: "the request's action is the strictest over its references". */
function decisionOf({ bundle, note }: Question, judged: readonly Judged[]): ReferenceAnswer {
  // "A request without any readable output is denied": one that touches nothing has none.
  const actions = judged.map(({ opinion }) => opinion.action);
  const action = actions.length === 0 ? 'deny' : strictest(actions);
  const applying = inOrderOfReport(merged(judged.flatMap(({ opinion }) => opinion.applying)));
  // Rule 2: "the highest priority over all references, then the lowest id, is reported".
  const winner = applying.find((one) => one.policy.action === action)?.policy;
  const references = judged.map((one) => referenceDecision(one, note));
  const denied = action === 'deny';
  const byPolicy = winner ? 'policy_denied' : 'unknown_field';
  if (judged.length === 0) note('a request of', 'nothing', action);
  note('action', action, winner ? 'by a policy' : 'by none');
  return {
    action,
    policy_id: winner?.id ?? null,
    reason: winner?.reason ?? null,
    denial: denied ? byPolicy : null,
    ...noted(smallest(addedBounds(judged.map(({ opinion }) => opinion.bounds))), note),
    approvals: denied ? [] : approvalsOf(applying, note),
    masks: denied ? {} : masksOf(references, note),
    denied_fields: references
      .filter((one) => one.action === 'deny')
      .map(nameOf)
      .sort(byText),
    policies_applied: applying.map((one) => appliedOf(one, judged)),
    bundle_checksum: bundle.bundle.checksum,
    references,
  };
}

/** "Per reference the stricter result holds." */
function stricter(opinions: readonly Opinion[]): Opinion {
  const masked = opinions.filter((one) => one.masks.length > 0);
  return {
    action: strictest(opinions.map((one) => one.action)),
    masks: opinions.flatMap((one) => one.masks),
    lifts: masked.length > 0 && masked.every((one) => one.lifts),
    applying: merged(opinions.flatMap((one) => one.applying)),
    bounds: addedBounds(opinions.map((one) => one.bounds)),
    unknown: opinions.some((one) => one.unknown),
    matched: opinions.every((one) => one.matched),
  };
}

/** Each policy once: decided if it is anywhere, lifting only if it does everywhere. */
function merged(all: readonly Applying[]): readonly Applying[] {
  const ids = [...new Set(all.map((one) => one.policy.id))];
  return ids.flatMap((id) => {
    const same = all.filter((one) => one.policy.id === id);
    const [first] = same;
    if (first === undefined) return [];
    return [
      {
        policy: first.policy,
        truth: same.some((one) => one.truth === 'yes') ? 'yes' : 'undecided',
        lifts: same.every((one) => one.lifts),
      },
    ];
  });
}

/** The strictest action first, then the highest priority, then the lowest id. */
function inOrderOfReport(all: readonly Applying[]): readonly Applying[] {
  return [...all].sort((a, b) => {
    const [one, two] = [a.policy, b.policy];
    const byAction = STRICT_FIRST.indexOf(one.action) - STRICT_FIRST.indexOf(two.action);
    return byAction || two.priority - one.priority || byText(one.id, two.id);
  });
}

function referenceDecision({ reference, opinion }: Judged, note: Note): ReferenceDecision {
  const { action, applying, lifts, unknown } = opinion;
  const mask = strictestOf(opinion.masks, note);
  const liftsMask = action === 'require_approval' && lifts;
  if (action === 'require_approval') {
    note('under approval', mask ? 'masked' : 'raw', liftsMask ? 'lifted' : 'not lifted');
  }
  return {
    dataset: reference.dataset,
    field: reference.field,
    action,
    ...(mask && { mask }),
    liftsMask,
    unknown,
    deniedByPolicy: action === 'deny' && applying.some((one) => one.policy.action === 'deny'),
    policyIds: inOrderOfReport(applying).map((one) => one.policy.id),
  };
}

/** "All matching `require_approval` policies must be satisfied, each by its role and number of people." */
function approvalsOf(applying: readonly Applying[], note: Note): Decision['approvals'] {
  const approvals = applying.filter((one) => one.policy.action === 'require_approval');
  if (approvals.length > 1) note('approvals', 'several');
  return approvals.map(({ policy: { id, approval }, lifts }) => {
    note('approvals', (approval?.approvals ?? 1) > 1 ? 'by several people' : 'by one');
    note('approvals', approval?.metadata_required ? 'with metadata' : 'without metadata');
    return {
      policy_id: id,
      approver_role: approval?.approver_role ?? '',
      approvals: approval?.approvals ?? 1,
      metadata_required: [...(approval?.metadata_required ?? [])].sort(byText),
      lifts_mask: lifts,
    };
  });
}

function masksOf(references: readonly ReferenceDecision[], note: Note): Record<string, Mask> {
  const masks: Record<string, Mask> = {};
  for (const reference of references) {
    if (reference.mask === undefined) continue;
    note('mask', reference.mask.method, reference.action);
    masks[nameOf(reference)] = reference.mask;
  }
  return masks;
}

/** "`policies_applied` (policy_id, action, fields_affected, mask_type)". */
function appliedOf({ policy }: Applying, judged: readonly Judged[]): PolicyApplied {
  const severalDatasets = new Set(judged.map(({ reference }) => reference.dataset)).size > 1;
  const affected = judged
    .filter(({ opinion }) => opinion.applying.some((one) => one.policy.id === policy.id))
    .map(({ reference }) => reference);
  const fields = affected.flatMap((one) =>
    one.field === null
      ? []
      : [{ name: severalDatasets ? nameOf(one) : one.field, field: one.field }],
  );
  const methods =
    policy.action === 'mask'
      ? fields.map(({ field }) => maskOf(policy, field, () => {}).method)
      : [];
  const method = METHODS.find((one) => methods.includes(one));
  return {
    policy_id: policy.id,
    action: policy.action,
    fields_affected: [...new Set(fields.map(({ name }) => name))].sort(byText),
    ...(method && { mask_type: method }),
  };
}

/** "A trace that says for every policy why it did or did not match": at its best, over all references and askers. */
function matchedOf(
  question: Question,
  askers: readonly Asker[],
  judged: readonly Judged[],
): Record<string, 'yes' | 'undecided' | 'no'> {
  const { bundle } = question;
  const silent = { ...question, note: () => {} };
  const entries = bundle.policies.map((policy) => {
    const truths = judged.flatMap(({ reference, opinion }) => {
      const dataset = bundle.registry.datasets.find((one) => one.name === reference.dataset);
      const field = dataset?.fields.find((one) => one.name === reference.field) ?? null;
      if (dataset === undefined || (reference.field !== null && field === null)) return [];
      // Either it matches the reference, or it decides a dataset through its fields.
      const own = askers.map((asker) => appliesTo(silent, asker, policy, dataset, field)?.truth);
      const through = opinion.applying.find((one) => one.policy.id === policy.id)?.truth;
      return [...own, through];
    });
    const best = truths.includes('yes') ? 'yes' : truths.includes('undecided') ? 'undecided' : 'no';
    question.note('trace', policy.action, best);
    return [policy.id, best] as const;
  });
  return Object.fromEntries(entries);
}

/** Each reference once, by dataset, the dataset itself first, then by field. */
function each(references: readonly Reference[]): readonly Reference[] {
  const unique = references.filter(
    (one, index) =>
      references.findIndex((two) => two.dataset === one.dataset && two.field === one.field) ===
      index,
  );
  return unique.sort((a, b) => {
    if (a.dataset !== b.dataset) return byText(a.dataset, b.dataset);
    if (a.field === null) return -1;
    return b.field === null ? 1 : byText(a.field, b.field);
  });
}

function nameOf({ dataset, field }: Reference): string {
  return field === null ? dataset : `${dataset}.${field}`;
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function noted<T extends ReturnType<typeof smallest>>(bounds: T, note: Note): T {
  const { ttl_seconds: ttl, max_rows: rows, auto_revoke: revokes } = bounds;
  const named = ttl === 3_600 ? 'the default' : ttl === 86_400 ? 'the ceiling' : 'another';
  note('ttl', named);
  note('rows', rows === null ? 'not bounded' : 'bounded');
  note('auto_revoke', revokes ? 'yes' : 'no');
  return bounds;
}
