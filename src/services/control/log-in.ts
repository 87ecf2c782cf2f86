import type { LoginAnswer, WhoAmI } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { SessionRow, StoreRepositories } from '../../store/model.js';
import { verifyAgainstNothing, verifyPassword } from '../passwords.js';
import { auditEvent } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, loadIdentity } from './identity.js';
import type { LoginThrottle } from './login-throttle.js';
import { startSession } from './start-session.js';

/**
 * A password for a session token. Every attempt is recorded; an unknown address, a wrong password and a disabled account
 * are answered alike and take the same time. Throws `unauthenticated`, or `rate_limited` after too many failures.
 */
export async function logIn(
  ctx: ControlContext,
  throttle: LoginThrottle,
  { email, password }: { email: string; password: string },
  call: CallMeta,
): Promise<LoginAnswer> {
  const address = email.trim().toLowerCase();
  throttle.check(address, call.address, ctx.now());
  const user = await ctx.store.users.byEmail(address);
  const correct = user
    ? await verifyPassword(password, user.password_hash)
    : await verifyAgainstNothing();
  if (!user || !correct || user.disabled_at !== null) {
    throttle.failed(address, call.address, ctx.now());
    const event = auditEvent(ctx, 'login.failed', call, null);
    await ctx.store.audit.append({
      ...event,
      metadata: { ...event.metadata, ...(user ? { user_id: user.id } : {}) },
    });
    throw new VkitError('unauthenticated', 'The email address or the password is wrong.', {
      hint: 'A lost password is set anew by an administrator: vkit user reset-password',
    });
  }
  throttle.succeeded(address, call.address);
  return ctx.store.transaction(async (tx) => {
    const present = await loadIdentity(tx, 'user', user.id, ctx.now());
    // Checking took a while: a password that was replaced meanwhile opens nothing.
    const unchanged = (await tx.users.byId(user.id))?.password_hash === user.password_hash;
    if (!present || !unchanged) throw new VkitError('unauthenticated', 'The account was changed.');
    return openSession(ctx, tx, present, 'password', call);
  });
}

/** The session of somebody who is known now, and its record. */
export async function openSession(
  ctx: ControlContext,
  tx: StoreRepositories,
  identity: Identity,
  method: SessionRow['method'],
  call: CallMeta,
): Promise<LoginAnswer> {
  const { token, expiresAt } = await startSession(ctx, tx, { userId: identity.id, method }, call);
  const event = auditEvent(ctx, 'login.succeeded', call, identity);
  await tx.audit.append({ ...event, metadata: { ...event.metadata, method } });
  return {
    token,
    expires_at: expiresAt,
    user: whoAmI(ctx, identity),
    correlation_id: call.correlationId,
  };
}

/** Ends the session of this identity; an agent token is not a session and stays. */
export async function logOut(
  ctx: ControlContext,
  identity: Identity,
  call: CallMeta,
): Promise<void> {
  const { sessionId } = identity;
  if (sessionId === null) return;
  await ctx.store.transaction(async (tx) => {
    if (await tx.sessions.revoke(sessionId, timestamp(ctx.now()))) {
      await tx.audit.append(auditEvent(ctx, 'session.revoked', call, identity));
    }
  });
}

/** The attributes of an account as its holder may see them. */
export function whoAmI(ctx: Pick<ControlContext, 'org'>, identity: Identity): WhoAmI {
  return {
    id: identity.id,
    kind: identity.kind,
    email: identity.email,
    name: identity.name,
    org: ctx.org,
    roles: identity.roles,
    clearance: identity.clearance,
    region: identity.region,
    purposes: identity.purposes,
    on_behalf_of: identity.onBehalfOf?.email ?? null,
  };
}
