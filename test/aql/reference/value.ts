import type { FieldKind } from '../../../src/schema/field-type.js';
import { compareDecimals, type Decimal, decimalOf } from './decimal.js';

/**
 * A value of a field: integers and numerics are decimals, floats numbers, bytes bytes, all else is text; timestamps in
 * UTC, without zeros at the end of their fraction.
 */
export type Value = null | boolean | number | string | Uint8Array | Decimal;

const KINDS: Readonly<Record<string, FieldKind>> = {
  boolean: 'boolean',
  smallint: 'integer',
  integer: 'integer',
  bigint: 'integer',
  numeric: 'numeric',
  real: 'float',
  double: 'float',
  text: 'text',
  varchar: 'text',
  char: 'text',
  enum: 'text',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  json: 'json',
  jsonb: 'json',
  bytes: 'bytes',
};

export function kindOf(type: string): FieldKind {
  return type.endsWith('[]') ? 'array' : (KINDS[type] ?? 'other');
}

/** Reads a value as test data spells it: bytes as base64, arrays as JSON, moments as RFC 3339. */
export function readValue(kind: FieldKind, spelled: string | null): Value {
  if (spelled === null) return null;
  switch (kind) {
    case 'boolean':
      return spelled === 'true';
    case 'integer':
    case 'numeric':
      return decimalOf(spelled);
    case 'float':
      return Number(spelled);
    case 'uuid':
      return spelled.toLowerCase();
    case 'time':
      return withoutZeros(spelled.length === 5 ? `${spelled}:00` : spelled);
    case 'timestamp':
    case 'timestamptz':
      return momentOf(spelled);
    case 'bytes':
      return Buffer.from(spelled, 'base64');
    default:
      return spelled;
  }
}

function withoutZeros(time: string): string {
  return time.includes('.') ? time.replace(/0+$/, '').replace(/\.$/, '') : time;
}

/** `YYYY-MM-DDTHH:MM:SS[.ffffff]` in UTC; without an offset it is meant in UTC already. */
export function momentOf(spelled: string): string {
  const match = /^(.{10})[ Tt](\d\d:\d\d:\d\d)(\.\d+)?(?:[zZ]|([+-])(\d\d):(\d\d))?$/.exec(spelled);
  if (match === null) throw new Error(`no moment: ${spelled}`);
  const [, date, time, fraction = '', sign = '+', hours = '0', minutes = '0'] = match;
  const behind = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  const utc = new Date(Date.parse(`${date}T${time}Z`) - behind * 60_000).toISOString();
  return withoutZeros(`${utc.slice(0, 19)}${fraction}`);
}

/** Negative, zero or positive: NULL is not compared here. Text goes by code points, false is before true. */
export function compareValues(left: Value, right: Value): number {
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return compareLists(left, right);
  if (isDecimal(left) && isDecimal(right)) return compareDecimals(left, right);
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  throw new Error('values of different kinds do not compare');
}

export function isDecimal(value: Value): value is Decimal {
  return typeof value === 'object' && value !== null && 'units' in value;
}

export function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function compareText(left: string, right: string): number {
  return compareLists(codePoints(left), codePoints(right));
}

function compareLists(left: ArrayLike<number>, right: ArrayLike<number>): number {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
