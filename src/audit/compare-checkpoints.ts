import type { Checkpoint } from './checkpoint.js';
import { treeOf } from './checkpoint.js';
import { MerkleTree } from './merkle.js';
import type { AuditRecord } from './model.js';

/** What is kept of a checkpoint to compare a log with. */
export type CheckpointFacts = Pick<Checkpoint, 'seq' | 'hash' | 'timestamp'> & {
  /** Null for a record that was kept elsewhere and stands for a checkpoint. */
  root: string | null;
  /** Where the tree can be continued from it; absent where only the record's hash is known. */
  peaks?: readonly string[];
};

/** Says that the log's first records were taken out on purpose, up to a checkpoint. */
export const RECORDS_REMOVED = 'audit.records_removed';

export interface CheckpointsSeen {
  /** Checkpoints that the log was compared with and agrees with. */
  matched: number;
  /** The last of them. */
  last: Pick<CheckpointFacts, 'seq' | 'root' | 'timestamp'> | null;
}

export interface CheckpointProblem {
  seq: number;
  kind: 'rewritten' | 'truncated' | 'removed';
  message: string;
}

/** Compares a log, as it is read in order, with checkpoints that were kept elsewhere. */
export class CheckpointComparison {
  readonly #checkpoints: readonly CheckpointFacts[];
  readonly seen: CheckpointsSeen = { matched: 0, last: null };
  #next = 0;
  /** Null where the log does not begin where a tree is known. */
  #tree: MerkleTree | null = null;
  #anchor: CheckpointFacts | null = null;
  /** Up to where the log itself says that records were taken out. */
  #removedTo = 0;

  constructor(checkpoints: readonly CheckpointFacts[]) {
    this.#checkpoints = [...checkpoints].sort((a, b) => a.seq - b.seq);
  }

  /** The checkpoint that a log which begins after its first record goes on from, where there is one. */
  anchorFor(record: Pick<AuditRecord, 'seq' | 'prev_hash'>): CheckpointFacts | null {
    return (
      this.#checkpoints.find(
        ({ seq, hash }) => seq === record.seq - 1 && hash === record.prev_hash,
      ) ?? null
    );
  }

  /** To be called before the first record is seen; `isAnchored` where the log was cut at its beginning. */
  begin(before: { seq: number; hash: string }, isAnchored: boolean): void {
    while ((this.#checkpoints[this.#next]?.seq ?? Number.POSITIVE_INFINITY) <= before.seq) {
      this.#next += 1;
    }
    if (before.seq === 0) this.#tree = new MerkleTree();
    const anchor = this.anchorFor({ seq: before.seq + 1, prev_hash: before.hash });
    if (anchor?.peaks) this.#tree = treeOf({ seq: anchor.seq, peaks: anchor.peaks });
    if (isAnchored) this.#anchor = anchor;
  }

  get anchor(): CheckpointFacts | null {
    return this.#anchor;
  }

  /** The next record of the log, which its chain has been found to hold. */
  see(record: AuditRecord): CheckpointProblem | null {
    this.#tree?.append(record.hash);
    if (record.event === RECORDS_REMOVED) {
      const to = record.metadata?.up_to_seq;
      if (typeof to === 'number') this.#removedTo = Math.max(this.#removedTo, to);
    }
    for (;;) {
      const checkpoint = this.#checkpoints[this.#next];
      if (checkpoint === undefined || checkpoint.seq !== record.seq) return null;
      if (!this.#agrees(checkpoint, record)) return this.#rewritten(checkpoint);
      this.#next += 1;
      this.seen.matched += 1;
      const { seq, root, timestamp } = checkpoint;
      this.seen.last = { seq, root, timestamp };
    }
  }

  /** To be called after the last record of a log that is said to be whole at its end. */
  end(lastSeq: number): CheckpointProblem | null {
    const beyond = this.#checkpoints.at(-1);
    if (beyond !== undefined && beyond.seq > lastSeq) {
      const ends = lastSeq === 0 ? 'it holds no records' : `it ends with record ${lastSeq}`;
      const message = `The end of the log was cut off: ${ends}, and ${name(beyond)} covers records up to ${beyond.seq}.`;
      return { seq: lastSeq + 1, kind: 'truncated', message };
    }
    if (this.#anchor === null || this.#removedTo === this.#anchor.seq) return null;
    const message = `Records 1 to ${this.#anchor.seq} are missing, and no record of the log says that they were removed.`;
    return { seq: 1, kind: 'removed', message };
  }

  #agrees({ hash, root, peaks }: CheckpointFacts, record: AuditRecord): boolean {
    if (hash !== record.hash) return false;
    return this.#tree === null || peaks === undefined || this.#tree.root() === root;
  }

  #rewritten(checkpoint: CheckpointFacts): CheckpointProblem {
    const { seq } = checkpoint;
    const good =
      this.seen.last === null
        ? 'no earlier checkpoint says how much of it is as it was'
        : `up to record ${this.seen.last.seq} it is as it was`;
    const message = `The log was rewritten: record ${seq} is not the one of ${name(checkpoint)}; ${good}.`;
    return { seq, kind: 'rewritten', message };
  }
}

function name({ timestamp }: CheckpointFacts): string {
  return `the checkpoint of ${timestamp}`;
}
