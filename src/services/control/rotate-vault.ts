import type { RotatedVaultBody } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { SecretRow } from '../../store/model.js';
import { DATASOURCE_SECRET, endpointText } from '../datasource-vault.js';
import { auditEvent } from './audit-parts.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';

/** Of one call: each derives two keys, a quarter of a second each. */
const BATCH = 8;
const WORK = 'vault-rotation';

/** How a secret's endpoint is found again, by kind; null where what it is of is gone. */
type EndpointOf = (ctx: ControlContext, id: string) => Promise<string | null>;

/** Every kind of secret that the server keeps: without its endpoint none opens, so a kind that is not here is not re-sealed. */
const ENDPOINTS: Readonly<Record<string, EndpointOf>> = {
  async [DATASOURCE_SECRET](ctx, id) {
    const row = await ctx.store.datasources.byId(id);
    const engine = row && ctx.engines[row.engine];
    return row && engine ? endpointText(row, engine) : null;
  },
  /** The server's own keys go nowhere. */
  server_key: async () => '',
};

/**
 * Seals a batch of the secrets that are under another master secret anew, under the one that the server seals with now. What is
 * changed meanwhile stays as it was changed. Called with `next` until that is null; one that was interrupted goes on with any
 * later call. Throws `conflict` while another call is at it.
 */
export async function rotateVault(
  ctx: ControlContext,
  identity: Identity,
  after: { kind: string; id: string } | undefined,
  call: CallMeta,
): Promise<RotatedVaultBody> {
  requireAdministrator(identity);
  let body: RotatedVaultBody | undefined;
  const isRun = await ctx.store.exclusively(WORK, async () => {
    body = await rotateBatch(ctx, identity, after, call);
  });
  if (isRun && body) return body;
  throw new VkitError('conflict', 'The vault is being rotated by somebody else.', {
    hint: 'Wait until that is done; what it leaves undone, the next rotation does.',
  });
}

async function rotateBatch(
  ctx: ControlContext,
  identity: Identity,
  after: { kind: string; id: string } | undefined,
  call: CallMeta,
): Promise<RotatedVaultBody> {
  const keyId = await ctx.vault.sealsUnder();
  const rows = await ctx.store.secrets.notUnder(keyId, BATCH, after);
  const failed: { kind: string; id: string; reason: string }[] = [];
  const sealed: { before: SecretRow; row: SecretRow }[] = [];
  const resealing = rows.map(async (before) => {
    const { kind, id } = before;
    try {
      sealed.push({ before, row: await resealed(ctx, before) });
    } catch (error) {
      if (!(error instanceof VkitError)) throw error;
      failed.push({ kind, id, reason: error.message });
    }
  });
  await Promise.all(resealing);
  let count = 0;
  if (rows.length > 0) {
    await ctx.store.transaction(async (tx) => {
      count = 0;
      for (const { before, row } of sealed) if (await tx.secrets.replace(before, row)) count += 1;
      const event = auditEvent(ctx, 'vault.rotated', call, identity);
      await tx.audit.append({
        ...event,
        metadata: { ...event.metadata, key_id: keyId, resealed: count, failed: failed.length },
      });
    });
  }
  const last = rows.at(-1);
  const others = (await ctx.store.secrets.countByKey()).filter((one) => one.key_id !== keyId);
  return {
    key_id: keyId,
    resealed: count,
    failed,
    remaining: others.reduce((sum, { secrets }) => sum + secrets, 0),
    next: last && rows.length === BATCH ? { kind: last.kind, id: last.id } : null,
    correlation_id: call.correlationId,
  };
}

async function resealed(ctx: ControlContext, before: SecretRow): Promise<SecretRow> {
  const { kind, id, ...sealed } = before;
  const endpointOf = Object.hasOwn(ENDPOINTS, kind) ? ENDPOINTS[kind] : undefined;
  const endpoint = await endpointOf?.(ctx, id);
  if (endpoint === undefined || endpoint === null) {
    throw new VkitError('vault_failed', `What the secret of ${kind} ${id} is for is not known.`);
  }
  const address = { org: ctx.org, kind, id, endpoint };
  const text = await ctx.vault.open(address, sealed);
  return { kind, id, ...(await ctx.vault.seal(address, text)) };
}
