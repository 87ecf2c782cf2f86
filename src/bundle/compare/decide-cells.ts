import type { Mask } from '../../masking/model.js';
import { evaluate } from '../../policy/evaluate.js';
import type { EvaluationInput, Policy, ReferenceDecision } from '../../policy/model.js';
import { compareText, compilePolicySet } from '../../policy/policy-set.js';
import { foldName } from '../../util/fold-name.js';
import type { Bundle, BundleDataset } from '../model.js';
import { type Cell, DENIED } from './cell.js';
import type { ApprovalNeed, MaskOutcome } from './model.js';

/** What of a bundle bears on a reference: its dataset, with the fields that matter, and the policies that can match. */
export interface Target {
  bundle: Bundle;
  dataset: BundleDataset;
  policies: readonly Policy[];
}

export type CellInput = Omit<EvaluationInput, 'references' | 'trace'>;
export type Decide = (input: CellInput) => Cell;

/**
 * Decides the cells of one reference as if a query touched it alone, with its dataset, or beside the fields of `together`
 * (in lower case). What a bundle does not have is denied.
 */
export function decideCells(
  target: Target | null,
  field: string | null,
  together: readonly string[] | null,
): Decide {
  if (target === null) return () => DENIED;
  const { bundle, dataset, policies } = target;
  const datasources = bundle.registry.datasources.filter(({ name }) => name === dataset.datasource);
  const set = compilePolicySet({
    ...bundle,
    registry: { datasets: [dataset], datasources },
    policies,
  });
  const byId = new Map(policies.map((policy) => [policy.id, policy]));
  const touched = dataset.fields
    .map(({ name }) => name)
    .filter((name) => name === field || together?.includes(foldName(name)));
  const references = [null, ...touched].map((name) => ({ dataset: dataset.name, field: name }));
  return (input) => {
    const decision = evaluate(set, { ...input, references });
    const own = decision.references.find((reference) => reference.field === field);
    if (own === undefined || own.action === 'deny') return { ...DENIED, ...policiesOf(own, byId) };
    const { deciding, bearing } = policiesOf(own, byId);
    const bounds = {
      ttlSeconds: decision.ttl_seconds,
      rowsMax: decision.max_rows,
      autoRevoke: decision.auto_revoke,
    };
    const approving = deciding.filter(({ action }) => action === 'require_approval');
    return {
      // A mask on a dataset itself hides nothing of a count.
      action: field === null && own.action === 'mask' ? 'allow' : own.action,
      mask: own.mask === undefined || own.liftsMask ? null : maskOutcome(own.mask),
      approvals: needsOf(approving),
      metadata: metadataOf(approving),
      bounds: together === null ? bounds : null,
      deciding,
      bearing,
    };
  };
}

function policiesOf(
  decided: ReferenceDecision | undefined,
  byId: ReadonlyMap<string, Policy>,
): Pick<Cell, 'deciding' | 'bearing'> {
  const bearing = (decided?.policyIds ?? []).flatMap((id) => byId.get(id) ?? []);
  const deciding = bearing.filter(
    ({ action }) =>
      action === decided?.action || (action === 'mask' && decided?.action === 'require_approval'),
  );
  return { deciding, bearing };
}

/** As the server counts them: who is asked by two policies is asked once. */
function needsOf(policies: readonly Policy[]): readonly ApprovalNeed[] {
  const numbers = new Map<string, number>();
  for (const { approval } of policies) {
    const role = approval?.approver_role ?? '';
    numbers.set(role, Math.max(approval?.approvals ?? 1, numbers.get(role) ?? 0));
  }
  return [...numbers]
    .map(([approver_role, approvals]) => ({ approver_role, approvals }))
    .sort((a, b) => compareText(a.approver_role, b.approver_role));
}

function metadataOf(policies: readonly Policy[]): readonly string[] {
  const keys = policies.flatMap(({ approval }) => approval?.metadata_required ?? []);
  return [...new Set(keys)].sort(compareText);
}

/** A mask with its options resolved. */
export function maskOutcome(mask: Mask): MaskOutcome {
  if (mask.method !== 'partial') return { method: mask.method };
  const { prefix, suffix, minLength } = mask;
  return { method: 'partial', prefix, suffix, min_length: minLength };
}
