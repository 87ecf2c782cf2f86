import type {
  DatasourceAnswer,
  DatasourceBody,
  DatasourceChange,
  NewDatasource,
} from '../../client/wire.js';
import type { Engine } from '../../engines/contract.js';
import { VkitError } from '../../errors/index.js';
import type { DatasourceRow, SecretRow, StoreRepositories } from '../../store/model.js';
import { DATASOURCE_SECRET, endpointText, sealPassword } from '../datasource-vault.js';
import { auditEvent } from './audit-parts.js';
import { checkDatasource } from './check-datasource.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { bundledBody, datasourceBody } from './datasource-body.js';
import { type Identity, requireAdministrator } from './identity.js';

/** Datasources a server keeps by itself at most, and a list shows. */
const DATASOURCES_MAX = 1_000;

/** Those of the server's own and those of the active bundle, by id. */
export async function listServerDatasources(
  ctx: ControlContext,
  identity: Identity,
): Promise<DatasourceBody[]> {
  requireAdministrator(identity, 'datasource_admin');
  const rows = await ctx.store.datasources.list(DATASOURCES_MAX);
  const secrets = new Set(await ctx.store.secrets.ids(DATASOURCE_SECRET));
  const bundled = await bundledDatasources(ctx);
  const own = rows.map((row) =>
    datasourceBody(
      ctx,
      row,
      secrets.has(row.id),
      bundled.find(({ name }) => name === row.id),
    ),
  );
  const known = new Set(rows.map(({ id }) => id));
  const others = bundled.filter(({ name }) => !known.has(name)).map(bundledBody);
  return [...own, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** One of them; throws `not_found`. */
export async function showServerDatasource(
  ctx: ControlContext,
  identity: Identity,
  id: string,
): Promise<DatasourceBody> {
  requireAdministrator(identity, 'datasource_admin');
  return findBody(ctx, id);
}

/** The same for whoever was let in already. */
export async function findBody(ctx: ControlContext, id: string): Promise<DatasourceBody> {
  const row = await ctx.store.datasources.byId(id);
  if (row) return bodyOf(ctx, row);
  const found = (await bundledDatasources(ctx)).find(({ name }) => name === id);
  if (found) return bundledBody(found);
  throw notFound(id);
}

/** Throws `conflict` for an id that is taken, `validation` with every problem of what was given. */
export async function createServerDatasource(
  ctx: ControlContext,
  identity: Identity,
  input: NewDatasource,
  call: CallMeta,
): Promise<DatasourceAnswer> {
  requireAdministrator(identity, 'datasource_admin');
  const at = timestamp(ctx.now());
  const { password, ...given } = input;
  const row: DatasourceRow = {
    environment: 'production',
    region: null,
    config: {},
    include: null,
    exclude: null,
    username: null,
    ...given,
    created_at: at,
    updated_at: at,
  };
  const engine = checkDatasource(ctx, row, password);
  const sealed = await sealedOf(ctx, row, engine, password);
  const secret = sealed ? 'sealed' : 'none';
  await ctx.store.transaction(async (tx) => {
    if ((await tx.datasources.list(DATASOURCES_MAX)).length >= DATASOURCES_MAX) {
      throw new VkitError('conflict', `A server keeps at most ${DATASOURCES_MAX} datasources.`);
    }
    if (await tx.datasources.byId(row.id)) {
      throw new VkitError('conflict', `There is a datasource ${row.id} already.`, {
        hint: `Change it: vkit datasource update ${row.id} — or have it forgotten: vkit datasource remove ${row.id}`,
      });
    }
    await tx.datasources.insert(row);
    if (sealed) await tx.secrets.put(sealed);
    await record(ctx, tx, { event: 'datasource.created', identity, call, row, secret });
  });
  // What was tried before there were credentials is tried anew.
  ctx.connectors.forget(row.id);
  return { ...(await bodyOf(ctx, row)), secret, correlation_id: call.correlationId };
}

/**
 * Changes what is named. A secret is for one endpoint: another engine, host, port, user, TLS or option discards it, unless a
 * password comes with it. Throws `not_found`, `validation`, and `conflict` where somebody else changed it meanwhile.
 */
export async function updateServerDatasource(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  change: DatasourceChange,
  call: CallMeta,
): Promise<DatasourceAnswer> {
  requireAdministrator(identity, 'datasource_admin');
  const before = await ctx.store.datasources.byId(id);
  if (!before) throw notFound(id);
  const { password, ...given } = change;
  const row: DatasourceRow = { ...before, ...given, updated_at: timestamp(ctx.now()) };
  const engine = checkDatasource(ctx, row, password);
  const known = ctx.engines[before.engine];
  const isSame = known !== undefined && endpointText(row, engine) === endpointText(before, known);
  const sealed = await sealedOf(ctx, row, engine, password);
  const secret = await ctx.store.transaction(async (tx) => {
    // Deriving a key takes longer than a transaction may wait: what was read before it must still hold.
    const now = await tx.datasources.byId(id);
    if (JSON.stringify(now) !== JSON.stringify(before)) throw movedMeanwhile(id);
    const { id: _id, created_at: _created, ...values } = row;
    await tx.datasources.update(id, values);
    const outcome = await applySecret(tx, id, sealed, isSame);
    await record(ctx, tx, {
      event: 'datasource.updated',
      identity,
      call,
      row,
      secret: outcome,
      changed: changedKeys(before, row),
    });
    return outcome;
  });
  if (!isSame || sealed) letGo(ctx, id);
  return { ...(await bodyOf(ctx, row)), secret, correlation_id: call.correlationId };
}

/** Forgets a datasource of the server's own, and its secret; throws `not_found`. One of the active bundle stays there. */
export async function removeServerDatasource(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  call: CallMeta,
): Promise<{ id: string; state: 'removed'; correlation_id: string }> {
  requireAdministrator(identity, 'datasource_admin');
  await ctx.store.transaction(async (tx) => {
    const row = await tx.datasources.byId(id);
    if (!row) throw notFound(id);
    const had = await tx.secrets.remove(DATASOURCE_SECRET, id);
    await tx.datasources.remove(id);
    const secret = had ? 'discarded' : 'none';
    await record(ctx, tx, { event: 'datasource.removed', identity, call, row, secret });
  });
  letGo(ctx, id);
  return { id, state: 'removed', correlation_id: call.correlationId };
}

async function bundledDatasources(ctx: ControlContext) {
  return (await ctx.activeBundle(ctx.store))?.bundle.registry.datasources ?? [];
}

async function bodyOf(ctx: ControlContext, row: DatasourceRow): Promise<DatasourceBody> {
  const secret = await ctx.store.secrets.get(DATASOURCE_SECRET, row.id);
  const found = (await bundledDatasources(ctx)).find(({ name }) => name === row.id);
  return datasourceBody(ctx, row, secret !== null, found);
}

async function sealedOf(
  ctx: ControlContext,
  row: DatasourceRow,
  engine: Engine,
  password: string | undefined,
): Promise<SecretRow | null> {
  return password === undefined ? null : sealPassword(ctx, row, engine, password);
}

async function applySecret(
  tx: StoreRepositories,
  id: string,
  sealed: SecretRow | null,
  isSame: boolean,
): Promise<DatasourceAnswer['secret']> {
  if (sealed) {
    await tx.secrets.put(sealed);
    return 'sealed';
  }
  if (isSame) return (await tx.secrets.get(DATASOURCE_SECRET, id)) ? 'kept' : 'none';
  return (await tx.secrets.remove(DATASOURCE_SECRET, id)) ? 'discarded' : 'none';
}

/** What is open was opened as it was before; queries that run over it end. */
function letGo(ctx: ControlContext, id: string): void {
  ctx.connectors.forget(id);
  // Queries do not say over which datasource they run; changes are few, so everything is asked to start anew.
  ctx.running.stopAll(
    new VkitError('grant_revoked', 'A datasource was changed while the query ran.'),
  );
}

const CHANGEABLE = [
  'engine',
  'environment',
  'region',
  'config',
  'include',
  'exclude',
  'username',
] as const;

function changedKeys(before: DatasourceRow, after: DatasourceRow): string {
  const changed = CHANGEABLE.filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  return changed.join(',');
}

interface RecordInput {
  event: string;
  identity: Identity;
  call: CallMeta;
  row: DatasourceRow;
  secret: DatasourceAnswer['secret'];
  changed?: string;
}

async function record(
  ctx: ControlContext,
  tx: StoreRepositories,
  { event, identity, call, row, secret, changed }: RecordInput,
): Promise<void> {
  const parts = auditEvent(ctx, event, call, identity);
  const { host } = row.config;
  await tx.audit.append({
    ...parts,
    request: { datasource_id: row.id },
    metadata: {
      ...parts.metadata,
      engine: row.engine,
      ...(typeof host === 'string' ? { host } : {}),
      username: row.username,
      secret,
      ...(changed === undefined ? {} : { changed }),
    },
  });
}

function notFound(id: string): VkitError {
  return new VkitError('not_found', `The server keeps no datasource ${id.slice(0, 64)}.`, {
    hint: 'See: vkit datasource list',
  });
}

function movedMeanwhile(id: string): VkitError {
  return new VkitError('conflict', `The datasource ${id} was changed meanwhile.`, {
    hint: 'Look at it, and change it again.',
  });
}
