import { type FieldKind, kindOfType } from '../../schema/field-type.js';
import { type CellValue, cellEncoder } from '../encode-cell.js';
import { divideDecimal, formatDecimal, parseDecimal } from '../exact-decimal.js';

/** A value as the driver hands it over: everything but booleans and bytes as text. */
export type SnowflakeCell = string | boolean | Uint8Array | null;

/** The average of decimals, as the dialect writes it. */
const AVERAGE = /^(-?\d+(?:\.\d+)?)\/([1-9]\d*)$/;

const INFINITIES: Readonly<Record<string, string>> = { inf: 'Infinity', '-inf': '-Infinity' };

/** The encoder (`cellEncoder`) of a type for values of Snowflake's JSON results. */
export function snowflakeEncoder(type: string): (cell: SnowflakeCell) => string {
  const encode = cellEncoder(type);
  const read = READERS[kindOfType(type)];
  if (read === undefined) return encode;
  return (cell) => encode(typeof cell === 'string' ? read(cell) : cell);
}

const READERS: Partial<Record<FieldKind, (text: string) => CellValue>> = {
  numeric(text) {
    const [, total = '', count = ''] = AVERAGE.exec(text) ?? [];
    const sum = parseDecimal(total);
    return sum ? formatDecimal(divideDecimal(sum, BigInt(count))) : text;
  },
  float: (text) => (Object.hasOwn(INFINITIES, text) ? (INFINITIES[text] ?? text) : text),
  time: (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text),
};
