import { CONSTANT_BOUNDS } from '../../aql/bind-value.js';
import type { Dialect } from '../../aql/dialect.js';
import type { BoundValue, BuiltInFunction, ComparisonOperator } from '../../aql/expression.js';
import { VkitError } from '../../errors/index.js';
import type { FieldKind } from '../../schema/field-type.js';
import { exactText, inTest } from '../exact-text.js';

const OPERATORS: Record<ComparisonOperator, string> = {
  eq: '=',
  neq: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
};

const INTEGER = 'NUMBER(38, 0)';
/** Digits of a NUMBER, before and after its point together. */
const DIGITS_MAX = 38;
const FRACTION_DIGITS_MAX = 37;
/** Digits of a second's fraction. */
const SECOND_DIGITS = 9;

const DATE_FORMAT = 'YYYY-MM-DD';
const TIME_FORMAT = 'HH24:MI:SS.FF9';
const MOMENT_FORMAT = `${DATE_FORMAT}"T"${TIME_FORMAT}`;

/** The type of a NULL that stands for a column of a normalised type; what is not here is text. */
const TYPE_OF_NULL: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  smallint: INTEGER,
  integer: INTEGER,
  bigint: INTEGER,
  numeric: INTEGER,
  real: 'FLOAT',
  double: 'FLOAT',
  date: 'DATE',
  time: 'TIME(9)',
  timestamp: 'TIMESTAMP_NTZ(9)',
  timestamptz: 'TIMESTAMP_TZ(9)',
  json: 'VARIANT',
  jsonb: 'VARIANT',
  bytes: 'BINARY',
};

function cast(sql: string, type: string): string {
  return `CAST(${sql} AS ${type})`;
}

/** Text by its code points, whatever collation the column has: a collation named here comes before a column's. */
function binary(sql: string): string {
  return `COLLATE(${sql}, 'utf8')`;
}

/** The backslash escapes in every literal, and no setting changes that. */
function textLiteral(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

function quoteIdentifier(name: string): string {
  if (name.includes('\0')) {
    throw new VkitError('unsupported', 'Snowflake has no identifiers with NUL characters.');
  }
  return `"${name.replaceAll('"', '""')}"`;
}

function call(fn: BuiltInFunction, args: readonly string[]): string {
  const list = args.join(', ');
  switch (fn) {
    case 'to_text':
    case 'identity_key':
      return `TO_VARCHAR(${list})`;
    case 'decimal_text': {
      const text = `TO_VARCHAR(${list})`;
      return `CASE WHEN CONTAINS(${text}, '.') THEN RTRIM(RTRIM(${text}, '0'), '.') ELSE ${text} END`;
    }
    // A NUMBER has the scale of its column: equal ones are written alike.
    case 'canonical_numeric':
      return list;
    // Functions that know no collations may refuse a text that has one.
    case 'sha256_hex':
      return `SHA2(COLLATE(${list}, ''), 256)`;
    case 'char_length':
      return `LENGTH(${list})`;
    case 'concat':
    case 'left':
    case 'right':
      return `${fn.toUpperCase()}(${list})`;
  }
}

const EXACT_TEXT = exactText({
  operators: OPERATORS,
  binary,
  isIn: inTest,
});

/** The type in which Snowflake reads the number itself, so that a comparison rounds nothing. */
function typeOfNumber(value: BoundValue): string {
  const [, whole = '', fraction = ''] = /^-?(\d+)(?:\.(\d+))?$/.exec(String(value)) ?? [];
  const digits = whole.replace(/^0+/, '').length + fraction.length;
  if (digits > DIGITS_MAX || fraction.length > FRACTION_DIGITS_MAX) {
    // A plan that was made for Snowflake holds none of these; the CAST would round them.
    throw new VkitError('unsupported', 'A decimal has more digits than Snowflake compares.');
  }
  return `NUMBER(${Math.max(1, digits)}, ${fraction.length})`;
}

function placeholder(_index: number, kind: FieldKind, value: BoundValue): string {
  switch (kind) {
    case 'boolean':
      return cast('?', 'BOOLEAN');
    case 'integer':
      return cast('?', INTEGER);
    case 'numeric':
      return cast('?', typeOfNumber(value));
    case 'float':
      return cast('?', 'FLOAT');
    case 'date':
      return `TO_DATE(?, '${DATE_FORMAT}')`;
    case 'time':
      return `TO_TIME(?, '${TIME_FORMAT}')`;
    case 'timestamp':
      return `TO_TIMESTAMP_NTZ(?, '${MOMENT_FORMAT}')`;
    case 'timestamptz':
      return `TO_TIMESTAMP_TZ(?, '${MOMENT_FORMAT}TZH:TZM')`;
    case 'bytes':
      return `TO_BINARY(?, 'HEX')`;
    default:
      return '?';
  }
}

/** Everything but booleans is bound as text: the package makes numbers of its own of what is none. */
function bind(value: BoundValue, kind: FieldKind): BoundValue {
  if (typeof value === 'boolean') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (kind === 'time' || kind === 'timestamp') return wholeFraction(String(value));
  if (kind === 'timestamptz') return `${wholeFraction(String(value).replace(/Z$/, ''))}+00:00`;
  return String(value);
}

/** A time with all the digits that a format names. */
function wholeFraction(text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  return `${whole}.${fraction.padEnd(SECOND_DIGITS, '0')}`;
}

/**
 * Floats in the order of their values. SUM reads them in any order, which can show in the last digits of what it answers.
 */
function orderedFloatSum(operand: string): string {
  const values = `ARRAY_AGG(${operand}) WITHIN GROUP (ORDER BY ${operand})`;
  const sum = `REDUCE(${values}, CAST(0 AS FLOAT), (acc, val) -> acc + CAST(val AS FLOAT))`;
  return `CASE WHEN COUNT(${operand}) > 0 THEN ${sum} END`;
}

/**
 * Snowflake, under the parameters that a session is pinned to. Its functions are Snowflake's own, whose names no
 * user-defined function can have ("Choosing a name for a procedure or UDF" in Snowflake's documentation).
 */
export const snowflakeDialect: Dialect = {
  name: 'snowflake',
  joinTypes: ['INNER', 'LEFT', 'RIGHT', 'FULL'],
  constants: {
    integerMax: CONSTANT_BOUNDS.integerMax,
    digitsMax: DIGITS_MAX,
    fractionDigitsMax: FRACTION_DIGITS_MAX,
  },
  placeholdersNumbered: false,
  quoteIdentifier,
  // The database is the session's, which is compared with the configuration before anything is read.
  table({ schema, name }) {
    return `${quoteIdentifier(schema === '' ? 'PUBLIC' : schema)}.${quoteIdentifier(name)}`;
  },
  placeholder,
  bind,
  textLiteral,
  booleanLiteral: (value) => (value ? 'TRUE' : 'FALSE'),
  nullOf(type) {
    if (type.endsWith('[]')) return cast('NULL', 'ARRAY');
    return cast('NULL', (Object.hasOwn(TYPE_OF_NULL, type) && TYPE_OF_NULL[type]) || 'VARCHAR');
  },
  column: (sql) => sql,
  call,
  ...EXACT_TEXT,
  like(operand, pattern, negated) {
    return `(${binary(operand)} ${negated ? 'NOT LIKE' : 'LIKE'} ${pattern} ESCAPE '\\\\')`;
  },
  key: (sql, kind) => (kind === 'text' ? binary(sql) : sql),
  orderBy: (sql, direction, nulls) => `${sql} ${direction} NULLS ${nulls.toUpperCase()}`,
  aggregate(fn, operand, kind, ordered) {
    if (operand === null) return 'COUNT(*)';
    switch (fn) {
      case 'count_distinct':
        return `COUNT(DISTINCT ${operand})`;
      case 'sum':
        return kind === 'float' && ordered ? orderedFloatSum(operand) : `SUM(${operand})`;
      case 'avg':
        if (kind !== 'float') {
          // AVG keeps six digits more than its operand; the driver divides, with as many as elsewhere.
          return `CONCAT(TO_VARCHAR(SUM(${operand})), '/', TO_VARCHAR(COUNT(${operand})))`;
        }
        return ordered ? `(${orderedFloatSum(operand)} / COUNT(${operand}))` : `AVG(${operand})`;
      default:
        return `${fn.toUpperCase()}(${operand})`;
    }
  },
  aggregateOperand(sql, fn, kind) {
    if (fn !== 'avg' || kind === 'float') return sql;
    const part = (index: number) => cast(`SPLIT_PART(${sql}, '/', ${index})`, 'FLOAT');
    return `(${part(1)} / ${part(2)})`;
  },
  limit: (limit, offset) => `LIMIT ${limit}${offset > 0 ? ` OFFSET ${offset}` : ''}`,
};
