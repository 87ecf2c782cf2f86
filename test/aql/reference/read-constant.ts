import type { FieldKind } from '../../../src/schema/field-type.js';
import { decimalOf, decimalText } from './decimal.js';
import type { ConstantLimits } from './schema.js';
import { codePoints, momentOf, readValue, type Value } from './value.js';

const LIMITS: ConstantLimits = {
  integerMax: 2n ** 63n - 1n,
  digitsMax: 100,
  fractionDigitsMax: 100,
};

/** A value of a query as one of the kind it is compared with; `undefined` where it is none. */
export function readConstant(
  kind: FieldKind,
  json: unknown,
  limits: ConstantLimits = LIMITS,
): Value | undefined {
  switch (kind) {
    case 'boolean':
      return typeof json === 'boolean' ? json : undefined;
    case 'integer':
      return readInteger(json, limits);
    case 'numeric':
      return readNumeric(json, limits);
    case 'float':
      return readFloat(json);
    default:
      return typeof json === 'string' ? readText(kind, json) : undefined;
  }
}

function readInteger(json: unknown, { integerMax }: ConstantLimits): Value | undefined {
  if (typeof json === 'number' && !Number.isSafeInteger(json)) return undefined;
  const text = typeof json === 'number' ? String(json) : json;
  if (typeof text !== 'string' || !/^-?\d{1,20}$/.test(text)) return undefined;
  const units = BigInt(text);
  return units >= -(2n ** 63n) && units <= integerMax ? { units, scale: 0 } : undefined;
}

function readNumeric(json: unknown, limits: ConstantLimits): Value | undefined {
  // "numerics beyond 2^53 as strings": JSON has rounded the number already; so it may have beyond 15 digits.
  if (typeof json === 'number' && !isExact(json)) return undefined;
  const text = typeof json === 'number' ? String(json) : json;
  const pattern = typeof json === 'number' ? /^/ : /^-?\d+(\.\d+)?$/;
  if (typeof text !== 'string' || !pattern.test(text)) return undefined;
  const [whole = '', fraction = ''] = decimalText(decimalOf(text)).replace('-', '').split('.');
  const digits = whole.length + fraction.length;
  const isKept = digits <= limits.digitsMax && fraction.length <= limits.fractionDigitsMax;
  return isKept ? decimalOf(text) : undefined;
}

/** Whether no other decimal of as many digits as a number of JSON may have is this double. */
function isExact(number: number): boolean {
  if (Number.isInteger(number)) return Number.isSafeInteger(number);
  return Number(number.toPrecision(15)) === number;
}

function readFloat(json: unknown): Value | undefined {
  if (typeof json === 'number') return json;
  const isNumber = typeof json === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(json);
  return isNumber && Number.isFinite(Number(json)) ? Number(json) : undefined;
}

function readText(kind: FieldKind, text: string): Value | undefined {
  switch (kind) {
    case 'text':
      // Half of a surrogate pair is no character.
      return codePoints(text).some((one) => one >= 0xd800 && one <= 0xdfff) ? undefined : text;
    case 'uuid':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
        ? readValue(kind, text)
        : undefined;
    case 'date':
      return isDate(text) ? text : undefined;
    case 'time':
      return isTime(text) ? readValue(kind, text) : undefined;
    case 'timestamp':
      return isMoment(text) ? momentOf(text) : undefined;
    case 'timestamptz':
      return isMoment(text) && !isTime(text.slice(11)) ? momentOf(text) : undefined;
    case 'bytes': {
      const bytes = Buffer.from(text, 'base64');
      return bytes.toString('base64') === text ? bytes : undefined;
    }
    default:
      return undefined;
  }
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return false;
  // A month or a day that does not exist is no date, or becomes another.
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}

function isTime(text: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$/.test(text);
}

function isMoment(text: string): boolean {
  const match = /^(.{10})[ Tt](\d\d:\d\d:\d\d(?:\.\d+)?)([zZ]|[+-]([01]\d|2[0-3]):[0-5]\d)?$/.exec(
    text,
  );
  return match !== null && isDate(match[1] ?? '') && isTime(match[2] ?? '');
}
