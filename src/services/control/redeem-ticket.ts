import { VkitError } from '../../errors/index.js';
import { verifyTicket } from '../../grants/ticket.js';
import type { Redemption } from '../executor/wire.js';
import { approvalsSatisfied, presentVoices } from './approvals-given.js';
import { auditEvent } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { storedNarrowing } from './decide-approval.js';
import { loadIdentity } from './identity.js';
import { judge } from './judge.js';

/**
 * What an executor needs for one fetch, once: the ticket is taken away before anything else is looked at. Throws
 * `grant_invalid` for a ticket that does not verify, was redeemed, or has expired; `grant_revoked`, `grant_expired` and
 * `bundle_superseded` where its grant does not hold any more. A refusal is recorded.
 */
export async function redeemTicket(
  ctx: ControlContext,
  ticket: string,
  call: CallMeta,
): Promise<Redemption> {
  try {
    return await redeem(ctx, ticket);
  } catch (error) {
    if (error instanceof VkitError) {
      const event = auditEvent(ctx, 'ticket.refused', call, null);
      await ctx.store.audit.append({
        ...event,
        requester: { user_id: 'executor', kind: 'system' },
        metadata: { ...event.metadata, type: error.code },
      });
    }
    throw error;
  }
}

async function redeem(ctx: ControlContext, ticket: string): Promise<Redemption> {
  const { executors, store } = ctx;
  if (!executors) throw new VkitError('not_found', 'This control plane has no executors.');
  const now = ctx.now();
  const claims = await verifyTicket(ticket, {
    keys: ctx.verifiedGrants.keys,
    audiences: executors.urls,
    org: ctx.org,
    now,
  });
  const row = await store.tickets.redeem(claims.jti, timestamp(now));
  if (!row || row.grant_id !== claims.grant_id) {
    throw new VkitError('grant_invalid', 'The ticket does not verify.', {
      cause: new Error('redeemed, expired, or never issued'),
    });
  }
  const grant = await store.grants.byId(row.grant_id);
  const request = grant && (await store.requests.byId(grant.request_id));
  if (!grant || !request) throw new VkitError('grant_invalid', 'The grant does not verify.');
  if (grant.revoked_at !== null) throw new VkitError('grant_revoked', 'The grant was revoked.');
  if (grant.expires_at <= timestamp(now))
    throw new VkitError('grant_expired', 'The grant has expired.');
  const active = await ctx.activeBundle(store);
  if (active?.checksum !== grant.bundle_checksum || active.epoch !== grant.epoch) {
    const message = 'The bundle this grant was issued under is no longer the active one.';
    throw new VkitError('bundle_superseded', message);
  }
  const identity = await loadIdentity(store, request.requester_kind, request.requester_id, now);
  if (!identity) throw new VkitError('grant_revoked', 'The account was disabled.');
  const narrowing = storedNarrowing(request);
  const { purpose, aql } = request;
  const { decision, datasource } = judge(active, identity, { aql, narrowing, purpose, at: now });
  if (!datasource || datasource.name !== grant.datasource)
    throw new VkitError('grant_invalid', 'The grant is for another datasource.');
  const voices = await presentVoices(
    store,
    await store.approvals.ofRequest(request.id),
    identity,
    now,
  );
  const approved = approvalsSatisfied(decision.approvals, voices);
  // No login leaves for what would be refused where it goes.
  if (decision.action === 'deny' || (decision.action === 'require_approval' && !approved))
    throw new VkitError('policy_denied', 'The policies no longer allow this query.');
  return {
    grant_id: grant.id,
    requester: identity,
    narrowing,
    purpose,
    approved,
    active: { version: active.version, checksum: active.checksum, epoch: active.epoch },
    credentials: await executors.credentials(datasource),
    token_keys: ctx.keys.tokenKeys.map(({ version, key }) => ({
      version,
      key: key.export().toString('base64'),
    })),
    row_cap: ctx.settings.rowCap,
    statement_timeout_ms: executors.statementTimeoutMs,
  };
}

/** Grants that one executor may ask about at once. */
export const LEASE_GRANTS_MAX = 10_000;

/** Those of the grants that must not run any more, by what is known at this moment. Throws `unavailable` where nothing is. */
export async function grantsToStop(ctx: ControlContext, ids: readonly string[]): Promise<string[]> {
  await ctx.store.renew();
  ctx.store.accountsVersion();
  const active = await ctx.activeBundle(ctx.store);
  const stop: string[] = [];
  for (const id of ids) {
    const grant = await ctx.store.grants.byId(id);
    const holds =
      grant?.revoked_at === null &&
      active?.checksum === grant.bundle_checksum &&
      active.epoch === grant.epoch;
    if (!holds) stop.push(id);
  }
  return stop;
}
