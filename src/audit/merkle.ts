import { createHash } from 'node:crypto';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

/** The hash of a leaf: SHA-256 over 0x00 and the 32 bytes of a record's hash (RFC 6962, 2.1). */
export function leafHash(recordHash: string): Buffer {
  return createHash('sha256').update(LEAF).update(Buffer.from(recordHash, 'hex')).digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

/**
 * A Merkle tree (RFC 6962) that grows at its end and of which only the roots of its full subtrees are kept, the largest
 * first: as many as the count has ones in binary, however large the log is.
 */
export class MerkleTree {
  #peaks: Buffer[];
  #count: number;

  /** Goes on from a tree of `count` leaves; throws a `RangeError` for peaks that no tree of that size has. */
  constructor(count = 0, peaks: readonly Buffer[] = []) {
    if (peaks.length !== peaksOf(count))
      throw new RangeError('These are not the peaks of a tree of this size.');
    this.#count = count;
    this.#peaks = [...peaks];
  }

  get count(): number {
    return this.#count;
  }

  get peaks(): readonly Buffer[] {
    return this.#peaks;
  }

  /** Appends one record by its hash (hex). */
  append(recordHash: string): void {
    let hash = leafHash(recordHash);
    // Each one at the end of the count is a full subtree of the same size as the one that has just been made.
    for (let full = this.#count; full % 2 === 1; full = (full - 1) / 2) {
      const left = this.#peaks.pop();
      if (left === undefined) throw new RangeError('A Merkle tree has lost a peak.');
      hash = nodeHash(left, hash);
    }
    this.#peaks.push(hash);
    this.#count += 1;
  }

  /** The root (hex); of no leaves the hash of nothing. */
  root(): string {
    return rootOf(this.#peaks);
  }
}

/** The root (hex) over the peaks of a tree. */
export function rootOf(peaks: readonly Uint8Array[]): string {
  const last = peaks.at(-1);
  if (last === undefined) return createHash('sha256').digest('hex');
  const root = peaks.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
  return Buffer.from(root).toString('hex');
}

/** How many peaks a tree has: the ones in the binary form of its size, which may be larger than 32 bits. */
function peaksOf(count: number): number {
  let ones = 0;
  for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}
