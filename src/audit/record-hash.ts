import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { AuditRecord } from './model.js';

/** What the first record of a log holds in place of its predecessor's hash. */
export const GENESIS_HASH = '0'.repeat(64);

/** The `typ` of the signatures of audit records; no other signature is accepted for one. */
export const AUDIT_SIGNATURE_TYP = 'vkit-audit';

/** One record as the canonical JSON (RFC 8785) of all of its parts: one line of an exported log. */
export function recordLine(record: AuditRecord): string {
  return canonicalText(record);
}

/** SHA-256 (hex) over the canonical form of a record without `hash` and `signature`. */
export function recordHash(record: Readonly<Record<string, unknown>> | AuditRecord): string {
  const { hash: _hash, signature: _signature, ...content } = record as Record<string, unknown>;
  return contentHash(canonicalText(content));
}

/** SHA-256 (hex) of the canonical form of a record without `hash` and `signature`. */
export function contentHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The canonical form (RFC 8785). Throws a plain `Error` for what JSON cannot hold: NaN, infinities, lone surrogates,
 * circles.
 */
export function canonicalText(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('This value has no JSON form.');
  return text;
}

/**
 * The protected header and the signing input (RFC 7515) of a record's signature. The payload is the hash as it stands in
 * the record, 64 ASCII characters.
 */
export function signingParts(kid: string, hash: string): { header: string; input: Buffer } {
  const header = protectedHeader(kid);
  return { header, input: Buffer.from(`${header}.${base64url(hash)}`, 'ascii') };
}

/** The last one that was made: a log has one key for years, and a signature at every call. */
let lastHeader: { kid: string; text: string } | undefined;

function protectedHeader(kid: string): string {
  if (lastHeader?.kid === kid) return lastHeader.text;
  const text = base64url(canonicalText({ alg: 'EdDSA', kid, typ: AUDIT_SIGNATURE_TYP }));
  lastHeader = { kid, text };
  return text;
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}
