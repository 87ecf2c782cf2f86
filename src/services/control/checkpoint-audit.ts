import { inspectCheckpoint, signCheckpoint, treeOf } from '../../audit/checkpoint.js';
import type { AuditKeys } from '../../audit/inspect-record.js';
import { MerkleTree } from '../../audit/merkle.js';
import type { AuditSigner } from '../../audit/seal-record.js';
import { VkitError } from '../../errors/index.js';
import type { Store } from '../../store/model.js';

/** Records that one checkpoint takes in at most: what retention removes at once, and what a run that is stopped has to lose. */
export const CHECKPOINT_RECORDS_MAX = 10_000;
/** Hashes that are read at once. */
const PAGE = 1_000;

export interface CheckpointerOptions {
  store: Pick<Store, 'audit' | 'auditCheckpoints' | 'transaction'>;
  org: string;
  signer: AuditSigner;
  /** What the checkpoints that are there were signed with. */
  keys: AuditKeys;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** A checkpoint is made once so many records have none. */
  everyRecords: number;
  /** Or once there is one without, and the last checkpoint is so old. */
  everySeconds: number;
}

export interface Checkpointer {
  /** Makes the checkpoints that are due. */
  run(signal: AbortSignal): Promise<void>;
  /** Makes one up to the last record, due or not. */
  finish(): Promise<void>;
}

/**
 * Signs the Merkle root over all records so far, again and again. The tree is continued from the last checkpoint, so that each
 * record is hashed once and the memory does not grow with the log. What is signed is on disk.
 */
export function createCheckpointer(options: CheckpointerOptions): Checkpointer {
  const { store, now, everyRecords, everySeconds } = options;
  const run = async (signal: AbortSignal, isForced: boolean): Promise<void> => {
    const last = await store.auditCheckpoints.last();
    const head = await store.audit.head();
    const waiting = (head?.seq ?? 0) - (last?.seq ?? 0);
    if (waiting < 0) throw notAsSigned();
    if (head === null || waiting === 0) return;
    // A clock that was set back must not keep checkpoints away until it has caught up.
    const age = last ? Math.abs(now() - Date.parse(last.timestamp)) : Number.POSITIVE_INFINITY;
    if (!isForced && waiting < everyRecords && age < everySeconds * 1000) return;
    let tree = last ? await continuedFrom(last.jws, options) : new MerkleTree();
    while (tree.count < head.seq && !signal.aborted) {
      const next = await grow(options, tree, head.seq);
      if (next === null) return;
      tree = next;
    }
  };
  return {
    run: (signal) => run(signal, false),
    finish: () => run(new AbortController().signal, true),
  };
}

async function continuedFrom(
  jws: string,
  { store, keys }: CheckpointerOptions,
): Promise<MerkleTree> {
  const inspected = inspectCheckpoint(jws, keys);
  if (inspected.genuine) {
    const { seq, hash } = inspected.checkpoint;
    const record = await store.audit.at(seq);
    // Where retention has removed it, the records after it are held to it by their chain.
    if (record === null || record.hash === hash) return treeOf(inspected.checkpoint);
    throw notAsSigned();
  }
  throw new VkitError(
    'audit_unavailable',
    `The last checkpoint of the audit log ${inspected.message}; no further one is made.`,
    {
      hint: 'Verify the log against checkpoints that were kept elsewhere: docs/how-to/verify-the-audit-log.md',
    },
  );
}

/** One checkpoint more, up to `lastSeq` at most; null where another process has made it. */
async function grow(
  { store, org, signer, now }: CheckpointerOptions,
  from: MerkleTree,
  lastSeq: number,
): Promise<MerkleTree | null> {
  const tree = new MerkleTree(from.count, from.peaks);
  const upTo = Math.min(lastSeq, from.count + CHECKPOINT_RECORDS_MAX);
  let hash = '';
  while (tree.count < upTo) {
    const page = await store.audit.hashes(tree.count, Math.min(PAGE, upTo - tree.count));
    for (const record of page) {
      if (record.seq !== tree.count + 1) throw gap(tree.count + 1);
      tree.append(record.hash);
      hash = record.hash;
    }
    if (page.length === 0) throw gap(tree.count + 1);
  }
  const timestamp = new Date(now()).toISOString();
  const peaks = tree.peaks.map((peak) => peak.toString('hex'));
  const checkpoint = { org, seq: upTo, hash, root: tree.root(), peaks, timestamp };
  const row = { seq: upTo, timestamp, jws: signCheckpoint(checkpoint, signer) };
  const isKept = await store.transaction(async (tx) => {
    // The chain holds each record before it: if this one is as it was read, all are. Committed with the checkpoint, they are
    // on disk once it is.
    if ((await tx.audit.at(upTo))?.hash !== hash) return false;
    if ((await tx.auditCheckpoints.last())?.seq !== (from.count === 0 ? undefined : from.count)) {
      return false;
    }
    await tx.auditCheckpoints.insert(row);
    return true;
  });
  return isKept ? tree : null;
}

/** Nothing is signed on top of a log that is not the one that was signed before. */
function notAsSigned(): VkitError {
  return new VkitError(
    'audit_unavailable',
    'The audit log is not the one that its last checkpoint was signed over; no further one is made.',
    { hint: 'Its end was cut off, or it was rewritten: vkit audit verify' },
  );
}

function gap(seq: number): VkitError {
  return new VkitError(
    'audit_unavailable',
    `The audit log has no record ${seq} where it must have one.`,
    {
      hint: 'Verify it: vkit audit verify',
    },
  );
}
