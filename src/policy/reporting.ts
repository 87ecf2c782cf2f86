import type { MaskMethod } from '../masking/model.js';
import { type Hold, mergeHolds } from './hold.js';
import { ACTIONS, type PolicyApplied, type Reference, type RequiredApproval } from './model.js';
import { byReportingOrder, compareText } from './policy-set.js';
import { strictestMethod } from './strictest-mask.js';

/** Policies in the order of their reporting: the strictest action first, then the highest priority, then the lowest id. */
export function inReportingOrder(holds: readonly Hold[]): readonly Hold[] {
  const rank = (hold: Hold) => ACTIONS.indexOf(hold.compiled.policy.action);
  return [...mergeHolds(holds)].sort(
    (a, b) => rank(a) - rank(b) || byReportingOrder(a.compiled, b.compiled),
  );
}

/** The approvals a request needs: each of these policies must be satisfied. */
export function approvalsOf(holds: readonly Hold[]): readonly RequiredApproval[] {
  return inReportingOrder(holds).flatMap(({ compiled: { policy }, lifts }) => {
    if (policy.action !== 'require_approval') return [];
    return [
      {
        policy_id: policy.id,
        approver_role: policy.approval?.approver_role ?? '',
        approvals: policy.approval?.approvals ?? 1,
        metadata_required: [...(policy.approval?.metadata_required ?? [])].sort(compareText),
        lifts_mask: lifts,
      },
    ];
  });
}

/** The key of a field in `masks` and `denied_fields`; of a dataset reference the dataset's name alone. */
export function nameOfReference({ dataset, field }: Reference): string {
  return field === null ? dataset : `${dataset}.${field}`;
}

/** Which policy did what to which fields; named with their dataset where the request touches more than one. */
export function policiesApplied(
  judged: readonly { reference: Reference; holds: readonly Hold[] }[],
): readonly PolicyApplied[] {
  const datasets = new Set(judged.map(({ reference }) => reference.dataset));
  const fieldsOf = new Map<Hold['compiled'], Set<string>>();
  const methodsOf = new Map<Hold['compiled'], MaskMethod[]>();
  for (const { reference, holds } of judged) {
    if (reference.field === null) continue;
    for (const { compiled } of holds) {
      const fields = fieldsOf.get(compiled) ?? new Set();
      fieldsOf.set(compiled, fields);
      fields.add(datasets.size > 1 ? nameOfReference(reference) : reference.field);
      if (compiled.policy.action !== 'mask') continue;
      const method = compiled.maskOf(reference.field).method;
      methodsOf.set(compiled, [...new Set([...(methodsOf.get(compiled) ?? []), method])]);
    }
  }
  return inReportingOrder(judged.flatMap(({ holds }) => holds)).map(({ compiled }) => {
    const method = strictestMethod(methodsOf.get(compiled) ?? []);
    return {
      policy_id: compiled.policy.id,
      action: compiled.policy.action,
      fields_affected: [...(fieldsOf.get(compiled) ?? [])].sort(compareText),
      ...(method && { mask_type: method }),
    };
  });
}
