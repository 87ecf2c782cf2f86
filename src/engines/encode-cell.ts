import { type FieldKind, kindOfType } from '../schema/field-type.js';
import { compactJson } from './compact-json.js';
import { encodeDecimal, encodeFloat, encodeInteger } from './encode-number.js';
import { rfc3339 } from './encode-time.js';

/** A value as a driver has it: an engine's text, or what the engine stores. */
export type CellValue = string | number | bigint | boolean | Uint8Array | null;

/** Writes the values of one column as JSON texts. */
export type CellEncoder = (value: CellValue) => string;

/**
 * The encoder of a normalised type. It never fails: a value that is not what its column promises
 * (SQLite keeps any value in any column) is written as what it is.
 *
 * Integers are numbers up to ±(2^53 − 1), decimals and floats where they have at most 15 significant
 * digits, everything beyond as its decimal text in a string; timestamps are RFC 3339 in UTC, those
 * without a time zone too; dates `YYYY-MM-DD`; bytes base64; JSON columns are embedded.
 */
export function cellEncoder(type: string): CellEncoder {
  const kind = kindOfType(type);
  return (value) => {
    if (value === null) return 'null';
    if (typeof value === 'string') return encodeText(kind, value);
    if (typeof value === 'bigint') return encodeBigint(kind, value);
    if (typeof value === 'number') return encodeNumber(kind, value);
    if (typeof value === 'boolean') return value ? 'true' : 'false';
    return base64(value);
  };
}

function encodeText(kind: FieldKind, text: string): string {
  switch (kind) {
    case 'integer':
      return encodeInteger(text);
    case 'numeric':
      return encodeDecimal(text);
    case 'float':
      return encodeFloatText(text);
    case 'boolean':
      return encodeBoolean(text);
    case 'timestamp':
    case 'timestamptz':
      return encodeString(rfc3339(text) ?? text);
    case 'json':
      return compactJson(text) ?? JSON.stringify(text);
    case 'bytes':
      // SQLite keeps a text in a BLOB column as it is; whoever reads the column decodes base64.
      return base64(Buffer.from(text, 'utf8'));
    default:
      return encodeString(text);
  }
}

/** Text of which JSON escapes nothing: no quote, no backslash, no control character, no half of a surrogate pair. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]*$/;

/** JSON of a text. `JSON.stringify` is well-formed (ES2019): a lone surrogate is escaped. Most text needs none of it. */
function encodeString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function encodeBigint(kind: FieldKind, value: bigint): string {
  if (kind === 'boolean' && (value === 0n || value === 1n)) return value === 1n ? 'true' : 'false';
  if (kind === 'text') return `"${value}"`;
  if (kind === 'numeric' || kind === 'float') return encodeDecimal(String(value));
  return encodeInteger(String(value));
}

function encodeNumber(kind: FieldKind, value: number): string {
  return kind === 'text' ? JSON.stringify(String(value)) : encodeFloat(value);
}

function encodeFloatText(text: string): string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? JSON.stringify(text) : encodeFloat(value);
}

function encodeBoolean(text: string): string {
  if (text === 't' || text === 'true') return 'true';
  return text === 'f' || text === 'false' ? 'false' : JSON.stringify(text);
}

function base64(bytes: Uint8Array): string {
  return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`;
}
