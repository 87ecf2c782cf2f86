import type { Mask } from '../masking/model.js';
import { smallerRows } from './bounds.js';
import { deniedFields, masksOf } from './evaluate.js';
import { strictestAction } from './judgement.js';
import {
  ACTIONS,
  type Decision,
  type PolicyApplied,
  type ReferenceDecision,
  type RequiredApproval,
} from './model.js';
import { compareText } from './policy-set.js';
import { strictestMask, strictestMethod } from './strictest-mask.js';

/**
 * Per reference the stricter of two decisions on the same query, as a fetch needs it of the grant's and the present one. A
 * reference that only one of them knows is denied. Whose action is the stricter names the policy and the reason, `a`
 * where both are equal; the checksum is that of `b`, the present.
 */
export function combineStricter(a: Decision, b: Decision): Decision {
  const references = combineReferences(a.references, b.references);
  const action = strictestAction([a.action, b.action, ...references.map((one) => one.action)]);
  const named = [a, b].find((one) => one.action === action && one.policy_id !== null);
  const denied = action === 'deny';
  return {
    action,
    policy_id: named?.policy_id ?? null,
    reason: named?.reason ?? null,
    denial: denied ? (named ? 'policy_denied' : 'unknown_field') : null,
    ttl_seconds: Math.min(a.ttl_seconds, b.ttl_seconds),
    max_rows: smallerRows(a.max_rows, b.max_rows),
    auto_revoke: a.auto_revoke || b.auto_revoke,
    approvals: denied ? [] : combineApprovals(a.approvals, b.approvals),
    masks: denied ? {} : masksOf(references),
    denied_fields: deniedFields(references),
    policies_applied: combineApplied(a.policies_applied, b.policies_applied),
    bundle_checksum: b.bundle_checksum,
    references,
    ...(b.trace && { trace: b.trace }),
  };
}

/** The key of a reference in the maps of this module. */
export function referenceKey(dataset: string, field: string): string {
  return `${dataset}\0${field}`;
}

/**
 * What masks each readable field, by `referenceKey`; `null` is raw. A field that is not readable is not in it: one that is
 * denied, or that needs an approval while `approved` is false. Once approved a mask stays, unless every approval policy
 * lifts it. `approved` says that every approval of the decision was given.
 */
export function effectiveMasks(
  decision: Pick<Decision, 'references'>,
  { approved }: { approved: boolean },
): Map<string, Mask | null> {
  const masks = new Map<string, Mask | null>();
  for (const { dataset, field, action, mask, liftsMask } of decision.references) {
    if (field === null || action === 'deny') continue;
    if (action === 'require_approval' && !approved) continue;
    const lifted = action === 'require_approval' && liftsMask;
    masks.set(referenceKey(dataset, field), lifted ? null : (mask ?? null));
  }
  return masks;
}

function combineReferences(
  a: readonly ReferenceDecision[],
  b: readonly ReferenceDecision[],
): readonly ReferenceDecision[] {
  const keyOf = ({ dataset, field }: ReferenceDecision) => JSON.stringify([dataset, field]);
  const others = new Map(b.map((reference) => [keyOf(reference), reference]));
  const ours = new Set(a.map(keyOf));
  const missing = b.filter((reference) => !ours.has(keyOf(reference))).map(deniedReference);
  const both = a.map((reference) => {
    const other = others.get(keyOf(reference));
    return other ? combineReference(reference, other) : deniedReference(reference);
  });
  return [...both, ...missing];
}

function combineReference(a: ReferenceDecision, b: ReferenceDecision): ReferenceDecision {
  const action = strictestAction([a.action, b.action]);
  const mask = strictestMask([a.mask, b.mask].filter((one) => one !== undefined));
  const opens = (one: ReferenceDecision) => one.mask === undefined || one.liftsMask;
  return {
    dataset: a.dataset,
    field: a.field,
    action,
    ...(mask && { mask }),
    liftsMask: action === 'require_approval' && mask !== undefined && opens(a) && opens(b),
    unknown: a.unknown || b.unknown,
    deniedByPolicy: a.deniedByPolicy || b.deniedByPolicy,
    policyIds: [...new Set([...a.policyIds, ...b.policyIds])],
  };
}

function deniedReference(reference: ReferenceDecision): ReferenceDecision {
  return { ...reference, action: 'deny', liftsMask: false };
}

function combineApprovals(
  a: readonly RequiredApproval[],
  b: readonly RequiredApproval[],
): readonly RequiredApproval[] {
  const merged = new Map<string, RequiredApproval>();
  for (const approval of [...a, ...b]) {
    // By all that it demands: where the two differ, both must be satisfied.
    const { lifts_mask: lifts, ...demand } = approval;
    const key = JSON.stringify(demand);
    merged.set(key, { ...demand, lifts_mask: lifts && merged.get(key)?.lifts_mask !== false });
  }
  return [...merged.values()];
}

function combineApplied(
  a: readonly PolicyApplied[],
  b: readonly PolicyApplied[],
): readonly PolicyApplied[] {
  const merged = new Map<string, PolicyApplied>();
  for (const applied of [...a, ...b]) {
    const key = JSON.stringify([applied.policy_id, applied.action]);
    const other = merged.get(key);
    const fields = new Set([...(other?.fields_affected ?? []), ...applied.fields_affected]);
    const methods = [other?.mask_type, applied.mask_type].filter((one) => one !== undefined);
    const method = strictestMethod(methods);
    merged.set(key, {
      policy_id: applied.policy_id,
      action: applied.action,
      fields_affected: [...fields].sort(compareText),
      ...(method && { mask_type: method }),
    });
  }
  const rank = ({ action }: PolicyApplied) => ACTIONS.indexOf(action);
  return [...merged.values()].sort((one, two) => rank(one) - rank(two));
}
