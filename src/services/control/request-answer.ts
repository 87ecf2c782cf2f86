import type { ApprovalItem, RequestAnswer } from '../../client/wire.js';
import { nameOfReference } from '../../policy/name-of-reference.js';
import type { GrantRow, RequestRow } from '../../store/model.js';
import { requiredByRole, seatsFilled, type Voice } from './approvals-given.js';
import { columnsRequested } from './audit-parts.js';

export interface AnswerParts {
  row: RequestRow;
  grant: GrantRow | null;
  /** Approvals that count at this moment. */
  voices: readonly Voice[];
  /** The requester as people know them: an email address or an agent's name. */
  requester: string;
  correlationId: string;
}

/** What a request's own requester and its approvers are told; a denial says which policy and why. */
export function requestAnswer({
  row,
  grant,
  voices,
  requester,
  correlationId,
}: AnswerParts): RequestAnswer {
  const decision = row.decision;
  const answer: RequestAnswer = {
    id: row.id,
    request_id: row.id,
    status: statusOf(row),
    state: row.state,
    dataset: row.aql.source_table,
    datasource: row.datasource,
    created_at: row.created_at,
    requester,
    ...(row.purpose === null ? {} : { purpose: row.purpose }),
    correlation_id: correlationId,
  };
  if (row.state === 'approved' && grant) {
    return {
      ...answer,
      grant_ref: grant.id,
      grant_id: grant.id,
      expires_at: grant.expires_at,
      masked_fields: row.masked_fields,
      ...(decision?.policy_id ? { policy_id: decision.policy_id } : {}),
    };
  }
  if (row.state === 'pending') {
    const roles = decision ? [...requiredByRole(decision.approvals).keys()] : [];
    return {
      ...answer,
      expires_at: row.expires_at,
      masked_fields: row.masked_fields,
      ...policyParts(row),
      ...(roles[0] === undefined ? {} : { approver_role: roles[0] }),
      approvals: decision ? progress(decision.approvals, voices) : [],
    };
  }
  return {
    ...answer,
    ...policyParts(row),
    type: row.denial_type ?? 'policy_denied',
    ...deniedParts(row),
  };
}

function statusOf(row: RequestRow): RequestAnswer['status'] {
  if (row.state === 'approved') return 'granted';
  return row.state === 'pending' ? 'pending_approval' : 'denied';
}

/** The fields that policies deny by name; what only the default denies is not told apart from what there is not. */
function deniedParts({ denial_type, decision }: RequestRow): Pick<RequestAnswer, 'denied_fields'> {
  if (denial_type !== 'policy_denied' || !decision) return {};
  const denied = decision.references.filter(({ deniedByPolicy }) => deniedByPolicy);
  return denied.length === 0 ? {} : { denied_fields: denied.map(nameOfReference) };
}

function policyParts(row: RequestRow): Pick<RequestAnswer, 'policy_id' | 'reason'> {
  return {
    ...(row.decision?.policy_id && row.denial_type !== 'unknown_field'
      ? { policy_id: row.decision.policy_id }
      : {}),
    ...(row.state_reason === null ? {} : { reason: row.state_reason }),
  };
}

function progress(
  approvals: NonNullable<RequestRow['decision']>['approvals'],
  voices: readonly Voice[],
): NonNullable<RequestAnswer['approvals']> {
  const seats = seatsFilled(approvals, voices);
  return approvals.map(({ approver_role, approvals: required, policy_id }) => ({
    approver_role,
    required,
    given: Math.min(
      required,
      seats.filter((seat) => seat.role === approver_role && seat.taken).length,
    ),
    policy_id,
  }));
}

/** An answer with what an approver needs to judge it: the whole query, its reason and metadata. */
export function approvalItem(parts: AnswerParts): ApprovalItem {
  const { row } = parts;
  return {
    ...requestAnswer(parts),
    aql: row.aql,
    columns: columnsRequested(row.aql),
    ...(row.reason === null ? {} : { request_reason: row.reason }),
    metadata: row.metadata,
  };
}
