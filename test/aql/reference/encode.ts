import type { FieldKind } from '../../../src/schema/field-type.js';
import { decimalText } from './decimal.js';
import { isDecimal, type Value } from './value.js';

/** A cell as JSON. "A number where it round-trips (integers up to 2^53 − 1, at most 15 significant digits), else text." */
export function encode(value: Value, kind: FieldKind): string {
  if (value === null) return 'null';
  if (isDecimal(value)) {
    const text = decimalText(value);
    return roundTrips(text, kind) ? String(Number(text)) : `"${text}"`;
  }
  if (typeof value === 'number') {
    const text = String(value);
    return roundTrips(text, kind) ? text : `"${text}"`;
  }
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  if (typeof value === 'boolean') return String(value);
  if (kind === 'timestamp' || kind === 'timestamptz') return `"${value}Z"`;
  if (kind === 'json' || kind === 'array') return value;
  return JSON.stringify(value);
}

function roundTrips(text: string, kind: FieldKind): boolean {
  if (kind === 'integer') return Number.isSafeInteger(Number(text));
  const [mantissa = ''] = text.split('e');
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '');
  return digits.length <= 15;
}
