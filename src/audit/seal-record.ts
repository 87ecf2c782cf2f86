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

/**
 * The event as the next record of the log: numbered, chained to the one before and signed. The result is exactly what its
 * canonical line parses to. Text that UTF-8 or a database cannot hold (lone surrogates, NUL) becomes U+FFFD: a record of a
 * refusal must not fail because of what was refused. Throws `limit_exceeded` above RECORD_BYTES_MAX, and
 * `audit_unavailable` for a value that has no JSON form.
 */
export function sealRecord(
  event: AuditEvent,
  { previous, auditId, signer }: SealInput,
): AuditRecord {
  // What an event brings under these names is not the log's.
  const { hash: _hash, signature: _signature, ...own } = event as AuditEvent & Partial<AuditRecord>;
  const text = contentText({
    ...own,
    audit_id: auditId,
    seq: (previous?.seq ?? 0) + 1,
    prev_hash: previous?.hash ?? GENESIS_HASH,
  });
  const hash = contentHash(text);
  return { ...JSON.parse(text), hash, signature: signHash(hash, signer) };
}

/** The canonical form of a record without `hash` and `signature`. */
function contentText(content: Omit<AuditRecord, 'hash' | 'signature'>): string {
  let text: string;
  try {
    text = canonicalText(withCleanText(content));
  } catch (cause) {
    throw new VkitError('audit_unavailable', 'The audit record has a part that JSON cannot hold.', {
      cause,
    });
  }
  if (Buffer.byteLength(text) > RECORD_BYTES_MAX) {
    const message = `The audit record is larger than ${RECORD_BYTES_MAX} bytes.`;
    throw new VkitError('limit_exceeded', message);
  }
  return text;
}

function withCleanText(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(withCleanText);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [cleanText(key), withCleanText(part)]),
  );
}

function cleanText(text: string): string {
  return text.replace(/[\p{Surrogate}\0]/gu, '\ufffd');
}

/** Compact JWS with detached payload (RFC 7515, appendix F): `<header>..<signature>`. */
function signHash(hash: string, signer: AuditSigner): string {
  const { header, input } = signingParts(signer.kid, hash);
  return `${header}..${Buffer.from(signer.sign(input)).toString('base64url')}`;
}
