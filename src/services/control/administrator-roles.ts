import { VkitError } from '../../errors/index.js';
import type { StoreRepositories, UserRow } from '../../store/model.js';
import type { Identity } from './identity.js';

/** Roles whose holders administer vkit; only `admin` gives or takes them. */
export const ADMINISTRATOR_ROLES = [
  'admin',
  'user_admin',
  'datasource_admin',
  'policy_admin',
  'auditor',
] as const;

/** Throws `forbidden` where somebody but an `admin` gives an administrator's role, to a person or to an agent. */
export function checkRolesGiven(identity: Identity, roles: readonly string[]): void {
  if (identity.roles.includes('admin')) return;
  const role = roles.find((name) => isAdministratorRole(name));
  if (role !== undefined) throw new VkitError('forbidden', `Only an admin gives the role ${role}.`);
}

/**
 * Throws `forbidden` where somebody but an `admin` touches an administrator: their attributes, password, sessions, or what
 * acts for them. A user administrator holds such a role, so this keeps them from their own account, too.
 */
export function checkTarget(identity: Identity, user: Pick<UserRow, 'roles'>): void {
  if (identity.roles.includes('admin') || !user.roles.some(isAdministratorRole)) return;
  throw new VkitError('forbidden', 'Only an admin changes an administrator.');
}

function isAdministratorRole(name: string): boolean {
  return (ADMINISTRATOR_ROLES as readonly string[]).includes(name);
}

/** Administrators that are looked through for one who can log in. */
const ADMINISTRATORS_MAX = 1_000;

/**
 * Throws `conflict` where `before` was the last enabled `admin` with a password and is so no more, for use after a change in
 * its transaction. One whom the identity provider makes an `admin` does not count: what it gives, it can take.
 */
export async function checkAdminLeft(tx: StoreRepositories, before: UserRow): Promise<void> {
  if (!isLocalAdmin(before)) return;
  const admins = await tx.users.withRole('admin', ADMINISTRATORS_MAX);
  if (admins.some(isLocalAdmin)) return;
  throw new VkitError('conflict', 'This is the last admin who can log in with a password.', {
    hint: 'Make another one first: vkit user create --email ADDRESS --role admin',
  });
}

function isLocalAdmin({ roles, login, disabled_at }: UserRow): boolean {
  return roles.includes('admin') && login === 'password' && disabled_at === null;
}
