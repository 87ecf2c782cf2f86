import type { Dialect } from '../../aql/dialect.js';
import type { BoundValue, BuiltInFunction, ComparisonOperator } from '../../aql/expression.js';
import { VkitError } from '../../errors/index.js';
import type { FieldKind } from '../../schema/field-type.js';
import type { TableIdentity } from '../../schema/model.js';
import { exactText, inTest } from '../exact-text.js';
import { exactFloatSum } from './exact-float-sum.js';

const OPERATORS: Record<ComparisonOperator, string> = {
  eq: '=',
  neq: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
};

/** What a BIGNUMERIC holds whatever its digits are; it has room for some longer ones. */
const DECIMAL_LIMIT = /^-?\d{1,38}(?:\.\d{1,38})?$/;

/** How a bound value gets its kind. Values are bound as STRING, FLOAT64, BOOL or BYTES, which those kinds need no more of. */
const CASTS: Partial<Record<FieldKind, string>> = {
  integer: 'INT64',
  numeric: 'BIGNUMERIC',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'DATETIME',
  timestamptz: 'TIMESTAMP',
};

/**
 * The type of a NULL that stands for a column of a normalised type; what is not here is text. Arrays are not, since
 * BigQuery answers an empty array for a NULL one.
 */
const TYPE_OF_NULL: Readonly<Record<string, string>> = {
  boolean: 'BOOL',
  smallint: 'INT64',
  integer: 'INT64',
  bigint: 'INT64',
  numeric: 'BIGNUMERIC',
  real: 'FLOAT64',
  double: 'FLOAT64',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'DATETIME',
  timestamptz: 'TIMESTAMP',
  interval: 'INTERVAL',
  json: 'JSON',
  bytes: 'BYTES',
  geometry: 'GEOGRAPHY',
};

/** What makes more of a table's name than a name: wildcards, decorators, paths. */
const SPECIAL_IN_NAMES = /[.*$@:]/;
const SYSTEM_SCHEMA = 'information_schema';
/** Names of the sources of a query: `t1.x` after a source `t1` is one of its columns. */
const SOURCE_ALIAS = /^(?:t\d+|raw)$/i;

function cast(sql: string, type: string): string {
  return `CAST(${sql} AS ${type})`;
}

/** `alias`.`column`, and nothing around it. */
const PLAIN_COLUMN = /^`(?:[^`\\]|\\.)*`\.`(?:[^`\\]|\\.)*`$/;

/** Text by its code points: an empty name takes the collation from a column that has one. */
function binary(sql: string): string {
  return `COLLATE(${sql}, '')`;
}

/** Identifiers and literals know the same escapes (GoogleSQL, "Lexical structure and syntax"). */
function escaped(text: string, quote: string): string {
  const inside = text
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return `${quote}${inside}${quote}`;
}

function quoteIdentifier(name: string): string {
  if (name.includes('\0')) {
    throw new VkitError('unsupported', 'BigQuery has no identifiers with NUL characters.');
  }
  return escaped(name, '`');
}

/** `project.dataset` names both; a dataset alone is one of the project that pays for the query. */
function tableName({ schema, name }: TableIdentity): string {
  const dot = schema.lastIndexOf('.');
  const project = dot === -1 ? [] : [schema.slice(0, dot)];
  const dataset = schema === '' ? [] : [schema.slice(dot + 1)];
  const isAmbiguous = project.length === 0 && dataset.some((one) => SOURCE_ALIAS.test(one));
  const isSystem = [...dataset, name].some((one) => one.toLowerCase() === SYSTEM_SCHEMA);
  if (isAmbiguous || isSystem || [...dataset, name].some((one) => SPECIAL_IN_NAMES.test(one))) {
    throw new VkitError('unsupported', 'This name of a BigQuery table stands for something else.');
  }
  return [...project, ...dataset, name].map(quoteIdentifier).join('.');
}

function call(fn: BuiltInFunction, args: readonly string[]): string {
  const list = args.join(', ');
  switch (fn) {
    case 'to_text':
    // The text of a decimal has no zeros at its end.
    case 'decimal_text':
      return cast(list, 'STRING');
    case 'canonical_numeric':
      return list;
    case 'identity_key':
      return `IF(${list} IS NULL, NULL, TO_JSON_STRING(${list}))`;
    case 'sha256_hex':
      return `TO_HEX(SHA256(${list}))`;
    default:
      return `${fn.toUpperCase()}(${list})`;
  }
}

const EXACT_TEXT = exactText({
  operators: OPERATORS,
  binary,
  binaryRight: binary,
  isIn: inTest,
});

function bind(value: BoundValue, kind: FieldKind): BoundValue {
  if (kind === 'numeric' && !DECIMAL_LIMIT.test(String(value))) {
    throw new VkitError(
      'unsupported',
      'BigQuery compares decimals of at most 38 digits before and 38 after the point.',
      { hint: 'Write a shorter number.' },
    );
  }
  return value;
}

/** An average is sent as `quotient=sum/count`; the driver divides, with as many digits as elsewhere. */
function decimalAverage(operand: string): string {
  const decimal = cast(operand, 'BIGNUMERIC');
  const quotient = cast(`AVG(${decimal})`, 'STRING');
  const sum = cast(`SUM(${decimal})`, 'STRING');
  return `CONCAT(${quotient}, '=', ${sum}, '/', ${cast(`COUNT(${operand})`, 'STRING')})`;
}

/** GoogleSQL as BigQuery has it. Every function that is named is built in, and no other can take its place. */
export const bigqueryDialect: Dialect = {
  name: 'bigquery',
  joinTypes: ['INNER', 'LEFT', 'RIGHT', 'FULL'],
  // Fewer digits than a BIGNUMERIC has room for: it holds this many on either side of the point, wherever that is.
  constants: { integerMax: 2n ** 63n - 1n, digitsMax: 38, fractionDigitsMax: 38 },
  placeholdersNumbered: true,
  quoteIdentifier,
  table: tableName,
  placeholder(index, kind) {
    const type = CASTS[kind];
    return type === undefined ? `@p${index}` : cast(`@p${index}`, type);
  },
  bind,
  textLiteral: (value) => escaped(value, "'"),
  booleanLiteral: (value) => (value ? 'TRUE' : 'FALSE'),
  nullOf(type) {
    const known = Object.hasOwn(TYPE_OF_NULL, type) ? TYPE_OF_NULL[type] : undefined;
    return cast('NULL', known ?? 'STRING');
  },
  column: (sql) => sql,
  call,
  ...EXACT_TEXT,
  // A backslash takes the special meaning from the character after it; there is no ESCAPE to say so.
  like(operand, pattern, negated) {
    return `(${binary(operand)} ${negated ? 'NOT LIKE' : 'LIKE'} ${pattern})`;
  },
  key: (sql, kind) => (kind === 'text' ? binary(sql) : sql),
  // SELECT and ORDER BY may repeat a column of GROUP BY, but no expression. The values of a group are all the same.
  groupedKey: (sql) => (PLAIN_COLUMN.test(sql) ? sql : `MIN(${sql})`),
  orderBy: (sql, direction, nulls) => `${sql} ${direction} NULLS ${nulls.toUpperCase()}`,
  aggregate(fn, operand, kind, ordered) {
    if (operand === null) return 'COUNT(*)';
    switch (fn) {
      case 'count_distinct':
        return `COUNT(DISTINCT ${operand})`;
      case 'sum':
        // A sum of INT64 fails where it overflows.
        if (kind !== 'float') return `SUM(${cast(operand, 'BIGNUMERIC')})`;
        return ordered ? exactFloatSum(operand) : `SUM(${operand})`;
      case 'avg':
        if (kind !== 'float') return decimalAverage(operand);
        if (!ordered) return `AVG(${operand})`;
        return `(${exactFloatSum(operand)} / NULLIF(COUNT(${operand}), 0))`;
      default:
        return `${fn.toUpperCase()}(${operand})`;
    }
  },
  aggregateOperand(sql, fn, kind) {
    const isQuotient = fn === 'avg' && kind !== 'float';
    return isQuotient ? cast(`REGEXP_EXTRACT(${sql}, '^[^=]*')`, 'BIGNUMERIC') : sql;
  },
  limit: (limit, offset) => `LIMIT ${limit}${offset > 0 ? ` OFFSET ${offset}` : ''}`,
};
