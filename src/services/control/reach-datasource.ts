import type { BundleDatasource } from '../../bundle/model.js';
import type { ScannedDatasourceBody, TestedDatasourceBody } from '../../client/wire.js';
import type { Connector } from '../../engines/contract.js';
import { VkitError } from '../../errors/index.js';
import { turnQueue } from '../../util/turn-queue.js';
import { localError } from '../local-error.js';
import { auditEvent } from './audit-parts.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';
import { findBody } from './manage-datasources.js';

/** A catalog that takes longer is read in parts: `include` says which. */
const SCAN_TIMEOUT_MS = 120_000;
/** Databases that are reached for administrators at the same time, and calls waiting: none longer than two scans take. */
const AT_ONCE = 8;
const WAITING_MAX = 16;

const turns = turnQueue({
  atOnce: AT_ONCE,
  waitingMax: WAITING_MAX,
  whenFull: () =>
    new VkitError('rate_limited', 'Too many datasources are tested or scanned at once.', {
      hint: 'Try again soon.',
    }),
});

/** Connects to a datasource as the server has it, and measures one round trip. */
export async function testServerDatasource(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  call: CallMeta,
): Promise<TestedDatasourceBody> {
  return reach(ctx, identity, { id, call, event: 'datasource.test' }, async (connector, body) => {
    const { server, latencyMs } = await connector.test();
    const { engine } = body;
    return {
      id,
      engine,
      server,
      latency_ms: Math.round(latencyMs * 1_000) / 1_000,
      correlation_id: call.correlationId,
    };
  });
}

/** Reads the catalog of a datasource, never a row; without a scope, the datasource's own. */
export async function scanServerDatasource(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  scope: { include?: readonly string[] | undefined; exclude?: readonly string[] | undefined },
  call: CallMeta,
): Promise<ScannedDatasourceBody> {
  return reach(ctx, identity, { id, call, event: 'datasource.scan' }, async (connector, body) => {
    const own = scope.include === undefined && scope.exclude === undefined;
    const { include, exclude } = own ? body : scope;
    const scanned = await connector.introspect({
      timeoutMs: SCAN_TIMEOUT_MS,
      ...(include ? { include } : {}),
      ...(exclude ? { exclude } : {}),
    });
    return { datasource: body, scanned, correlation_id: call.correlationId };
  });
}

type Body = ScannedDatasourceBody['datasource'];

/**
 * One use of a datasource by an administrator, with the record that it will be before it is, and how it ended after. Its
 * errors say why, since whoever administers it knows its address.
 */
async function reach<T>(
  ctx: ControlContext,
  identity: Identity,
  { id, call, event }: { id: string; call: CallMeta; event: string },
  use: (connector: Connector, body: Body) => Promise<T>,
): Promise<T> {
  requireAdministrator(identity, 'datasource_admin');
  const body = await findBody(ctx, id);
  const datasource = await described(ctx, body);
  const record = async (name: string, facts: Record<string, string>, of?: string) => {
    const parts = auditEvent(ctx, name, call, identity);
    return ctx.store.audit.append({
      ...parts,
      ...(of === undefined ? {} : { of }),
      request: { datasource_id: id },
      metadata: { ...parts.metadata, ...facts },
    });
  };
  await turns.take();
  try {
    const { audit_id } = await record(`${event}_started`, {});
    let outcome = 'done';
    try {
      const connector = await ctx.connectors.open(datasource).catch((error: unknown) => {
        throw sealedReason(error);
      });
      try {
        return await use(connector, body).catch((error: unknown) => {
          throw explained(ctx, datasource, error);
        });
      } finally {
        await connector.close();
      }
    } catch (error) {
      outcome = error instanceof VkitError ? error.code : 'internal';
      throw error;
    } finally {
      await record(`${event}_ended`, { outcome }, audit_id);
    }
  } finally {
    turns.give();
  }
}

const SAID: readonly string[] = ['vault_failed', 'secret_unavailable'];

/** That a secret does not open is for whoever can give it anew; why else there is no login stays in the operator's log. */
function sealedReason(error: unknown): unknown {
  const { cause } = error instanceof VkitError ? error : {};
  return cause instanceof VkitError && SAID.includes(cause.code) ? cause : error;
}

function explained(
  { engines }: ControlContext,
  { name, type, config, credentials }: BundleDatasource,
  error: unknown,
): unknown {
  const engine = engines[type];
  if (!engine) return error;
  const server = { inVault: credentials === 'vaultkit' };
  return localError(error, { id: name, config }, engine, server);
}

/** As a bundle describes it. One of the server's own that has no secret is opened as the active bundle has it, if it does. */
async function described(ctx: ControlContext, body: Body): Promise<BundleDatasource> {
  const bundled = (await ctx.activeBundle(ctx.store))?.bundle.registry.datasources.find(
    ({ name }) => name === body.id,
  );
  const isReady = body.origin === 'server' && (body.has_secret || body.credentials === null);
  if (bundled && !isReady) return bundled;
  const { id, engine, environment, region, config } = body;
  return { name: id, type: engine, environment, region, config, credentials: 'vaultkit' };
}
