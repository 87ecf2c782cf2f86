import { kindOfType } from '../../schema/field-type.js';
import { type CellValue, cellEncoder } from '../encode-cell.js';
import { divideDecimal, formatDecimal, parseDecimal } from '../exact-decimal.js';
import type { FieldSchema, WireRow, WireValue } from './api.js';
import { normaliseBigqueryType } from './type.js';

/** A value with the column of the answer it stands in. */
export interface BigqueryCell {
  field: FieldSchema;
  value: WireValue;
}

/** The average of decimals, as the dialect writes it: `quotient=sum/count`. */
const AVERAGE = /^[^=]*=([^/]*)\/(\d+)$/;

/** The encoder (`cellEncoder`) of a column's type for values of the API. */
export function bigqueryEncoder(type: string): (cell: BigqueryCell) => string {
  const encode = cellEncoder(type);
  const isNumeric = kindOfType(type) === 'numeric';
  return ({ field, value }) => {
    if (value === null) return 'null';
    if (field.mode === 'REPEATED' || field.fields !== undefined) return encodeNested(field, value);
    const scalar = readScalar(field.type, value);
    return encode(isNumeric && field.type === 'STRING' ? readAverage(String(scalar)) : scalar);
  };
}

/** Arrays as JSON arrays and STRUCTs as objects, whatever they hold encoded by its own type. */
function encodeNested(field: FieldSchema, value: WireValue): string {
  if (value === null) return 'null';
  if (field.mode === 'REPEATED') {
    const element: FieldSchema = { ...field, mode: 'NULLABLE' };
    const items = Array.isArray(value) ? (value as readonly { v: WireValue }[]) : [];
    return `[${items.map(({ v }) => encodeNested(element, v)).join(',')}]`;
  }
  if (field.fields !== undefined) {
    const { f = [] } = value as Partial<WireRow>;
    const members = field.fields.map(
      (member, at) => `${JSON.stringify(member.name)}:${encodeNested(member, f[at]?.v ?? null)}`,
    );
    return `{${members.join(',')}}`;
  }
  return cellEncoder(normaliseBigqueryType(field))(readScalar(field.type, value));
}

function readScalar(type: string, value: WireValue): CellValue {
  // Whatever is no text is not what the API promises for this type.
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  switch (type) {
    case 'TIMESTAMP':
      return momentOf(text) ?? text;
    case 'TIME':
      return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
    case 'BYTES':
      return Buffer.from(text, 'base64');
    default:
      return text;
  }
}

const MICROSECONDS = 1_000_000n;
const DIGITS = 6;

/** Microseconds since 1970 as a timestamp in UTC; `undefined` for what is none. */
function momentOf(text: string): string | undefined {
  if (!/^-?\d{1,18}$/.test(text)) return undefined;
  const micros = BigInt(text);
  const rest = ((micros % MICROSECONDS) + MICROSECONDS) % MICROSECONDS;
  const seconds = Number((micros - rest) / MICROSECONDS);
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  const whole = date.toISOString().replace(/\.\d+Z$/, '');
  return rest === 0n ? `${whole}Z` : `${whole}.${String(rest).padStart(DIGITS, '0')}Z`;
}

function readAverage(text: string): string {
  const match = AVERAGE.exec(text);
  const sum = match && parseDecimal(match[1] ?? '');
  if (!sum) return text;
  return formatDecimal(divideDecimal(sum, BigInt(match[2] ?? '1')));
}
