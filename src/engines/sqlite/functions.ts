import { createHash } from 'node:crypto';
import { rfc3339 } from '../encode-time.js';
import {
  addDecimals,
  type Decimal,
  divideDecimal,
  formatDecimal,
  parseDecimal,
} from '../exact-decimal.js';
import { matchesLike } from './like.js';

/** A value of any storage class, as SQLite hands it over with `useBigIntArguments`. */
export type SqliteValue = null | bigint | number | string | Uint8Array;

/**
 * A function of vkit's own on every SQLite connection. SQLite keeps any value in any column, so each takes every value,
 * and none ever fails: an error would tell something of the value it met.
 */
export interface SqliteFunction {
  name: string;
  /** The number of arguments; -1 is any number. */
  arity: number;
  deterministic: boolean;
  run(...values: SqliteValue[]): SqliteValue;
}

/** As `SqliteFunction`, over the rows of a group. The result of no row at all is NULL. */
export interface SqliteAggregate {
  name: string;
  arity: number;
  deterministic: boolean;
  start(): number;
  step(state: number, value: SqliteValue): number;
  result(state: number): SqliteValue;
}

export const SQLITE_FUNCTIONS: readonly SqliteFunction[] = [
  scalar('vkit_text', (value) => textOf(value)),
  scalar('vkit_decimal_text', (value) => decimalTextOf(value)),
  scalar('vkit_sha256_hex', (value) => ofText(value, sha256Hex)),
  scalar('vkit_char_length', (value) => ofText(value, (text) => BigInt([...text].length))),
  scalar('vkit_timestamp', (value) => (typeof value === 'string' ? timestampKey(value) : value)),
  {
    ...scalar('vkit_left', (value, count) =>
      ofText(value, (text) => [...text].slice(0, countOf(count)).join('')),
    ),
    arity: 2,
  },
  {
    ...scalar('vkit_right', (value, count) =>
      ofText(value, (text) => {
        const characters = [...text];
        return characters.slice(Math.max(0, characters.length - countOf(count))).join('');
      }),
    ),
    arity: 2,
  },
  {
    ...scalar('vkit_concat', (...values) => values.map((value) => textOf(value) ?? '').join('')),
    arity: -1,
  },
  {
    ...scalar('vkit_like', (value, pattern) => {
      const wanted = textOf(pattern ?? null);
      if (wanted === null) return null;
      return ofText(value, (text) => (matchesLike(text, wanted) ? 1n : 0n));
    }),
    arity: 2,
  },
];

export const SQLITE_AGGREGATES: readonly SqliteAggregate[] = [
  total('vkit_sum', (sum) => sum),
  total('vkit_avg', divideDecimal),
];

function scalar(
  name: string,
  run: (value: SqliteValue, ...more: SqliteValue[]) => SqliteValue,
): SqliteFunction {
  return {
    name,
    arity: 1,
    deterministic: true,
    run: (value = null, ...more) => run(value, ...more),
  };
}

function ofText(value: SqliteValue, map: (text: string) => SqliteValue): SqliteValue {
  const text = textOf(value);
  return text === null ? null : map(text);
}

function textOf(value: SqliteValue): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return decimalTextOf(value);
  if (typeof value === 'bigint') return value.toString();
  return Buffer.from(value).toString('utf8');
}

/** A number's canonical decimal text; what is no number stays the text it is. */
function decimalTextOf(value: SqliteValue): string | null {
  if (value === null || typeof value === 'bigint') return value === null ? null : value.toString();
  const text = typeof value === 'object' ? Buffer.from(value).toString('utf8') : String(value);
  const decimal = parseDecimal(text);
  return decimal === undefined ? text : formatDecimal(decimal);
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** A timestamp in one spelling, so that equal moments are equal; other text stays as it is. */
function timestampKey(text: string): string {
  // Without its Z, an earlier moment is a smaller text, whatever fraction it has.
  return rfc3339(text)?.replace(/Z$/, '') ?? text;
}

function countOf(value: SqliteValue | undefined): number {
  return Math.max(0, Number(value ?? 0) || 0);
}

/** The sum of a group so far; infinite floats are counted apart. */
interface Total {
  sum: Decimal;
  count: bigint;
  infinities: number;
  hasBoth: boolean;
}

/**
 * Adds up exactly, floats as the decimals of their shortest text, so that neither the order of rows nor an overflow
 * shows. SQLite keeps decimals as floats; the result is a whole number where it is one, else decimal text.
 */
function total(name: string, finish: (sum: Decimal, count: bigint) => Decimal): SqliteAggregate {
  // The connection's state of an aggregate holds a small number or text only, so the totals are kept here.
  const totals = new Map<number, Total>();
  let last = 0;
  return {
    name,
    arity: 1,
    deterministic: true,
    start() {
      last += 1;
      totals.set(last, { sum: { units: 0n, scale: 0 }, count: 0n, infinities: 0, hasBoth: false });
      return last;
    },
    step(state, value) {
      const group = totals.get(state);
      if (group !== undefined && value !== null) addValue(group, value);
      return state;
    },
    result(state) {
      const group = totals.get(state);
      totals.delete(state);
      if (group === undefined || group.count === 0n) return null;
      if (group.hasBoth) return 'NaN';
      if (group.infinities !== 0) return group.infinities > 0 ? 'Infinity' : '-Infinity';
      return formatDecimal(finish(group.sum, group.count));
    },
  };
}

function addValue(group: Total, value: Exclude<SqliteValue, null>): void {
  group.count += 1n;
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const sign = value > 0 ? 1 : -1;
    group.hasBoth ||= group.infinities === -sign;
    group.infinities = sign;
    return;
  }
  const decimal =
    typeof value === 'bigint' ? { units: value, scale: 0 } : parseDecimal(textOf(value) ?? '');
  // As in SQLite's own sum, what is no number counts as zero.
  if (decimal !== undefined) group.sum = addDecimals(group.sum, decimal);
}
