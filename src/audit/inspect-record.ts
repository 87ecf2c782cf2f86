import { type KeyObject, verify } from 'node:crypto';
import type { AuditRecord } from './model.js';
import { recordHash, recordLine, signingParts } from './record-hash.js';

/** Public audit keys by their RFC 7638 thumbprint; several, so that keys can rotate. */
export type AuditKeys = ReadonlyMap<string, KeyObject>;

/** What one record says of itself, before its place in the chain is looked at. */
export type Inspected =
  | { genuine: true; record: AuditRecord }
  | {
      genuine: false;
      kind: 'changed' | 'signature' | 'malformed';
      /** What is wrong, as the end of a sentence that begins with the record. */
      message: string;
      /** The id the record claims, where it has one that looks like one. */
      auditId?: string;
    };

const SIGNATURE = /^([\w-]{1,1024})\.\.([\w-]{86})$/;
const HASH = /^[0-9a-f]{64}$/;
const AUDIT_ID = /^audit_[\w-]{1,64}$/;

/** Checks shape, hash and signature of one record, which may be anything: it can come from a file. */
export function inspectRecord(value: unknown, keys: AuditKeys): Inspected {
  if (!hasRecordShape(value)) {
    return { genuine: false, kind: 'malformed', message: 'is not an audit record' };
  }
  const auditId = value.audit_id;
  if (hashOf(value) !== value.hash) {
    const message = 'was changed: its content does not have its hash';
    return { genuine: false, kind: 'changed', message, auditId };
  }
  const message = signatureProblem(value, keys);
  if (message !== null) return { genuine: false, kind: 'signature', message, auditId };
  return { genuine: true, record: value };
}

/** As `inspectRecord`, for a line of an exported log, in which every byte counts. */
export function inspectLine(line: string | undefined, keys: AuditKeys): Inspected {
  const malformed: Inspected = { genuine: false, kind: 'malformed', message: 'is not JSON text' };
  if (line === undefined) return malformed;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser's message quotes the line; that it is no JSON is all there is to say.
    return malformed;
  }
  const inspected = inspectRecord(value, keys);
  if (!inspected.genuine || recordLine(inspected.record) === line) return inspected;
  const message = 'was changed: the line is not the canonical form (RFC 8785) of its record';
  return { genuine: false, kind: 'changed', message, auditId: inspected.record.audit_id };
}

function hasRecordShape(value: unknown): value is AuditRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const record = value as Partial<Record<keyof AuditRecord, unknown>>;
  return (
    matches(record.audit_id, AUDIT_ID) &&
    matches(record.prev_hash, HASH) &&
    matches(record.hash, HASH) &&
    typeof record.event === 'string' &&
    typeof record.timestamp === 'string' &&
    typeof record.signature === 'string' &&
    Number.isSafeInteger(record.seq) &&
    (record.seq as number) >= 1
  );
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function hashOf(record: AuditRecord): string | null {
  try {
    return recordHash(record);
  } catch {
    // No canonical form (a lone surrogate, nesting beyond the stack): no hash can be right.
    return null;
  }
}

/** Null where the signature verifies, else what is wrong with it. */
function signatureProblem(record: AuditRecord, keys: AuditKeys): string | null {
  const parts = SIGNATURE.exec(record.signature);
  const kid = parts ? headerKid(parts[1] ?? '') : null;
  if (!parts || kid === null) return 'has no signature in the form of the audit log';
  const key = keys.get(kid);
  if (key === undefined || key.asymmetricKeyType !== 'ed25519') {
    return `is signed with a key that is not among the trusted ones (${kid})`;
  }
  const { header, input } = signingParts(kid, record.hash);
  const signature = Buffer.from(parts[2] ?? '', 'base64url');
  // The decoder ignores spare bits; comparing the text keeps one signature from having several spellings.
  const exact = header === parts[1] && signature.toString('base64url') === parts[2];
  if (exact && verify(null, input, key, signature)) return null;
  return 'has a signature that does not verify';
}

function headerKid(encoded: string): string | null {
  try {
    const header: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    const kid = (header as { kid?: unknown } | null)?.kid;
    return typeof kid === 'string' && /^[\w-]{1,128}$/.test(kid) ? kid : null;
  } catch {
    // Not JSON: there is no key to name.
    return null;
  }
}
