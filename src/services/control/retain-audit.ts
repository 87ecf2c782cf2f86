import { decodeCheckpoint } from '../../audit/checkpoint.js';
import { RECORDS_REMOVED } from '../../audit/compare-checkpoints.js';
import type { AuditCheckpointRow, Store, StoreRepositories } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { timestamp } from './context.js';

const DAY_MS = 86_400_000;
/** Checkpoints that one run looks through; the next goes on. */
const STEPS_MAX = 100;

export interface RetentionOptions {
  store: Pick<Store, 'audit' | 'auditCheckpoints' | 'auditSinks' | 'transaction'>;
  /** Milliseconds since the epoch. */
  now: () => number;
  retentionDays: number;
  /** The sinks that must have what is removed here: those that keep what they are sent. At least one. */
  keptBy: readonly string[];
}

/**
 * Removes records that are older than the log is to be kept, each time up to a checkpoint that every sink has. The checkpoint stays and
 * a record says what was removed, in the same transaction: the rest verifies from there, and a beginning that somebody else
 * cut off does not.
 */
export async function removeOldRecords(
  options: RetentionOptions,
  signal: AbortSignal,
): Promise<void> {
  if (options.keptBy.length === 0) return;
  for (let step = 0; step < STEPS_MAX && !signal.aborted; step += 1) {
    const isRemoved = await options.store.transaction((tx) => removeOnce(options, tx));
    if (!isRemoved) return;
  }
}

async function removeOnce(
  { now, retentionDays, keptBy }: RetentionOptions,
  tx: StoreRepositories,
): Promise<boolean> {
  const first = await tx.audit.first();
  const head = await tx.audit.head();
  if (first === null || head === null) return false;
  const checkpoint = await nextCheckpoint(tx, first.seq);
  if (checkpoint === null || checkpoint.seq >= head.seq) return false;
  const last = await tx.audit.at(checkpoint.seq);
  const said = decodeCheckpoint(checkpoint.jws);
  // What the checkpoint does not vouch for is evidence, and stays.
  if (last === null || said === null || said.hash !== last.hash) return false;
  // The checkpoint's own time as well: a clock that was set back and forth must not make young records old.
  const oldest = now() - retentionDays * DAY_MS;
  if (Date.parse(last.timestamp) > oldest || Date.parse(checkpoint.timestamp) > oldest)
    return false;
  const sinks = (await tx.auditSinks.list()).filter(({ name }) => keptBy.includes(name));
  const haveIt = sinks.filter(
    ({ seq, checkpoint_seq }) => seq >= checkpoint.seq && checkpoint_seq >= checkpoint.seq,
  );
  if (haveIt.length < keptBy.length) return false;
  const removed = await tx.audit.removeUpTo(checkpoint.seq);
  await tx.audit.append({
    event: RECORDS_REMOVED,
    timestamp: timestamp(now()),
    correlation_id: randomId('cor'),
    requester: { user_id: 'vkit', kind: 'system' },
    metadata: {
      up_to_seq: checkpoint.seq,
      records: removed,
      root: said.root,
      retention_days: retentionDays,
    },
  });
  return true;
}

async function nextCheckpoint(
  tx: StoreRepositories,
  firstSeq: number,
): Promise<AuditCheckpointRow | null> {
  const [next] = await tx.auditCheckpoints.list({ order: 'asc', afterSeq: firstSeq - 1, limit: 1 });
  return next ?? null;
}
