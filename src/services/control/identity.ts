import { VkitError } from '../../errors/index.js';
import type { Requester } from '../../policy/model.js';
import { rolesOfRequester } from '../../policy/requester-roles.js';
import type { AgentTokenRow, Store, StoreRepositories, UserRow } from '../../store/model.js';
import { hashToken } from '../token-secrets.js';

/** Who is calling, with the attributes their account has at this moment. */
export interface Identity {
  kind: 'user' | 'agent';
  /** A user's or an agent token's id. */
  id: string;
  email: string | null;
  name: string;
  /** An agent's hold `agent` and `ai_agent` beside its own. */
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
  /** The only datasources there are for it; null: all. */
  datasources: readonly string[] | null;
  /** The person an agent acts for. */
  onBehalfOf: { id: string; email: string; requester: Requester } | null;
  /** People who own or made this identity: they never approve its requests. */
  ownerIds: readonly string[];
  sessionId: string | null;
}

/** The identity behind a bearer token; throws `unauthenticated`. */
export type Authenticator = (token: string) => Promise<Identity>;

/** Identities that are held: of as many tokens as are in use at one time. */
const IDENTITIES_HELD_MAX = 10_000;

/**
 * `authenticate`, which holds what it found for as long as no account, session or agent token has changed. That an identity
 * has expired is looked at every time.
 */
export function createAuthenticator(store: Store, now: () => number): Authenticator {
  const held = new Map<string, Authenticated & { version: number }>();
  return async (token) => {
    const hash = hashToken(token);
    const renewing = store.renew();
    if (renewing) await renewing;
    const version = store.accountsVersion();
    const known = held.get(hash);
    if (known?.version === version && !isPast(known.expiresAt, now())) return known.identity;
    held.delete(hash);
    const found = await authenticateHash(store, hash, now());
    if (held.size >= IDENTITIES_HELD_MAX) held.clear();
    held.set(hash, { ...found, version });
    return found.identity;
  };
}

interface Authenticated {
  identity: Identity;
  expiresAt: string | null;
}

/**
 * The identity behind a bearer token; throws `unauthenticated` for everything that is not a live session of an enabled
 * user or a live agent token, without saying which of it failed.
 */
export async function authenticate(
  store: StoreRepositories,
  token: string,
  now: number,
): Promise<Identity> {
  return (await authenticateHash(store, hashToken(token), now)).identity;
}

async function authenticateHash(
  store: StoreRepositories,
  hash: string,
  now: number,
): Promise<Authenticated> {
  const session = await store.sessions.byTokenHash(hash);
  if (session) {
    if (session.revoked_at !== null || isPast(session.expires_at, now)) throw unauthenticated();
    const identity = await loadIdentity(store, 'user', session.user_id, now);
    if (!identity) throw unauthenticated();
    return { identity: { ...identity, sessionId: session.id }, expiresAt: session.expires_at };
  }
  const agent = await store.agentTokens.byTokenHash(hash);
  const identity = agent ? await agentIdentity(store, agent, now) : null;
  if (!agent || !identity) throw unauthenticated();
  return { identity, expiresAt: agent.expires_at };
}

function isPast(expiresAt: string | null, now: number): boolean {
  return expiresAt !== null && expiresAt <= new Date(now).toISOString();
}

/** The present attributes of an account, or null where it may do nothing any more (disabled, revoked, expired, gone). */
export async function loadIdentity(
  store: StoreRepositories,
  kind: 'user' | 'agent',
  id: string,
  now: number,
): Promise<Identity | null> {
  if (kind === 'user') {
    const user = await store.users.byId(id);
    return user && user.disabled_at === null ? userIdentity(user) : null;
  }
  const agent = await store.agentTokens.byId(id);
  return agent ? agentIdentity(store, agent, now) : null;
}

/**
 * The same caller as they are within a transaction: what was taken away since the call began is gone. Throws
 * `unauthenticated` where nothing is left.
 */
export async function presentIdentity(
  tx: StoreRepositories,
  { kind, id, sessionId }: Identity,
  now: number,
): Promise<Identity> {
  const present = await loadIdentity(tx, kind, id, now);
  if (!present) throw unauthenticated();
  return { ...present, sessionId };
}

async function agentIdentity(
  store: StoreRepositories,
  agent: AgentTokenRow,
  now: number,
): Promise<Identity | null> {
  if (agent.revoked_at !== null || isPast(agent.expires_at, now)) return null;
  const person = agent.on_behalf_of === null ? null : await store.users.byId(agent.on_behalf_of);
  // An agent gets nothing when the person it acts for is gone or disabled.
  if (agent.on_behalf_of !== null && (!person || person.disabled_at !== null)) return null;
  return {
    kind: 'agent',
    id: agent.id,
    email: null,
    name: agent.name,
    roles: [...rolesOfRequester(agent.roles, true)].sort(),
    clearance: agent.clearance,
    region: agent.region,
    purposes: agent.purposes,
    datasources: agent.datasources,
    onBehalfOf: person
      ? { id: person.id, email: person.email, requester: requesterOf(userIdentity(person)) }
      : null,
    ownerIds:
      agent.on_behalf_of === null ? [agent.created_by] : [agent.created_by, agent.on_behalf_of],
    sessionId: null,
  };
}

function userIdentity(user: UserRow): Identity {
  return {
    kind: 'user',
    id: user.id,
    email: user.email,
    name: user.email,
    roles: [...user.roles].sort(),
    clearance: user.clearance,
    region: user.region,
    purposes: user.purposes,
    datasources: null,
    onBehalfOf: null,
    ownerIds: [],
    sessionId: null,
  };
}

/** The attributes the policies see. */
export function requesterOf(identity: Identity): Requester {
  return {
    roles: identity.roles,
    clearance: identity.clearance,
    region: identity.region,
    purposes: identity.purposes,
  };
}

/** The split administrator roles; `admin` may do what each of them may. */
export type AdministratorRole = 'user_admin' | 'datasource_admin' | 'policy_admin' | 'auditor';

/** Throws `forbidden` unless the identity is a person who holds one of the administrator roles. Agents administer nothing. */
export function requireAdministrator(identity: Identity, ...roles: AdministratorRole[]): void {
  const holds = ['admin', ...roles].some((role) => identity.roles.includes(role));
  if (identity.kind === 'user' && holds) return;
  const needed = roles.length === 0 ? 'the role admin' : `the role ${roles.join(', ')} or admin`;
  throw new VkitError(
    'forbidden',
    holds
      ? `This needs a person with ${needed}: agents administer nothing, whatever their roles.`
      : `This needs ${needed}.`,
  );
}

function unauthenticated(): VkitError {
  return new VkitError('unauthenticated', 'The token is missing, unknown, expired or revoked.', {
    hint: 'Log in with: vkit login',
  });
}
