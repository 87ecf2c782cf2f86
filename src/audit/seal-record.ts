import { VkitError } from '../errors/index.js';
import type { AuditEvent, AuditRecord } from './model.js';
import { canonicalText, contentHash, GENESIS_HASH, signingParts } from './record-hash.js';

/** Signs with the server's Ed25519 audit key; `kid` is the key's RFC 7638 thumbprint. */
export interface AuditSigner {
  kid: string;
  /** The raw Ed25519 signature (RFC 8032, 64 bytes) of the data; synchronous, since a transaction waits for it. */
  sign(data: Uint8Array): Uint8Array;
}

export interface SealInput {
  /** The last record of the log, or null for the first one. */
  previous: { seq: number; hash: string } | null;
  /** `audit_…` */
  auditId: string;
  signer: AuditSigner;
}

/** Far above any honest record; a larger one is a bug, or somebody filling the log. */
export const RECORD_BYTES_MAX = 262_144;

/** A record in its final form. */
export interface SealedRecord extends Pick<AuditRecord, 'audit_id' | 'seq' | 'hash'> {
  /** The canonical form (RFC 8785) of all of its parts. */
  line: string;
  /** What the line parses to. */
  readonly record: AuditRecord;
}

/** The canonical forms of parts that many records have in common. */
const sharedTexts = new WeakMap<object, string>();

/** A part that many records will have, whose canonical form is made once. It is frozen, since it must stay as it is. */
export function sharedPart<T extends object>(part: T): T {
  freeze(part);
  sharedTexts.set(part, canonicalText(withCleanText(part)));
  return part;
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}

/**
 * The event as the next record of the log: numbered, chained to the one before and signed. Text that UTF-8 or a database cannot hold (lone surrogates, NUL) becomes U+FFFD: a record of a
 * refusal must not fail because of what was refused. Throws `limit_exceeded` above RECORD_BYTES_MAX, and
 * `audit_unavailable` for a value that has no JSON form.
 */
export function sealRecord(
  event: AuditEvent,
  { previous, auditId, signer }: SealInput,
): SealedRecord {
  // What an event brings under these names is not the log's.
  const { hash: _hash, signature: _signature, ...own } = event as AuditEvent & Partial<AuditRecord>;
  const seq = (previous?.seq ?? 0) + 1;
  const members = contentMembers({
    ...own,
    audit_id: auditId,
    seq,
    prev_hash: previous?.hash ?? GENESIS_HASH,
  });
  const hash = contentHash(objectText(members));
  members.set('hash', canonicalText(hash));
  members.set('signature', canonicalText(signHash(hash, signer)));
  const line = objectText(members);
  return {
    audit_id: auditId,
    seq,
    hash,
    line,
    get record() {
      return JSON.parse(line);
    },
  };
}

/** The canonical forms of the parts of a record without `hash` and `signature`, by their names. */
function contentMembers(content: Omit<AuditRecord, 'hash' | 'signature'>): Map<string, string> {
  const members = new Map<string, string>();
  let bytes = 0;
  try {
    for (const [key, part] of Object.entries(content)) {
      if (part === undefined) continue;
      const text =
        (typeof part === 'object' ? sharedTexts.get(part) : undefined) ??
        canonicalText(withCleanText(part));
      const name = cleanText(key);
      bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
      members.set(name, text);
    }
  } catch (cause) {
    throw new VkitError('audit_unavailable', 'The audit record has a part that JSON cannot hold.', {
      cause,
    });
  }
  if (bytes > RECORD_BYTES_MAX) {
    const message = `The audit record is larger than ${RECORD_BYTES_MAX} bytes.`;
    throw new VkitError('limit_exceeded', message);
  }
  return members;
}

/** An object of canonical parts is canonical if they come in the order of their names' UTF-16 units. */
function objectText(members: ReadonlyMap<string, string>): string {
  const names = [...members.keys()].sort();
  return `{${names.map((name) => `${canonicalText(name)}:${members.get(name)}`).join(',')}}`;
}

function withCleanText(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(withCleanText);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [cleanText(key), withCleanText(part)]),
  );
}

const UNCLEAN = /[\p{Surrogate}\0]/u;
const EACH_UNCLEAN = /[\p{Surrogate}\0]/gu;

/** The text as a record has it. */
export function cleanText(text: string): string {
  return UNCLEAN.test(text) ? text.replace(EACH_UNCLEAN, '\ufffd') : text;
}

/** Compact JWS with detached payload (RFC 7515, appendix F): `<header>..<signature>`. */
function signHash(hash: string, signer: AuditSigner): string {
  const { header, input } = signingParts(signer.kid, hash);
  return `${header}..${Buffer.from(signer.sign(input)).toString('base64url')}`;
}
