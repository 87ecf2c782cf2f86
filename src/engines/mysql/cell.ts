import { type FieldKind, kindOfType } from '../../schema/field-type.js';
import { type CellValue, cellEncoder } from '../encode-cell.js';
import { divideDecimal, formatDecimal, parseDecimal } from '../exact-decimal.js';

/** A value as the package hands it over: dates and decimals as text, bytes and key texts as buffers. */
export type MysqlCell = string | number | Buffer | object | null;

/** The average of decimals, as the dialect writes it: `sum/count`. */
const AVERAGE = /^([^/]*)\/(\d+)$/;
/** Dates that no calendar has, which MySQL keeps all the same: 0000-00-00, 2026-00-00. */
const NO_DATE = /^(?:0000-|\d{4}-00-|\d{4}-\d\d-00)/;

/** Digits in which every FLOAT has a text of its own. */
const FLOAT_DIGITS_MAX = 9;

/** The encoder (`cellEncoder`) of a type for values of mysql2. */
export function mysqlEncoder(type: string): (cell: MysqlCell) => string {
  const encode = cellEncoder(type);
  const read = readerOf(kindOfType(type), type);
  return (cell) => {
    if (cell === null) return 'null';
    const value = read(cell);
    return value === undefined ? JSON.stringify(cell) : encode(value);
  };
}

/** How a cell becomes what `cellEncoder` takes; `undefined` for what it does not. */
function readerOf(kind: FieldKind, type: string): (cell: MysqlCell) => CellValue | undefined {
  switch (kind) {
    case 'boolean':
      return readBoolean;
    case 'numeric':
      return (cell) => (typeof cell === 'string' ? readAverage(cell) : plain(cell));
    case 'float':
      return (cell) =>
        type === 'real' && typeof cell === 'number' ? shortestFloat(cell) : plain(cell);
    case 'timestamp':
    case 'timestamptz':
      return (cell) => (typeof cell === 'string' ? readMoment(cell) : undefined);
    case 'bytes':
      return plain;
    default:
      return type === 'bit' ? readBits : readText;
  }
}

function plain(cell: MysqlCell): CellValue | undefined {
  return typeof cell === 'object' && !(cell instanceof Uint8Array) ? undefined : cell;
}

/** Keys of ORDER BY and GROUP BY are the UTF-8 bytes of a text. */
function readText(cell: MysqlCell): CellValue | undefined {
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('utf8') : plain(cell);
}

/** TINYINT(1) holds other numbers too, which are written as what they are. */
function readBoolean(cell: MysqlCell): CellValue | undefined {
  const value = cell instanceof Uint8Array ? bitsOf(cell) : cell;
  if (value === null || typeof value === 'object') return undefined;
  if (Number(value) === 1) return true;
  return Number(value) === 0 ? false : Number(value);
}

function readBits(cell: MysqlCell): CellValue | undefined {
  return cell instanceof Uint8Array ? bitsOf(cell).toString(2) : plain(cell);
}

function bitsOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}

function readAverage(text: string): string {
  const match = AVERAGE.exec(text);
  const sum = match && parseDecimal(match[1] ?? '');
  return sum ? formatDecimal(divideDecimal(sum, BigInt(match[2] ?? '1'))) : text;
}

/** The shortest decimal that a FLOAT would be read back from, as PostgreSQL writes its real. */
function shortestFloat(value: number): number {
  for (let digits = 6; digits < FLOAT_DIGITS_MAX; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(FLOAT_DIGITS_MAX));
}

/** `undefined`, and with it plain text, for what is no moment. */
function readMoment(text: string): string | undefined {
  if (NO_DATE.test(text)) return undefined;
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
