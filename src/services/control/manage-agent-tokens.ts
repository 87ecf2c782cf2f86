import type { AgentTokenBody } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { AgentTokenRow, StoreRepositories, UserRow } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { newToken } from '../token-secrets.js';
import { checkRolesGiven, checkTarget } from './administrator-roles.js';
import { auditEvent } from './audit-parts.js';
import { checkClearance } from './check-clearance.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, presentIdentity, requireAdministrator } from './identity.js';

export interface AgentTokenInput {
  name: string;
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
  /** The only datasources there are for it; null: all. */
  datasources: readonly string[] | null;
  /** A user's id or email address. */
  onBehalfOf: string | null;
  expiresInSeconds: number | null;
}

const TOKENS_MAX = 1_000;

/**
 * Makes a token for an agent; the secret is in this answer alone and stored as a hash. Throws `forbidden` where somebody but
 * an `admin` gives it an administrator's role, or lets it act for an administrator.
 */
export async function createAgentToken(
  ctx: ControlContext,
  identity: Identity,
  input: AgentTokenInput,
  call: CallMeta,
): Promise<AgentTokenBody> {
  requireAdministrator(identity, 'user_admin');
  checkRolesGiven(identity, input.roles);
  const { token, hash, prefix } = newToken('vka_');
  const clearance = await checkClearance(ctx, input.clearance);
  const row = await ctx.store.transaction(async (tx) => {
    const actor = await presentIdentity(tx, identity, ctx.now());
    requireAdministrator(actor, 'user_admin');
    checkRolesGiven(actor, input.roles);
    const person = input.onBehalfOf === null ? null : await findUser(tx, input.onBehalfOf);
    if (person) checkTarget(actor, person);
    const created: AgentTokenRow = {
      id: randomId('agt'),
      name: input.name,
      prefix,
      token_hash: hash,
      roles: [...new Set(input.roles)].sort(),
      clearance,
      region: input.region,
      purposes: [...new Set(input.purposes)].sort(),
      datasources: input.datasources && [...new Set(input.datasources)].sort(),
      on_behalf_of: person?.id ?? null,
      created_by: identity.id,
      created_at: timestamp(ctx.now()),
      expires_at:
        input.expiresInSeconds === null
          ? null
          : timestamp(ctx.now() + input.expiresInSeconds * 1000),
      revoked_at: null,
    };
    await tx.agentTokens.insert(created);
    await record(ctx, tx, 'agent_token.created', identity, call, created);
    return created;
  });
  return { ...tokenBody(row, ctx.now()), token };
}

export async function listAgentTokens(
  ctx: ControlContext,
  identity: Identity,
): Promise<AgentTokenBody[]> {
  requireAdministrator(identity, 'user_admin');
  return (await ctx.store.agentTokens.list(TOKENS_MAX)).map((row) => tokenBody(row, ctx.now()));
}

/** Revokes by id or by a prefix that only one token has; what the agent runs stops. Twice is a no-op. */
export async function revokeAgentToken(
  ctx: ControlContext,
  identity: Identity,
  text: string,
  call: CallMeta,
): Promise<AgentTokenBody> {
  requireAdministrator(identity, 'user_admin');
  const row = await ctx.store.transaction(async (tx) => {
    const found = await tx.agentTokens.byIdOrPrefix(text);
    if (!found) {
      throw new VkitError('not_found', 'There is no agent token with this id or prefix.', {
        hint: 'See: vkit agents tokens list',
      });
    }
    const actor = await presentIdentity(tx, identity, ctx.now());
    const person = found.on_behalf_of === null ? null : await tx.users.byId(found.on_behalf_of);
    if (person) checkTarget(actor, person);
    if (await tx.agentTokens.revoke(found.id, timestamp(ctx.now()))) {
      await record(ctx, tx, 'agent_token.revoked', identity, call, found);
    }
    return (await tx.agentTokens.byId(found.id)) ?? found;
  });
  ctx.running.stopRequester(row.id, new VkitError('grant_revoked', 'The agent token was revoked.'));
  return tokenBody(row, ctx.now());
}

async function findUser(tx: StoreRepositories, text: string): Promise<UserRow> {
  const user = (await tx.users.byId(text)) ?? (await tx.users.byEmail(text.trim().toLowerCase()));
  if (!user || user.disabled_at !== null) {
    throw new VkitError('not_found', 'There is no such enabled user to act on behalf of.', {
      hint: 'See: vkit user list',
    });
  }
  return user;
}

function tokenBody(row: AgentTokenRow, now: number): AgentTokenBody {
  const expired = row.expires_at !== null && row.expires_at <= timestamp(now);
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    roles: row.roles,
    clearance: row.clearance,
    region: row.region,
    purposes: row.purposes,
    datasources: row.datasources,
    on_behalf_of: row.on_behalf_of,
    created_by: row.created_by,
    created_at: row.created_at,
    expires_at: row.expires_at,
    state: row.revoked_at !== null ? 'revoked' : expired ? 'expired' : 'active',
  };
}

async function record(
  ctx: ControlContext,
  tx: StoreRepositories,
  name: string,
  identity: Identity,
  call: CallMeta,
  row: AgentTokenRow,
): Promise<void> {
  const event = auditEvent(ctx, name, call, identity);
  await tx.audit.append({
    ...event,
    metadata: {
      ...event.metadata,
      agent_token: row.id,
      agent_name: row.name,
      roles: row.roles.join(','),
      clearance: row.clearance,
      region: row.region,
      ...(row.datasources ? { datasources: row.datasources.join(',') } : {}),
      on_behalf_of: row.on_behalf_of,
      expires_at: row.expires_at,
    },
  });
}
