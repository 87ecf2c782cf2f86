import type { RequestAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { Decision } from '../../policy/model.js';
import type { RequestRow, StoreRepositories } from '../../store/model.js';
import { tokenAccess } from '../seal-rows.js';
import type { ActiveBundle } from './active-bundle.js';
import {
  approvalsSatisfied,
  mayJudge,
  missingMetadata,
  presentVoices,
  requiredByRole,
} from './approvals-given.js';
import { auditDecision, auditEvent, auditRequest } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, loadIdentity, presentIdentity } from './identity.js';
import { storeGrant } from './issue-grant.js';
import { type Judgement, judge, maskedColumns, planQuery } from './judge.js';
import { answerParts, awaits, loadRequest, noSuchRequest } from './load-request.js';
import { notify } from './notify.js';
import { requestAnswer } from './request-answer.js';

export interface ApproveInput {
  /** Only shortens; it runs from the approval that is the last one needed. */
  ttlSeconds?: number;
  notes?: string;
}

/**
 * Approves a pending request. The policies are evaluated again with everybody's present attributes; when this was the
 * last approval needed, the grant exists when the promise resolves. Throws `not_found` for what is not this person's to
 * judge, `forbidden` for one's own or one's agent's, `already_decided` for a request that has moved on.
 */
export async function approveRequest(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  input: ApproveInput,
  call: CallMeta,
): Promise<RequestAnswer> {
  const answer = await ctx.store.transaction(async (tx) => {
    // A role that was taken away since the call began is no right to judge.
    const approver = await presentIdentity(tx, identity, ctx.now());
    const { row, requester } = await openRequest(ctx, tx, approver, id, call);
    if (!requester) {
      throw new VkitError('conflict', 'The account that asked is disabled, revoked or gone.', {
        hint: `Deny it: vkit approval deny ${id} --reason 'the account is gone'`,
      });
    }
    const active = await ctx.activeBundle(tx);
    const judgement = active ? judgeAgain(active, requester, row, ctx.now()) : null;
    const missing = judgement ? missingMetadata(judgement.decision.approvals, row.metadata) : [];
    if (!active || !judgement || judgement.decision.action === 'deny' || missing.length > 0) {
      return close(ctx, tx, row, call, approver, {
        denial_type: active ? (judgement?.decision.denial ?? 'policy_denied') : 'no_active_bundle',
        state_reason: judgement?.decision.reason ?? 'The policies no longer allow this request.',
        ...(judgement ? { decision: judgement.decision } : {}),
      });
    }
    const roles = [...requiredByRole(judgement.decision.approvals).keys()].filter((role) =>
      approver.roles.includes(role),
    );
    if (judgement.decision.approvals.length > 0 && roles.length === 0) throw notTheirs();
    await tx.approvals.insert({
      request_id: id,
      approver_id: approver.id,
      verdict: 'approved',
      notes: input.notes ?? null,
      ttl_seconds: input.ttlSeconds ?? null,
      roles,
      created_at: timestamp(ctx.now()),
    });
    await recordStep(ctx, tx, 'approval.approved', call, approver, row, input.notes);
    return settle(ctx, tx, { row, requester, active, judgement, call, by: approver.name });
  });
  count(ctx, answer);
  return answer;
}

/** Denies a pending request, finally. Throws as `approveRequest` does. */
export async function denyRequest(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  reason: string,
  call: CallMeta,
): Promise<RequestAnswer> {
  const answer = await ctx.store.transaction(async (tx) => {
    const approver = await presentIdentity(tx, identity, ctx.now());
    const { row } = await openRequest(ctx, tx, approver, id, call);
    await tx.approvals.insert({
      request_id: id,
      approver_id: approver.id,
      verdict: 'denied',
      notes: reason,
      ttl_seconds: null,
      roles: approver.roles.filter((role) =>
        requiredByRole(row.decision?.approvals ?? []).has(role),
      ),
      created_at: timestamp(ctx.now()),
    });
    await recordStep(ctx, tx, 'approval.denied', call, approver, row, reason);
    return close(ctx, tx, row, call, approver, {
      denial_type: 'approval_denied',
      state_reason: reason,
    });
  });
  count(ctx, answer);
  return answer;
}

/** One that still waits was counted when it came in. */
function count({ activity }: ControlContext, { status }: RequestAnswer): void {
  if (status === 'pending_approval') return;
  activity.decisions[status] += 1;
  if (status === 'granted') activity.grants += 1;
}

interface Opened {
  row: RequestRow;
  /** Null where the account may do nothing any more. */
  requester: Identity | null;
}

async function openRequest(
  ctx: ControlContext,
  tx: StoreRepositories,
  approver: Identity,
  id: string,
  call: CallMeta,
): Promise<Opened> {
  const row = await loadRequest(ctx, tx, id, call);
  if (approver.kind !== 'user') throw new VkitError('forbidden', 'Agents never approve anything.');
  const requester = await loadIdentity(tx, row.requester_kind, row.requester_id, ctx.now());
  const owned = requester !== null && !mayJudge(approver.id, requester);
  if (row.requester_id === approver.id || owned) {
    throw new VkitError(
      'forbidden',
      'Nobody approves a request of their own, or of an agent they own or made.',
    );
  }
  if (!awaits(row, approver)) throw noSuchRequest(id);
  if (row.state !== 'pending') {
    throw new VkitError('already_decided', `The request ${id} is ${row.state} already.`, {
      details: { state: row.state },
    });
  }
  return { row, requester };
}

function judgeAgain(
  active: ActiveBundle,
  requester: Identity,
  row: RequestRow,
  now: number,
): Judgement {
  return judge(active, requester, {
    aql: row.aql,
    narrowing: storedNarrowing(row),
    purpose: row.purpose,
    at: now,
  });
}

/** The narrowing a request was submitted with. */
export function storedNarrowing(row: RequestRow): { roles?: string[]; clearance?: string } {
  return {
    ...(row.narrowing.role === undefined ? {} : { roles: [row.narrowing.role] }),
    ...(row.narrowing.clearance === undefined ? {} : { clearance: row.narrowing.clearance }),
  };
}

interface SettleInput {
  row: RequestRow;
  requester: Identity;
  active: ActiveBundle;
  judgement: Judgement;
  call: CallMeta;
  /** Whose approval it is that may settle it. */
  by: string;
}

/** Grants when every approval is there, else leaves the request pending with what is still missing. */
async function settle(
  ctx: ControlContext,
  tx: StoreRepositories,
  { row, requester, active, judgement, call, by }: SettleInput,
): Promise<RequestAnswer> {
  const rows = await tx.approvals.ofRequest(row.id);
  const voices = await presentVoices(tx, rows, requester, ctx.now());
  const { decision } = judgement;
  if (!approvalsSatisfied(decision.approvals, voices)) {
    await tx.requests.transition(row.id, 'pending', { decision });
    return requestAnswer(await answerParts(ctx, tx, { ...row, decision }, call));
  }
  const planned = planQuery(active, judgement, {
    approved: true,
    rowCap: ctx.settings.rowCap,
    tokens: tokenAccess(ctx.tokens, row.id),
  });
  const change = {
    state: 'approved',
    decision,
    masked_fields: maskedColumns(planned),
    decided_at: timestamp(ctx.now()),
  } as const;
  if (!(await tx.requests.transition(row.id, 'pending', change))) {
    throw new VkitError('already_decided', `The request ${row.id} has been decided meanwhile.`);
  }
  const approved = { ...row, ...change };
  const limits = rows.flatMap(({ ttl_seconds }) => (ttl_seconds === null ? [] : [ttl_seconds]));
  const ttlSeconds = Math.min(
    decision.ttl_seconds,
    row.ttl_seconds ?? Number.POSITIVE_INFINITY,
    ...limits,
  );
  await tx.audit.append({
    ...auditEvent(ctx, 'request.granted', call, requester),
    request: auditRequest(ctx, approved),
    policy_evaluation: auditDecision(decision, true),
  });
  const grant = await storeGrant(ctx, tx, call, {
    row: approved,
    identity: requester,
    judgement,
    active,
    ttlSeconds,
  });
  await notify(ctx, tx, {
    event: 'approval.approved',
    row: approved,
    by,
    grantId: grant.id,
    expiresAt: grant.expires_at,
  });
  return requestAnswer(await answerParts(ctx, tx, approved, call));
}

async function close(
  ctx: ControlContext,
  tx: StoreRepositories,
  row: RequestRow,
  call: CallMeta,
  approver: Identity,
  why: { denial_type: string; state_reason: string; decision?: Decision },
): Promise<RequestAnswer> {
  const change = { ...why, state: 'denied', decided_at: timestamp(ctx.now()) } as const;
  if (!(await tx.requests.transition(row.id, 'pending', change))) {
    throw new VkitError('already_decided', `The request ${row.id} has been decided meanwhile.`);
  }
  await tx.audit.append({
    ...auditEvent(ctx, 'request.denied', call, approver),
    request: auditRequest(ctx, row),
    policy_evaluation: why.decision
      ? auditDecision(why.decision, false)
      : { policies_applied: [], access_granted: false, type: why.denial_type },
  });
  await notify(ctx, tx, { event: 'approval.denied', row, by: approver.name });
  return requestAnswer(await answerParts(ctx, tx, { ...row, ...change }, call));
}

async function recordStep(
  ctx: ControlContext,
  tx: StoreRepositories,
  name: string,
  call: CallMeta,
  approver: Identity,
  row: RequestRow,
  notes: string | undefined,
): Promise<void> {
  const event = auditEvent(ctx, name, call, approver);
  await tx.audit.append({
    ...event,
    request: auditRequest(ctx, row),
    metadata: { ...event.metadata, ...(notes === undefined ? {} : { notes }) },
  });
}

function notTheirs(): VkitError {
  return new VkitError(
    'forbidden',
    'The policies now ask other roles than yours to approve this request.',
  );
}
