import { type KeyObject, verify } from 'node:crypto';
import type { AuditKeys } from './inspect-record.js';
import { MerkleTree } from './merkle.js';
import { canonicalText } from './record-hash.js';
import type { AuditSigner } from './seal-record.js';

/** The `typ` of the signatures of checkpoints; no other signature is accepted for one. */
export const CHECKPOINT_TYP = 'vkit-audit-checkpoint';

/** What a checkpoint says of a log: everything up to one record, in one number. */
export interface Checkpoint {
  org: string;
  /** The last record that it covers. */
  seq: number;
  /** That record's hash. */
  hash: string;
  /** Root (hex) of the Merkle tree (RFC 6962) whose leaves are the hashes of records 1 to `seq`. */
  root: string;
  /** The roots (hex) of the tree's full subtrees, the largest first: the tree can be continued from them. */
  peaks: readonly string[];
  /** RFC 3339 in UTC with milliseconds. */
  timestamp: string;
}

/** Longer than any checkpoint: 53 peaks, and a name. */
export const CHECKPOINT_CHARACTERS_MAX = 16_384;

/** A checkpoint as a compact JWS (RFC 7515) over its canonical form (RFC 8785). */
export function signCheckpoint(checkpoint: Checkpoint, signer: AuditSigner): string {
  const input = `${header(signer.kid)}.${base64url(canonicalText({ ...checkpoint }))}`;
  const signature = Buffer.from(signer.sign(Buffer.from(input, 'ascii')));
  return `${input}.${signature.toString('base64url')}`;
}

export type InspectedCheckpoint =
  | { genuine: true; checkpoint: Checkpoint }
  /** What is wrong, as the end of a sentence that begins with the checkpoint. */
  | { genuine: false; message: string };

const FORM = /^([\w-]{1,1024})\.([\w-]{1,16384})\.([\w-]{86})$/;

/** Checks form, key and signature of a checkpoint that can come from anywhere. */
export function inspectCheckpoint(jws: unknown, keys: AuditKeys): InspectedCheckpoint {
  const parts =
    typeof jws === 'string' && jws.length <= CHECKPOINT_CHARACTERS_MAX ? FORM.exec(jws) : null;
  if (!parts) return { genuine: false, message: 'is not a signed checkpoint of an audit log' };
  const [, head = '', body = '', tail = ''] = parts;
  const kid = kidOf(head);
  // One that was signed for something else has another `typ`, and so another header.
  if (kid === null || head !== header(kid)) {
    return { genuine: false, message: 'is not signed as a checkpoint of an audit log' };
  }
  const key = keys.get(kid);
  if (key === undefined || key.asymmetricKeyType !== 'ed25519') {
    return {
      genuine: false,
      message: `is signed with a key that is not among the trusted ones (${kid})`,
    };
  }
  if (!isSigned(`${head}.${body}`, tail, key)) {
    return { genuine: false, message: 'has a signature that does not verify' };
  }
  const text = Buffer.from(body, 'base64url').toString('utf8');
  const value = parse(text);
  if (isCheckpoint(value) && canonicalText({ ...value }) === text && hasItsRoot(value)) {
    return { genuine: true, checkpoint: value };
  }
  return { genuine: false, message: 'does not hold what a checkpoint holds' };
}

/** What a checkpoint says, whoever signed it; null where it says nothing. For one that this server keeps itself. */
export function decodeCheckpoint(jws: string): Checkpoint | null {
  const value = parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return isCheckpoint(value) ? value : null;
}

function isSigned(input: string, signature: string, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, 'base64url');
  // The decoder ignores spare bits; comparing the text keeps one signature from having several spellings.
  if (bytes.toString('base64url') !== signature) return false;
  return verify(null, Buffer.from(input, 'ascii'), key, bytes);
}

/** The tree that a checkpoint was made of, to go on from. */
export function treeOf({ seq, peaks }: Pick<Checkpoint, 'seq' | 'peaks'>): MerkleTree {
  return new MerkleTree(
    seq,
    peaks.map((peak) => Buffer.from(peak, 'hex')),
  );
}

function hasItsRoot(checkpoint: Checkpoint): boolean {
  try {
    return treeOf(checkpoint).root() === checkpoint.root;
  } catch {
    // Peaks that no tree of this size has.
    return false;
  }
}

const HASH = /^[0-9a-f]{64}$/;

function isCheckpoint(value: unknown): value is Checkpoint {
  if (typeof value !== 'object' || value === null) return false;
  const { org, seq, hash, root, peaks, timestamp } = value as Record<keyof Checkpoint, unknown>;
  return (
    typeof org === 'string' &&
    typeof timestamp === 'string' &&
    Number.isFinite(Date.parse(timestamp)) &&
    Number.isSafeInteger(seq) &&
    (seq as number) >= 1 &&
    [hash, root].every(isHash) &&
    Array.isArray(peaks) &&
    peaks.length <= 53 &&
    peaks.every(isHash)
  );
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && HASH.test(value);
}

function header(kid: string): string {
  return base64url(canonicalText({ alg: 'EdDSA', kid, typ: CHECKPOINT_TYP }));
}

function kidOf(encoded: string): string | null {
  const value = parse(Buffer.from(encoded, 'base64url').toString('utf8'));
  const kid = (value as { kid?: unknown } | null)?.kid;
  return typeof kid === 'string' && /^[\w-]{1,128}$/.test(kid) ? kid : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: it says nothing.
    return null;
  }
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}
