import type { GrantRow, RequestRow, StoreRepositories } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { auditEvent, auditRequest } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { LIST_MAX, loadRequest } from './load-request.js';

/** Grants one sweep closes at most; the next one goes on. */
const GRANTS_MAX = 500;
/** How far back the first sweep after a start looks: longer than any grant lives and a server is down for a weekend. */
const LOOK_BACK_MS = 7 * 86_400_000;

export interface Sweeper {
  /** Closes what time has ended: pending requests, and grants whose policy says `auto_revoke`. */
  sweep(): Promise<void>;
}

/**
 * Time ends things by itself: every check looks at the clock. The sweep only writes it down, so that the log tells when a
 * request expired, and that an `auto_revoke` grant is over.
 */
export function createSweeper(ctx: ControlContext): Sweeper {
  let sweptUntil = timestamp(ctx.now() - LOOK_BACK_MS);
  return {
    async sweep() {
      const call = { correlationId: randomId('cor') };
      const now = timestamp(ctx.now());
      await ctx.store.transaction(async (tx) => {
        const over = await tx.requests.list({
          states: ['pending'],
          expiredAt: now,
          limit: LIST_MAX,
        });
        for (const { id } of over) await loadRequest(ctx, tx, id, call);
      });
      const grants = await ctx.store.grants.expiredBetween(sweptUntil, now, GRANTS_MAX);
      for (const grant of grants)
        await ctx.store.transaction((tx) => closeGrant(ctx, tx, grant, call));
      sweptUntil = grants.length < GRANTS_MAX ? now : (grants.at(-1)?.expires_at ?? now);
    },
  };
}

async function closeGrant(
  ctx: ControlContext,
  tx: StoreRepositories,
  grant: GrantRow,
  call: CallMeta,
): Promise<void> {
  const row: RequestRow | null = await tx.requests.byId(grant.request_id);
  if (!row?.decision?.auto_revoke) return;
  if (!(await tx.grants.revoke(grant.id, timestamp(ctx.now()), 'expired'))) return;
  const event = auditEvent(ctx, 'grant.revoked', call, null);
  await tx.audit.append({
    ...event,
    requester: { user_id: 'vkit', kind: 'system' },
    request: auditRequest(ctx, row),
    metadata: {
      ...event.metadata,
      grant_id: grant.id,
      reason: 'expired',
      ttl_expires: grant.expires_at,
    },
  });
}
