import type { RequestOutcome } from '../../bundle/compare/compare-outcomes.js';
import { maskOutcome } from '../../bundle/compare/decide-cells.js';
import { VkitError } from '../../errors/index.js';
import { effectiveMasks } from '../../policy/combine-decisions.js';
import type { RequestRow } from '../../store/model.js';
import type { ActiveBundle } from './active-bundle.js';
import { missingMetadata, requiredByRole } from './approvals-given.js';
import type { ControlContext } from './context.js';
import { storedNarrowing } from './decide-approval.js';
import type { Identity } from './identity.js';
import { hasOutput, type Judgement, judge, planQuery } from './judge.js';

export interface ReplayedOutcome {
  outcome: RequestOutcome;
  policyId: string | null;
}

/** What a bundle says of a request that was made, for the moment it was made, without its approvals. */
export function outcomeOf(
  ctx: Pick<ControlContext, 'settings'>,
  active: ActiveBundle,
  requester: Identity,
  row: RequestRow,
): ReplayedOutcome {
  const judgement = judge(active, requester, {
    aql: row.aql,
    narrowing: storedNarrowing(row),
    purpose: row.purpose,
    at: Date.parse(row.created_at),
  });
  const { decision, resolved, datasource } = judgement;
  const policyId = decision.policy_id;
  const elsewhere = row.datasource !== '' && row.datasource !== datasource?.name;
  const unknown = decision.denial === 'unknown_field' || !datasource || elsewhere;
  if (unknown || (decision.denial === null && !hasOutput(resolved))) {
    return { outcome: denied('unknown_field'), policyId: null };
  }
  if (decision.action === 'deny') return { outcome: denied('policy_denied'), policyId };
  if (missingMetadata(decision.approvals, row.metadata).length > 0) {
    return { outcome: denied('metadata_required'), policyId };
  }
  if (!isRunnable(ctx, active, judgement)) return { outcome: denied('validation'), policyId };
  const masks = [...effectiveMasks(decision, { approved: true })].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const needs = [...requiredByRole(decision.approvals)].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    outcome: {
      status: decision.action === 'require_approval' ? 'pending_approval' : 'granted',
      masks: Object.fromEntries(
        masks.map(([key, mask]) => [key.replace('\0', '.'), mask && maskOutcome(mask)]),
      ),
      approvals: needs.map(([approver_role, approvals]) => ({ approver_role, approvals })),
      max_rows: decision.max_rows,
    },
    policyId,
  };
}

function denied(type: string): RequestOutcome {
  return { status: 'denied', type, masks: {}, approvals: [], max_rows: null };
}

/** A query that sorts or compares by what a mask now hides is refused when it comes. */
function isRunnable(
  { settings }: Pick<ControlContext, 'settings'>,
  active: ActiveBundle,
  judgement: Judgement,
): boolean {
  try {
    planQuery(active, judgement, { approved: true, rowCap: settings.rowCap });
    return true;
  } catch (error) {
    if (error instanceof VkitError && error.code === 'validation') return false;
    throw error;
  }
}
