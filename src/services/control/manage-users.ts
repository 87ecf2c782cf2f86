import type { UserBody } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { StoreRepositories, UserRow } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { hashPassword } from '../passwords.js';
import { auditEvent } from './audit-parts.js';
import { checkClearance } from './check-clearance.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';

export interface UserInput {
  email: string;
  password: string;
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
}

export type UserChange = Partial<Omit<UserInput, 'email' | 'password'>>;

/** Users a list holds at most. */
const USERS_MAX = 1_000;

/** Roles whose holders administer vkit; only `admin` gives or takes them. */
const ADMINISTRATOR_ROLES = ['admin', 'user_admin', 'datasource_admin', 'policy_admin', 'auditor'];

/** Throws `conflict` for an address that is taken, `validation` for a password that is too short or too long. */
export async function createUser(
  ctx: ControlContext,
  identity: Identity,
  input: UserInput,
  call: CallMeta,
): Promise<UserBody> {
  requireAdministrator(identity, 'user_admin');
  checkRoles(identity, input.roles);
  const row: UserRow = {
    id: randomId('usr'),
    email: input.email.trim().toLowerCase(),
    password_hash: await hashPassword(input.password),
    roles: [...new Set(input.roles)].sort(),
    clearance: await checkClearance(ctx, input.clearance),
    region: input.region,
    purposes: [...new Set(input.purposes)].sort(),
    created_at: timestamp(ctx.now()),
    disabled_at: null,
  };
  await ctx.store.transaction(async (tx) => {
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

/** Changes attributes; they hold at once, also for grants that are out. */
export async function updateUser(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  change: UserChange,
  call: CallMeta,
): Promise<UserBody> {
  requireAdministrator(identity, 'user_admin');
  if (change.roles) checkRoles(identity, change.roles);
  const clearance =
    change.clearance === undefined
      ? {}
      : { clearance: await checkClearance(ctx, change.clearance) };
  const row = await ctx.store.transaction(async (tx) => {
    const user = await requireUser(tx, id);
    checkTarget(identity, user);
    await tx.users.update(user.id, {
      ...change,
      ...clearance,
      ...(change.roles ? { roles: [...new Set(change.roles)].sort() } : {}),
    });
    const changed = await requireUser(tx, user.id);
    await record(ctx, tx, { event: 'user.updated', identity, call, user: changed });
    return changed;
  });
  ctx.running.stopRequester(
    row.id,
    new VkitError('grant_revoked', 'The account was changed while the query ran.'),
  );
  return userBody(row);
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
    checkTarget(identity, user);
    if (user.id === identity.id) throw new VkitError('conflict', 'You cannot disable yourself.');
    await tx.users.update(user.id, { disabled_at: user.disabled_at ?? timestamp(ctx.now()) });
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

/** Sets a password and ends the account's sessions. */
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
    checkTarget(identity, user);
    await tx.users.update(user.id, { password_hash: hash });
    await tx.sessions.revokeAllOf(user.id, timestamp(ctx.now()));
    await record(ctx, tx, { event: 'user.password_reset', identity, call, user });
    return user;
  });
  return userBody(row);
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

/** A user administrator does not make administrators, nor touch them. */
function checkRoles(identity: Identity, roles: readonly string[]): void {
  if (identity.roles.includes('admin')) return;
  const role = roles.find((name) => ADMINISTRATOR_ROLES.includes(name));
  if (role !== undefined) throw new VkitError('forbidden', `Only an admin gives the role ${role}.`);
}

function checkTarget(identity: Identity, user: UserRow): void {
  if (identity.roles.includes('admin')) return;
  if (user.roles.some((role) => ADMINISTRATOR_ROLES.includes(role))) {
    throw new VkitError('forbidden', 'Only an admin changes an administrator.');
  }
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
    state: row.disabled_at === null ? 'active' : 'disabled',
    created_at: row.created_at,
  };
}

interface RecordInput {
  event: string;
  identity: Identity;
  call: CallMeta;
  user: UserRow;
}

async function record(
  ctx: ControlContext,
  tx: StoreRepositories,
  { event, identity, call, user }: RecordInput,
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
    },
  });
}
