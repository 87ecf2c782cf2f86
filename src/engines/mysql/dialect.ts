import type { Dialect } from '../../aql/dialect.js';
import type { BoundValue, BuiltInFunction, ComparisonOperator } from '../../aql/expression.js';
import { VkitError } from '../../errors/index.js';
import type { FieldKind } from '../../schema/field-type.js';
import { exactText, inTest } from '../exact-text.js';
import { orderedFloatSum } from './ordered-float-sum.js';

const OPERATORS: Record<ComparisonOperator, string> = {
  eq: '=',
  neq: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
};

/** The digits of a DECIMAL, before and after its point: the limits of MySQL, and of the CAST of both products. */
const DIGITS_MAX = 65;
const FRACTION_DIGITS_MAX = 30;
const DECIMAL = `DECIMAL(${DIGITS_MAX},${FRACTION_DIGITS_MAX})`;
const SIGNED_MAX = 2n ** 63n - 1n;

/** How a bound value gets its kind, numbers aside (`castOf`). Text and floats need nothing. */
const CASTS: Partial<Record<FieldKind, string>> = {
  boolean: 'SIGNED',
  date: 'DATE',
  time: 'TIME(6)',
  timestamp: 'DATETIME(6)',
  timestamptz: 'DATETIME(6)',
  bytes: 'BINARY',
};

const DATES: readonly FieldKind[] = ['date', 'timestamp', 'timestamptz'];

/** The type of a NULL that stands for a column of a normalised type; what is not here is text. */
const TYPE_OF_NULL: Readonly<Record<string, string>> = {
  boolean: 'SIGNED',
  smallint: 'SIGNED',
  integer: 'SIGNED',
  bigint: 'SIGNED',
  numeric: DECIMAL,
  real: 'DOUBLE',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME(6)',
  timestamp: 'DATETIME(6)',
  timestamptz: 'DATETIME(6)',
  bytes: 'BINARY',
};

function cast(sql: string, type: string): string {
  return `CAST(${sql} AS ${type})`;
}

/** Text in one character set and one collation, whatever its column has. */
function unicode(sql: string): string {
  return `CONVERT(${sql} USING utf8mb4) COLLATE utf8mb4_bin`;
}

/** Text by its code points: the order of UTF-8 bytes is theirs, and only bytes keep spaces at the end. */
function binary(sql: string): string {
  return cast(`CONVERT(${sql} USING utf8mb4)`, 'BINARY');
}

/** The text of a value. COALESCE drops the ZEROFILL of a column, which would be part of a number's text. */
function textOf(sql: string): string {
  return unicode(`COALESCE(${sql})`);
}

function quoteIdentifier(name: string): string {
  if (name.includes('\0')) {
    throw new VkitError('unsupported', 'MySQL has no identifiers with NUL characters.');
  }
  return `\`${name.replaceAll('`', '``')}\``;
}

function call(fn: BuiltInFunction, args: readonly string[]): string {
  const [first = '', ...rest] = args;
  switch (fn) {
    case 'to_text':
    case 'identity_key':
      return textOf(first);
    case 'decimal_text': {
      const text = textOf(first);
      const trimmed = `TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM ${text}))`;
      return `CASE WHEN LOCATE('.', ${text}) > 0 THEN ${trimmed} ELSE ${text} END`;
    }
    // A decimal has the scale of its column: equal ones are written alike.
    case 'canonical_numeric':
      return first;
    case 'sha256_hex':
      return `SHA2(${first}, 256)`;
    case 'concat':
      return `CONCAT(${args.join(', ')})`;
    case 'char_length':
      return `CHAR_LENGTH(${unicode(first)})`;
    case 'left':
    case 'right':
      return `${fn.toUpperCase()}(${[unicode(first), ...rest].join(', ')})`;
  }
}

const EXACT_TEXT = exactText({
  operators: OPERATORS,
  binary,
  binaryRight: binary,
  binaryValue: binary,
  isIn: inTest,
});

/** The type that keeps all digits of a bound number; most have room in the first. */
function castOf(kind: FieldKind, value: BoundValue): string | undefined {
  switch (kind) {
    case 'integer':
      return BigInt(String(value)) > SIGNED_MAX ? 'UNSIGNED' : 'SIGNED';
    case 'numeric': {
      const [whole = '', fraction = ''] = String(value).replace('-', '').split('.');
      const room = Math.min(FRACTION_DIGITS_MAX, DIGITS_MAX - whole.length);
      // A plan that was made for MySQL holds none of these; the CAST would cut them silently.
      if (fraction.length > room || room < 0) {
        throw new VkitError('unsupported', 'A decimal has more digits than MySQL compares.');
      }
      return `DECIMAL(${DIGITS_MAX},${room})`;
    }
    default:
      return CASTS[kind];
  }
}

function bind(value: BoundValue, kind: FieldKind): BoundValue {
  if (typeof value === 'boolean') return Number(value);
  if (kind !== 'timestamp' && kind !== 'timestamptz') return value;
  // The session is in UTC, and MySQL knows no Z.
  return String(value).replace('T', ' ').replace(/Z$/, '');
}

/**
 * MySQL 8 and MariaDB 10.6 or newer, under the sql_mode, time zone, character set and collation that a session is pinned to.
 * A column is compared as it is only where an index may help; everywhere else text is UTF-8 bytes.
 */
export const mysqlDialect: Dialect = {
  name: 'mysql',
  joinTypes: ['INNER', 'LEFT', 'RIGHT'],
  // BIGINT UNSIGNED has one bit more than integers have elsewhere.
  constants: {
    integerMax: 2n ** 64n - 1n,
    digitsMax: DIGITS_MAX,
    fractionDigitsMax: FRACTION_DIGITS_MAX,
  },
  placeholdersNumbered: false,
  quoteIdentifier,
  table({ schema, name }) {
    const table = quoteIdentifier(name);
    return schema === '' ? table : `${quoteIdentifier(schema)}.${table}`;
  },
  placeholder(_index, kind, value) {
    const type = castOf(kind, value);
    return type === undefined ? '?' : cast('?', type);
  },
  bind,
  textLiteral: (value) => `'${value.replaceAll("'", "''")}'`,
  booleanLiteral: (value) => (value ? 'TRUE' : 'FALSE'),
  nullOf(type) {
    const known = Object.hasOwn(TYPE_OF_NULL, type) ? TYPE_OF_NULL[type] : undefined;
    return known === undefined ? unicode('NULL') : cast('NULL', known);
  },
  column(sql, _kind, type) {
    // As text a FLOAT has six digits; as a double it has all of its own.
    if (type === 'real') return `(${sql} + 0e0)`;
    if (type === 'bit') return `BIN(${sql})`;
    return type === 'geometry' ? `ST_AsText(${sql})` : sql;
  },
  call,
  ...EXACT_TEXT,
  // IS NULL is true of 0000-00-00 in a column that is NOT NULL.
  isNull: (column, kind) => `(${column} ${DATES.includes(kind) ? '<=> NULL' : 'IS NULL'})`,
  // As bytes, the escape character is the backslash under every sql_mode.
  like(operand, pattern, negated) {
    return `(${unicode(operand)} ${negated ? 'NOT LIKE' : 'LIKE'} ${pattern} ESCAPE x'5C')`;
  },
  key(sql, kind) {
    if (kind === 'text') return binary(sql);
    // MariaDB orders its UUIDs by their time.
    return kind === 'uuid' ? cast(sql, 'CHAR') : sql;
  },
  orderBy(sql, direction, nulls, neverNull) {
    // NULL is the smallest value here; sorting by `IS NULL` first would keep an index from being used.
    const isNatural = (direction === 'ASC') === (nulls === 'first');
    if (isNatural || neverNull) return `${sql} ${direction}`;
    return `${sql} IS NULL ${nulls === 'first' ? 'DESC' : 'ASC'}, ${sql} ${direction}`;
  },
  aggregate(fn, operand, kind, ordered) {
    if (operand === null) return 'COUNT(*)';
    switch (fn) {
      case 'count_distinct':
        return `COUNT(DISTINCT ${operand})`;
      case 'sum':
        return kind === 'float' && ordered ? orderedFloatSum(operand) : `SUM(${operand})`;
      case 'avg':
        if (kind !== 'float') {
          // The driver divides, with as many digits as elsewhere; what compares and sorts is the quotient alone.
          return `CONCAT(SUM(${operand}), '/', COUNT(${operand}))`;
        }
        return ordered ? `(${orderedFloatSum(operand)} / COUNT(${operand}))` : `AVG(${operand})`;
      default:
        return `${fn.toUpperCase()}(${operand})`;
    }
  },
  aggregateOperand(sql, fn, kind, operand) {
    return fn === 'avg' && kind !== 'float' ? `AVG(${operand})` : sql;
  },
  limit: (limit, offset) => `LIMIT ${limit}${offset > 0 ? ` OFFSET ${offset}` : ''}`,
};
