import { canonicalise } from '../bundle/canonicalise.js';
import type { BundleDatasource } from '../bundle/model.js';
import type { Credentials, Engine } from '../engines/contract.js';
import { isLoopback } from '../engines/server-options.js';
import { VkitError } from '../errors/index.js';
import type { DatasourceRow, SecretRow, StoreRepositories } from '../store/model.js';
import type { SecretAddress } from '../vault/sealed-secret.js';
import type { Vault } from '../vault/vault.js';

/** The kind of secrets that are of datasources. */
export const DATASOURCE_SECRET = 'datasource';

export interface DatasourceVaultContext {
  org: string;
  store: Pick<StoreRepositories, 'datasources' | 'secrets'>;
  vault: Vault;
  clearPasswordHosts: readonly string[];
}

/** Where a password goes, and as whom: engine, address, TLS and options, in a canonical form. */
export type Endpoint = Pick<DatasourceRow, 'engine' | 'config' | 'username'>;

/**
 * The text of an endpoint, the same for two that mean the same: what a configuration leaves out has the engine's default.
 */
export function endpointText({ engine, config, username }: Endpoint, known: Engine): string {
  return canonicalise({ engine, config: { ...defaultsOf(known), ...config }, username });
}

function defaultsOf({ configSchema }: Engine): Record<string, unknown> {
  const properties = (configSchema.properties ?? {}) as Record<string, { default?: unknown }>;
  const entries = Object.entries(properties).map(([key, value]) => [key, value.default] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/**
 * A password as it is kept: for this organisation, this datasource and this endpoint alone. Throws `vault_failed` where the
 * server has no master secret; why not is for whoever runs it.
 */
export async function sealPassword(
  ctx: Pick<DatasourceVaultContext, 'org' | 'vault'>,
  row: Endpoint & Pick<DatasourceRow, 'id'>,
  engine: Engine,
  password: string,
): Promise<SecretRow> {
  const address = addressOf(ctx.org, row.id, endpointText(row, engine));
  const sealed = await ctx.vault.seal(address, password).catch((cause: unknown) => {
    const isMaster = cause instanceof VkitError && /^key_/.test(cause.code);
    if (!isMaster) throw cause;
    throw new VkitError('vault_failed', 'The server has no master secret to seal with.', {
      hint: 'Whoever runs the server finds in its log what is wrong with it.',
      cause,
    });
  });
  return { kind: DATASOURCE_SECRET, id: row.id, ...sealed };
}

/**
 * The credentials that the vault has for a datasource, at exactly the endpoint that is asked for. Throws
 * `datasource_unreachable` where there are none, or they are for another endpoint; `vault_failed` and `key_invalid` where they
 * cannot be opened. None of it tells an address.
 */
export async function vaultCredentials(
  ctx: DatasourceVaultContext,
  datasource: Pick<BundleDatasource, 'name' | 'type' | 'config'>,
  engine: Engine,
): Promise<Credentials> {
  if (!engine.needsCredentials) return {};
  const { name: id, type, config } = datasource;
  const anew = `An administrator gives them anew: vkit datasource update ${id}`;
  const row = await ctx.store.datasources.byId(id);
  const sealed = row && (await ctx.store.secrets.get(DATASOURCE_SECRET, id));
  if (!row || !sealed) {
    throw new VkitError(
      'datasource_unreachable',
      `The server keeps no credentials of datasource ${id}.`,
      { hint: anew },
    );
  }
  const endpoint = endpointText({ engine: type, config, username: row.username }, engine);
  if (endpoint !== endpointText(row, engine)) {
    throw new VkitError(
      'datasource_unreachable',
      `The credentials of datasource ${id} were given for another address, TLS or options than it is asked at.`,
      { hint: anew },
    );
  }
  // Not the comparison above decides: what was sealed for another endpoint does not open for this one.
  const password = await ctx.vault.open(addressOf(ctx.org, id, endpoint), sealed);
  const host = password === '' ? null : unsafeHost(config, engine, ctx.clearPasswordHosts);
  if (host !== null) {
    throw new VkitError(
      'datasource_unreachable',
      `The password of datasource ${id} is sent only with TLS that is verified.`,
      { hint: UNSAFE_HINT },
    );
  }
  return { ...(row.username === null ? {} : { username: row.username }), password };
}

export const UNSAFE_HINT =
  'Set ssl_mode to verify-full, or let whoever runs the server name the host under clear_password_hosts in vkit.server.yaml.';

/** The host to which a password could go unprotected though nobody allowed it; null where there is none. */
export function unsafeHost(
  config: Readonly<Record<string, unknown>>,
  engine: Engine,
  allowed: readonly string[],
): string | null {
  const host = engine.unverifiedHost?.(config) ?? null;
  if (host === null || isLoopback(host)) return null;
  return allowed.some((name) => name.toLowerCase() === host.toLowerCase()) ? null : host;
}

function addressOf(org: string, id: string, endpoint: string): SecretAddress {
  return { org, kind: DATASOURCE_SECRET, id, endpoint };
}
