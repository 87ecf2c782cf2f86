import type { GrantBody, RequestAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { GrantRow, RequestRow, StoreRepositories } from '../../store/model.js';
import { auditEvent, auditRequest } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import type { Identity } from './identity.js';
import { answerParts, loadRequest, noSuchRequest } from './load-request.js';
import { notify } from './notify.js';
import { requestAnswer } from './request-answer.js';

/** Cancels one's own request: a pending one is over, a granted one loses its grant and its running query. */
export async function cancelRequest(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  call: CallMeta,
): Promise<RequestAnswer> {
  const { answer, grant } = await ctx.store.transaction(async (tx) => {
    const row = await loadRequest(ctx, tx, id, call);
    if (row.requester_id !== identity.id) throw noSuchRequest(id);
    if (row.state !== 'pending' && row.state !== 'approved') {
      throw new VkitError('already_decided', `The request ${id} is ${row.state} already.`, {
        details: { state: row.state },
      });
    }
    const change = {
      state: 'cancelled',
      denial_type: 'cancelled',
      state_reason: 'The requester cancelled the request.',
    } as const;
    await tx.requests.transition(id, row.state, change);
    await tx.audit.append({
      ...auditEvent(ctx, 'request.cancelled', call, identity),
      request: auditRequest(ctx, row),
    });
    const grant = await tx.grants.byRequest(id);
    if (grant) await revoke(ctx, tx, { grant, row, identity, call, reason: 'request cancelled' });
    return {
      grant,
      answer: requestAnswer(await answerParts(ctx, tx, { ...row, ...change }, call)),
    };
  });
  if (grant)
    ctx.running.stopGrant(grant.id, new VkitError('grant_revoked', 'The request was cancelled.'));
  return answer;
}

/** Revokes a grant: its requester, an approver of its request, or a policy administrator may. Revoking twice is a no-op. */
export async function revokeGrant(
  ctx: ControlContext,
  identity: Identity,
  ref: string,
  reason: string,
  call: CallMeta,
): Promise<GrantBody> {
  const body = await ctx.store.transaction(async (tx) => {
    const { grant, row } = await visibleGrant(tx, identity, ref);
    await revoke(ctx, tx, { grant, row, identity, call, reason });
    return grantBody((await tx.grants.byId(ref)) ?? grant, ctx.now(), call);
  });
  ctx.running.stopGrant(body.id, new VkitError('grant_revoked', 'The grant was revoked.'));
  return body;
}

export async function showGrant(
  ctx: ControlContext,
  identity: Identity,
  ref: string,
  call: CallMeta,
): Promise<GrantBody> {
  const { grant } = await visibleGrant(ctx.store, identity, ref);
  return grantBody(grant, ctx.now(), call);
}

async function visibleGrant(
  tx: StoreRepositories,
  identity: Identity,
  ref: string,
): Promise<{ grant: GrantRow; row: RequestRow }> {
  const grant = await tx.grants.byId(ref);
  const row = grant ? await tx.requests.byId(grant.request_id) : null;
  const administers =
    identity.kind === 'user' &&
    (identity.roles.includes('admin') || identity.roles.includes('policy_admin'));
  const approved =
    row !== null && identity.kind === 'user'
      ? (await tx.approvals.ofRequest(row.id)).some(
          ({ approver_id }) => approver_id === identity.id,
        )
      : false;
  if (!grant || !row || !(grant.requester_id === identity.id || administers || approved))
    throw noSuchGrant(ref);
  return { grant, row };
}

export function noSuchGrant(ref: string): VkitError {
  return new VkitError('not_found', `There is no grant ${ref.slice(0, 64)}.`, {
    hint: 'See the grants of your requests: vkit requests list',
  });
}

interface RevokeInput {
  grant: GrantRow;
  row: RequestRow;
  identity: Identity;
  call: CallMeta;
  reason: string;
}

async function revoke(
  ctx: ControlContext,
  tx: StoreRepositories,
  input: RevokeInput,
): Promise<void> {
  const { grant, row, identity, call, reason } = input;
  if (!(await tx.grants.revoke(grant.id, timestamp(ctx.now()), reason))) return;
  const event = auditEvent(ctx, 'grant.revoked', call, identity);
  await tx.audit.append({
    ...event,
    request: auditRequest(ctx, row),
    metadata: { ...event.metadata, grant_id: grant.id, reason },
  });
  await notify(ctx, tx, { event: 'grant.revoked', row, grantId: grant.id, by: identity.name });
}

function grantBody(grant: GrantRow, now: number, call: CallMeta): GrantBody {
  const expired = grant.expires_at <= timestamp(now);
  return {
    id: grant.id,
    grant_ref: grant.id,
    grant_id: grant.id,
    request_id: grant.request_id,
    state: grant.revoked_at !== null ? 'revoked' : expired ? 'expired' : 'active',
    expires_at: grant.expires_at,
    revoked_at: grant.revoked_at,
    reason: grant.revoke_reason,
    correlation_id: call.correlationId,
  };
}
