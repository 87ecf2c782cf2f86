import type { UserBody } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { StoreRepositories, UserRow } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { hashPassword } from '../passwords.js';
import { checkAdminLeft, checkRolesGiven, checkTarget } from './administrator-roles.js';
import { auditEvent } from './audit-parts.js';
import { checkClearance } from './check-clearance.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, presentIdentity, requireAdministrator } from './identity.js';

export interface UserInput {
  email: string;
  /** Null: the account logs in through the identity provider. */
  password: string | null;
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
}

export type UserChange = Partial<Omit<UserInput, 'email' | 'password'>> & {
  /** From now on through the identity provider: the password and the sessions end. */
  login?: 'oidc';
};

/** Users a list holds at most. */
const USERS_MAX = 1_000;

/** Agents of one person whose queries are stopped with theirs. */
const AGENTS_MAX = 1_000;

/** Of an account without a password: no password has this hash. */
export const NO_PASSWORD = 'none';

/**
 * Throws `conflict` for an address that is taken, `validation` for a password that is too short or too long, or for none
 * where there is no identity provider.
 */
export async function createUser(
  ctx: ControlContext,
  identity: Identity,
  input: UserInput,
  call: CallMeta,
): Promise<UserBody> {
  requireAdministrator(identity, 'user_admin');
  checkRolesGiven(identity, input.roles);
  if (input.password === null) requireProvider(ctx);
  const row: UserRow = {
    id: randomId('usr'),
    email: input.email.trim().toLowerCase(),
    password_hash: input.password === null ? NO_PASSWORD : await hashPassword(input.password),
    roles: [...new Set(input.roles)].sort(),
    clearance: await checkClearance(ctx, input.clearance),
    region: input.region,
    purposes: [...new Set(input.purposes)].sort(),
    created_at: timestamp(ctx.now()),
    disabled_at: null,
    login: input.password === null ? 'oidc' : 'password',
    oidc_subject: null,
  };
  await ctx.store.transaction(async (tx) => {
    checkRolesGiven(await presentAdministrator(ctx, tx, identity), input.roles);
    if (await tx.users.byEmail(row.email)) {
      throw new VkitError('conflict', `There is a user ${row.email} already.`);
    }
    await tx.users.insert(row);
    await record(ctx, tx, { event: 'user.created', identity, call, user: row });
  });
  return userBody(row);
}

export async function listUsers(ctx: ControlContext, identity: Identity): Promise<UserBody[]> {
  requireAdministrator(identity, 'user_admin');
  return (await ctx.store.users.list(USERS_MAX)).map(userBody);
}

/**
 * Changes attributes; they hold at once, also for grants that are out, and stop what the person and their agents run. Throws
 * `conflict` for an attribute that the identity provider says, and where no `admin` would be left.
 */
export async function updateUser(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  change: UserChange,
  call: CallMeta,
): Promise<UserBody> {
  requireAdministrator(identity, 'user_admin');
  if (change.roles) checkRolesGiven(identity, change.roles);
  if (change.login) requireProvider(ctx);
  const clearance =
    change.clearance === undefined
      ? {}
      : { clearance: await checkClearance(ctx, change.clearance) };
  const { changed, agents } = await ctx.store.transaction(async (tx) => {
    const user = await requireUser(tx, id);
    checkTarget(await presentAdministrator(ctx, tx, identity), user);
    if (change.roles) checkRolesGiven(await presentIdentity(tx, identity, ctx.now()), change.roles);
    refuseProvided(ctx, user, change);
    await tx.users.update(user.id, {
      ...change,
      ...clearance,
      ...(change.roles ? { roles: [...new Set(change.roles)].sort() } : {}),
      ...(change.purposes ? { purposes: [...new Set(change.purposes)].sort() } : {}),
      ...(change.login ? { password_hash: NO_PASSWORD } : {}),
    });
    if (change.login) await tx.sessions.revokeAllOf(user.id, timestamp(ctx.now()));
    await checkAdminLeft(tx, user);
    const changed = await requireUser(tx, user.id);
    await record(ctx, tx, { event: 'user.updated', identity, call, user: changed, before: user });
    return { changed, agents: await tx.agentTokens.onBehalfOf(user.id, AGENTS_MAX) };
  });
  for (const { id: one } of [changed, ...agents]) {
    ctx.running.stopRequester(
      one,
      new VkitError('grant_revoked', 'The account was changed while the query ran.'),
    );
  }
  return userBody(changed);
}

/** Disables an account and ends its sessions; what it runs stops. */
export async function disableUser(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  call: CallMeta,
): Promise<UserBody> {
  requireAdministrator(identity, 'user_admin');
  const row = await ctx.store.transaction(async (tx) => {
    const user = await requireUser(tx, id);
    checkTarget(await presentAdministrator(ctx, tx, identity), user);
    if (user.id === identity.id) throw new VkitError('conflict', 'You cannot disable yourself.');
    await tx.users.update(user.id, { disabled_at: user.disabled_at ?? timestamp(ctx.now()) });
    await checkAdminLeft(tx, user);
    await tx.sessions.revokeAllOf(user.id, timestamp(ctx.now()));
    const changed = await requireUser(tx, user.id);
    await record(ctx, tx, { event: 'user.disabled', identity, call, user: changed });
    return changed;
  });
  // Agents that act for this person stop too; they are few, so everything that runs is asked to start anew.
  ctx.running.stopAll(
    new VkitError('grant_revoked', 'An account was disabled while the query ran.'),
  );
  return userBody(row);
}

/** Lets a disabled account log in again, with the password and the attributes it had; its sessions stay ended. */
export async function enableUser(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  call: CallMeta,
): Promise<UserBody> {
  requireAdministrator(identity, 'user_admin');
  return ctx.store.transaction(async (tx) => {
    const user = await requireUser(tx, id);
    checkTarget(await presentAdministrator(ctx, tx, identity), user);
    if (user.disabled_at === null) return userBody(user);
    await tx.users.update(user.id, { disabled_at: null });
    const changed = await requireUser(tx, user.id);
    await record(ctx, tx, { event: 'user.enabled', identity, call, user: changed });
    return userBody(changed);
  });
}

/**
 * Sets a password and ends the account's sessions. Throws `conflict` for an account of the identity provider: a password
 * would be a way in past what that asks for.
 */
export async function resetPassword(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  password: string,
  call: CallMeta,
): Promise<UserBody> {
  requireAdministrator(identity, 'user_admin');
  const hash = await hashPassword(password);
  const row = await ctx.store.transaction(async (tx) => {
    const user = await requireUser(tx, id);
    checkTarget(await presentAdministrator(ctx, tx, identity), user);
    if (user.login === 'oidc') {
      throw new VkitError('conflict', 'This account logs in through the identity provider.', {
        hint: 'Its password is changed there.',
      });
    }
    await tx.users.update(user.id, { password_hash: hash });
    await tx.sessions.revokeAllOf(user.id, timestamp(ctx.now()));
    await record(ctx, tx, { event: 'user.password_reset', identity, call, user });
    return user;
  });
  return userBody(row);
}

/** Who acts, as they are now: two administrators may be at each other at the same moment. */
async function presentAdministrator(
  ctx: ControlContext,
  tx: StoreRepositories,
  identity: Identity,
): Promise<Identity> {
  const present = await presentIdentity(tx, identity, ctx.now());
  requireAdministrator(present, 'user_admin');
  return present;
}

/** A user by id or email address. */
async function requireUser(tx: StoreRepositories, id: string): Promise<UserRow> {
  const user =
    (await tx.users.byId(id)) ??
    (id.includes('@') ? await tx.users.byEmail(id.trim().toLowerCase()) : null);
  if (!user)
    throw new VkitError('not_found', `There is no user ${id.slice(0, 64)}.`, {
      hint: 'See: vkit user list',
    });
  return user;
}

/** Throws `validation` where no identity provider is configured. */
function requireProvider({ oidc }: ControlContext): void {
  if (oidc) return;
  const message = 'is required: this server has no identity provider to log in with';
  throw new VkitError('validation', `A password ${message}.`, {
    details: { problems: [{ pointer: '/password', code: 'required', message }] },
  });
}

/** What a claim says is as it is there: a change here would be undone by the next login. */
function refuseProvided({ oidc }: ControlContext, user: UserRow, change: UserChange): void {
  if (user.login !== 'oidc' || !oidc) return;
  const attribute = oidc.attributes.find((name) => change[name] !== undefined);
  if (attribute === undefined) return;
  throw new VkitError('conflict', `The identity provider says the ${attribute} of this account.`, {
    hint: 'Change it there; it holds from the next login on. To end what there is now: vkit user disable',
    details: { attribute },
  });
}

/** An account as the API shows it: everything but the password. */
export function userBody(row: UserRow): UserBody {
  return {
    id: row.id,
    email: row.email,
    roles: row.roles,
    clearance: row.clearance,
    region: row.region,
    purposes: row.purposes,
    login: row.login,
    state: row.disabled_at === null ? 'active' : 'disabled',
    created_at: row.created_at,
  };
}

interface RecordInput {
  event: string;
  identity: Identity;
  call: CallMeta;
  user: UserRow;
  /** As it was, where roles or clearance may have changed. */
  before?: UserRow;
}

async function record(
  ctx: ControlContext,
  tx: StoreRepositories,
  { event, identity, call, user, before }: RecordInput,
) {
  const parts = auditEvent(ctx, event, call, identity);
  await tx.audit.append({
    ...parts,
    metadata: {
      ...parts.metadata,
      user_id: user.id,
      email: user.email,
      roles: user.roles.join(','),
      clearance: user.clearance,
      region: user.region,
      login: user.login,
      ...(before
        ? { roles_before: before.roles.join(','), clearance_before: before.clearance }
        : {}),
    },
  });
}
