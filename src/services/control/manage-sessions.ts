import type { SessionBody } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { SessionRow, UserRow } from '../../store/model.js';
import { checkTarget } from './administrator-roles.js';
import { auditEvent } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, presentIdentity, requireAdministrator } from './identity.js';

/** Sessions a list holds at most. */
const SESSIONS_MAX = 1_000;

export interface SessionFilter {
  /** Only one's own, which needs no role. */
  mine: boolean;
  /** An id or an address; absent: everybody's. */
  user?: string;
  /** Those that have ended, too. */
  all: boolean;
}

/** Sessions, newest first. Throws `forbidden` for those of others without `user_admin`. */
export async function listSessions(
  ctx: ControlContext,
  identity: Identity,
  { mine, user, all }: SessionFilter,
): Promise<SessionBody[]> {
  if (!mine) requireAdministrator(identity, 'user_admin');
  return ctx.store.transaction(async (tx) => {
    const named =
      user === undefined ? null : ((await tx.users.byId(user)) ?? (await tx.users.byEmail(user)));
    if (user !== undefined && !named) throw noSuchUser(user);
    const userId = mine ? identity.id : named?.id;
    const filter = {
      ...(userId === undefined ? {} : { userId }),
      ...(all ? {} : { activeAt: timestamp(ctx.now()) }),
    };
    const people = new Map<string, UserRow | null>();
    const bodies: SessionBody[] = [];
    for (const row of await tx.sessions.list(SESSIONS_MAX, filter)) {
      if (!people.has(row.user_id)) people.set(row.user_id, await tx.users.byId(row.user_id));
      bodies.push(sessionBody(row, people.get(row.user_id) ?? null, identity, ctx.now()));
    }
    return bodies;
  });
}

/**
 * Ends a session at once; what its holder runs stops. One's own needs no role. Twice is a no-op. Throws `forbidden` for
 * somebody else's without `user_admin`, and for an administrator's without `admin`.
 */
export async function revokeSession(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  call: CallMeta,
): Promise<SessionBody> {
  const body = await ctx.store.transaction(async (tx) => {
    const row = await tx.sessions.byId(id);
    const isOwn = row !== null && identity.kind === 'user' && row.user_id === identity.id;
    const actor = await presentIdentity(tx, identity, ctx.now());
    if (!isOwn) requireAdministrator(actor, 'user_admin');
    if (!row) throw noSuchSession();
    const user = await tx.users.byId(row.user_id);
    if (!isOwn && user) checkTarget(actor, user);
    const at = timestamp(ctx.now());
    if (await tx.sessions.revoke(row.id, at)) {
      const event = auditEvent(ctx, 'session.revoked', call, identity);
      await tx.audit.append({
        ...event,
        metadata: { ...event.metadata, session: row.id, user_id: row.user_id },
      });
    }
    return sessionBody((await tx.sessions.byId(row.id)) ?? row, user, identity, ctx.now());
  });
  ctx.running.stopRequester(
    body.user_id,
    new VkitError('grant_revoked', 'A session of this account was ended while the query ran.'),
  );
  return body;
}

function sessionBody(
  row: SessionRow,
  user: UserRow | null,
  identity: Identity,
  now: number,
): SessionBody {
  const expired = row.expires_at <= timestamp(now);
  return {
    id: row.id,
    user_id: row.user_id,
    email: user?.email ?? null,
    state: row.revoked_at !== null ? 'revoked' : expired ? 'expired' : 'active',
    method: row.method,
    client: row.client,
    address: row.address,
    created_at: row.created_at,
    expires_at: row.expires_at,
    current: row.id === identity.sessionId,
  };
}

function noSuchSession(): VkitError {
  return new VkitError('not_found', 'There is no session with this id.', {
    hint: 'See: vkit session list',
  });
}

function noSuchUser(name: string): VkitError {
  return new VkitError('not_found', `There is no user ${name.slice(0, 64)}.`, {
    hint: 'See: vkit user list',
  });
}
