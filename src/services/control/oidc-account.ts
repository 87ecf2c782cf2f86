import { VkitError } from '../../errors/index.js';
import type { StoreRepositories, UserRow } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import type { OidcPerson, OidcProvider } from '../oidc-provider.js';
import { auditEvent } from './audit-parts.js';
import { checkClearance } from './check-clearance.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { NO_PASSWORD } from './manage-users.js';

/** What a login says of an account: only the attributes that claims are named for. */
export type ProvidedAttributes = Partial<
  Pick<UserRow, 'roles' | 'clearance' | 'region' | 'purposes'>
>;

/** The attributes as an account has them. A clearance that no policy knows is none: a login never fails for it, nor gains by it. */
export async function providedAttributes(
  ctx: ControlContext,
  { attributes }: OidcPerson,
): Promise<ProvidedAttributes> {
  const { clearance, ...rest } = attributes;
  if (clearance === undefined) return rest;
  const known = await checkClearance(ctx, clearance).catch((error: unknown) => {
    if (error instanceof VkitError && error.code === 'validation') return null;
    throw error;
  });
  return { ...rest, clearance: known };
}

/** A person, and what the provider says of them now. */
interface Vouched {
  provider: OidcProvider;
  person: OidcPerson;
  attributes: ProvidedAttributes;
}

/**
 * The account of a person whom the identity provider vouches for, with what it says of them now, in the caller's transaction.
 * A person is known by issuer and subject; an address only finds an account that waits for its first login. Throws
 * `forbidden`, saying why, where there is no such account and none is made.
 */
export async function accountOfPerson(
  ctx: ControlContext,
  tx: StoreRepositories,
  { provider, person, attributes }: Vouched,
  call: CallMeta,
): Promise<{ user: UserRow; changed: boolean }> {
  const known = await tx.users.byOidcSubject(person.subject);
  const found = known ?? (await waitingAccount(tx, person));
  if (!found) {
    const user = await makeAccount(ctx, tx, { provider, person, attributes });
    await record(ctx, tx, 'user.created', call, user);
    return { user, changed: false };
  }
  if (found.disabled_at !== null) throw refused('The account is disabled.');
  if (found.login !== 'oidc') throw refused('The account logs in with a password.');
  const change = {
    ...attributes,
    ...(await newAddress(tx, found, person)),
    oidc_subject: person.subject,
  };
  if (!differs(found, change)) return { user: found, changed: false };
  await tx.users.update(found.id, change);
  const user = { ...found, ...change };
  await record(ctx, tx, 'user.updated', call, user);
  return { user, changed: true };
}

async function waitingAccount(
  tx: StoreRepositories,
  { email }: OidcPerson,
): Promise<UserRow | null> {
  if (email === null) {
    throw refused('The identity provider has not verified your address.');
  }
  const user = await tx.users.byEmail(email);
  if (user?.login === 'password') {
    // Whoever has an address at the provider now is not thereby who made a password here.
    throw refused('The account of your address has a password.', {
      hint: `An administrator hands it over to the identity provider: vkit user update ${email} --oidc`,
    });
  }
  if (user && user.oidc_subject !== null) {
    throw refused(
      'The account of your address belongs to another person at the identity provider.',
    );
  }
  return user;
}

async function makeAccount(
  ctx: ControlContext,
  tx: StoreRepositories,
  { provider, person, attributes }: Vouched,
): Promise<UserRow> {
  if (provider.users !== 'create' || person.email === null) {
    throw refused('There is no account of your address.', {
      hint: `An administrator makes one: vkit user create --email ${person.email ?? 'ADDRESS'} --oidc`,
    });
  }
  const user: UserRow = {
    id: randomId('usr'),
    email: person.email,
    password_hash: NO_PASSWORD,
    roles: [],
    clearance: null,
    region: null,
    purposes: [],
    ...attributes,
    created_at: timestamp(ctx.now()),
    disabled_at: null,
    login: 'oidc',
    oidc_subject: person.subject,
  };
  await tx.users.insert(user);
  return user;
}

/** Another address of the same person, unless somebody has it already. */
async function newAddress(
  tx: StoreRepositories,
  user: UserRow,
  { email }: OidcPerson,
): Promise<{ email?: string }> {
  if (email === null || email === user.email || (await tx.users.byEmail(email))) return {};
  return { email };
}

function differs(user: UserRow, change: Partial<UserRow>): boolean {
  const keys = Object.keys(change) as (keyof UserRow)[];
  return keys.some((key) => JSON.stringify(user[key]) !== JSON.stringify(change[key]));
}

function refused(message: string, more: { hint?: string } = {}): VkitError {
  return new VkitError('forbidden', message, more);
}

async function record(
  ctx: ControlContext,
  tx: StoreRepositories,
  name: string,
  call: CallMeta,
  user: UserRow,
): Promise<void> {
  const event = auditEvent(ctx, name, call, null);
  await tx.audit.append({
    ...event,
    requester: { user_id: 'oidc', kind: 'system' },
    metadata: {
      ...event.metadata,
      user_id: user.id,
      email: user.email,
      roles: user.roles.join(','),
      clearance: user.clearance,
      region: user.region,
      login: 'oidc',
    },
  });
}
