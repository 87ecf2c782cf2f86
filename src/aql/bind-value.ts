import type { FieldKind } from '../schema/field-type.js';
import { isCleanText } from '../util/utf8.js';
import type { BoundValue } from './expression.js';
import { parseDate, parseTime, parseTimestamp } from './parse-moment.js';

/** Which numbers an engine compares exactly; a query with others is not valid. */
export interface ConstantBounds {
  /** The greatest whole number; the least is -2^63 everywhere. */
  integerMax: bigint;
  /** Digits of a decimal number, before and after its point. */
  digitsMax: number;
  /** Those after its point. */
  fractionDigitsMax: number;
}

/** Digits of a decimal number, far beyond what columns hold. */
const DECIMAL_DIGITS_MAX = 100;

/** Digits of a decimal that a double keeps whatever they are. */
const JSON_DIGITS_MAX = 15;

const INTEGER_MIN = -(2n ** 63n);

/** The bounds of vkit's own, for engines that compare all of these. */
export const CONSTANT_BOUNDS: ConstantBounds = {
  integerMax: 2n ** 63n - 1n,
  digitsMax: DECIMAL_DIGITS_MAX,
  fractionDigitsMax: DECIMAL_DIGITS_MAX,
};

export type Binding = { value: BoundValue } | { message: string };

/**
 * Checks one value of a query against the kind it is compared with, and gives it the form in which it is bound: integers
 * and decimals as canonical decimal text, dates and times as ISO 8601, timestamps in UTC, bytes as bytes. The message
 * says what is expected and never repeats the value.
 */
export function bindValue(
  value: unknown,
  kind: FieldKind,
  bounds: ConstantBounds = CONSTANT_BOUNDS,
): Binding {
  const bound = CHECKS[kind](value, bounds);
  return bound === undefined
    ? { message: `the value must be ${expected(kind, bounds)}.` }
    : { value: bound };
}

function expected(kind: FieldKind, bounds: ConstantBounds): string {
  const { integerMax, digitsMax, fractionDigitsMax } = bounds;
  switch (kind) {
    case 'integer':
      return `a whole number from -2^63 to 2^${integerMax.toString(2).length} - 1; beyond 2^53 write it as a string`;
    case 'numeric': {
      const fraction =
        fractionDigitsMax < digitsMax ? `, ${fractionDigitsMax} of them after the point` : '';
      return `a decimal number of at most ${digitsMax} digits${fraction}; beyond 15 digits write it as a string`;
    }
    default:
      return EXPECTED[kind];
  }
}

const EXPECTED: Record<Exclude<FieldKind, 'integer' | 'numeric'>, string> = {
  boolean: 'true or false',
  float: 'a number',
  text: 'a string of well-formed Unicode without NUL',
  uuid: 'a UUID like "123e4567-e89b-12d3-a456-426614174000"',
  date: 'a date like "2026-03-01", of the years 0001 to 9999',
  time: 'a time like "09:30:00"',
  timestamp: 'a timestamp like "2026-03-01T09:30:00Z" (RFC 3339), of the years 0001 to 9999',
  timestamptz:
    'a timestamp with its offset, like "2026-03-01T09:30:00Z" (RFC 3339), of the years 0001 to 9999',
  bytes: 'bytes in base64',
  json: 'left out: JSON supports is_null and is_not_null only',
  array: 'left out: arrays support is_null and is_not_null only',
  other: 'left out: this type supports is_null and is_not_null only',
};

const CHECKS: Record<
  FieldKind,
  (value: unknown, bounds: ConstantBounds) => BoundValue | undefined
> = {
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  integer: toInteger,
  numeric: toDecimal,
  float: toFloat,
  text: (value) => (typeof value === 'string' && isCleanText(value) ? value : undefined),
  uuid: toUuid,
  date: (value) => (typeof value === 'string' ? parseDate(value) : undefined),
  time: (value) => (typeof value === 'string' ? parseTime(value) : undefined),
  timestamp: (value) => (typeof value === 'string' ? parseTimestamp(value, false) : undefined),
  timestamptz: (value) => (typeof value === 'string' ? parseTimestamp(value, true) : undefined),
  bytes: toBytes,
  json: () => undefined,
  array: () => undefined,
  other: () => undefined,
};

function toInteger(value: unknown, { integerMax }: ConstantBounds): string | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? String(value || 0) : undefined;
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return undefined;
  const integer = BigInt(value);
  return integer >= INTEGER_MIN && integer <= integerMax ? String(integer) : undefined;
}

function toDecimal(value: unknown, bounds: ConstantBounds): string | undefined {
  const text = readDecimal(value);
  if (text === undefined) return undefined;
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const fits =
    whole.length + fraction.length <= bounds.digitsMax &&
    fraction.length <= bounds.fractionDigitsMax;
  return fits ? text : undefined;
}

function readDecimal(value: unknown): string | undefined {
  if (typeof value === 'number') return isAsWritten(value) ? decimalText(value) : undefined;
  if (typeof value !== 'string' || value.length > DECIMAL_DIGITS_MAX + 2) return undefined;
  const match = /^(-?)0*(\d+)(?:\.(\d+?)0*)?$/.exec(value);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = ''] = match;
  return joinDecimal(sign, whole, fraction);
}

/**
 * Whether a JSON number is surely the decimal that was written: a double keeps 15 digits of any, and whole numbers up to
 * 2^53. Beyond that another decimal may have become this double, and a query would silently compare with its neighbour.
 */
function isAsWritten(value: number): boolean {
  if (Number.isInteger(value)) return Number.isSafeInteger(value);
  const [digits = ''] = String(value).split('e');
  return digits.replace(/[-.]/g, '').replace(/^0+/, '').length <= JSON_DIGITS_MAX;
}

/** The shortest decimal text of a double without an exponent: 1e-7 becomes 0.0000001. */
export function decimalText(value: number): string | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const shift = Number(exponent);
  if (Math.abs(shift) > DECIMAL_DIGITS_MAX) return undefined;
  const digits = `${'0'.repeat(Math.max(0, -shift))}${whole}${fraction}${'0'.repeat(Math.max(0, shift))}`;
  const point = digits.length - fraction.length - Math.max(0, shift) + shift;
  return joinDecimal(sign, digits.slice(0, point), digits.slice(point));
}

function joinDecimal(sign: string, whole: string, fraction: string): string | undefined {
  const left = whole.replace(/^0+(?=\d)/, '');
  const right = fraction.replace(/0+$/, '');
  if (left.length + right.length > DECIMAL_DIGITS_MAX) return undefined;
  const text = right === '' ? left : `${left}.${right}`;
  return text === '0' ? text : `${sign}${text}`;
}

function toFloat(value: unknown): number | undefined {
  const isText =
    typeof value === 'string' && /^-?\d{1,400}(\.\d{1,400})?(e[+-]?\d{1,3})?$/i.test(value);
  const number = isText ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function toUuid(value: unknown): string | undefined {
  const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
  return typeof value === 'string' && pattern.test(value) ? value.toLowerCase() : undefined;
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  // Node's decoder skips what it does not know; only what encodes back to itself was base64 (RFC 4648).
  return bytes.toString('base64') === value ? new Uint8Array(bytes) : undefined;
}
