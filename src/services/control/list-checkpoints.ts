import { decodeCheckpoint } from '../../audit/checkpoint.js';
import type { CheckpointItem, CheckpointPage } from '../../client/wire.js';
import type { AuditCheckpointRow } from '../../store/model.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';

export interface CheckpointQuery {
  /** A number that the former page gave. */
  cursor?: number;
  order: 'asc' | 'desc';
  limit: number;
}

/** A page of the checkpoints of the audit log, each as it was signed. */
export async function listCheckpoints(
  ctx: ControlContext,
  identity: Identity,
  { cursor, order, limit }: CheckpointQuery,
  call: CallMeta,
): Promise<CheckpointPage> {
  requireAdministrator(identity, 'auditor');
  const rows = await ctx.store.auditCheckpoints.list({
    order,
    limit: limit + 1,
    ...(cursor === undefined ? {} : order === 'asc' ? { afterSeq: cursor } : { beforeSeq: cursor }),
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    checkpoints: page.map(checkpointItem),
    next_cursor: rows.length > limit && last ? String(last.seq) : null,
    correlation_id: call.correlationId,
  };
}

/** A checkpoint with what it says beside its signed form, which alone is what counts. */
export function checkpointItem({ seq, timestamp, jws }: AuditCheckpointRow): CheckpointItem {
  const said = decodeCheckpoint(jws);
  return {
    id: `checkpoint_${seq}`,
    seq,
    hash: said?.hash ?? null,
    root: said?.root ?? null,
    timestamp,
    jws,
  };
}
