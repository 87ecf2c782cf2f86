import { CONSTANT_BOUNDS } from '../../aql/bind-value.js';
import type { Dialect } from '../../aql/dialect.js';
import type { BuiltInFunction, ComparisonOperator } from '../../aql/expression.js';
import { VkitError } from '../../errors/index.js';
import type { FieldKind } from '../../schema/field-type.js';
import { exactText } from '../exact-text.js';

const OPERATORS: Record<ComparisonOperator, string> = {
  eq: 'OPERATOR(pg_catalog.=)',
  neq: 'OPERATOR(pg_catalog.<>)',
  lt: 'OPERATOR(pg_catalog.<)',
  lte: 'OPERATOR(pg_catalog.<=)',
  gt: 'OPERATOR(pg_catalog.>)',
  gte: 'OPERATOR(pg_catalog.>=)',
};

/** The type in which values of a kind are bound; comparisons of json, array and other do not exist. */
const TYPE_OF_KIND: Record<FieldKind, string> = {
  boolean: 'bool',
  integer: 'int8',
  numeric: 'numeric',
  float: 'float8',
  text: 'text',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  bytes: 'bytea',
  json: 'text',
  array: 'text',
  other: 'text',
};

/** The type of a NULL that stands for a column of a normalised type; what is not here is text. */
const TYPE_OF_NULL: Readonly<Record<string, string>> = {
  boolean: 'bool',
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  numeric: 'numeric',
  money: 'money',
  real: 'float4',
  double: 'float8',
  varchar: 'varchar',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timetz: 'timetz',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  interval: 'interval',
  json: 'json',
  jsonb: 'jsonb',
  xml: 'xml',
  bytes: 'bytea',
  inet: 'inet',
  cidr: 'cidr',
  macaddr: 'macaddr',
  bit: 'varbit',
};

function cast(sql: string, type: string): string {
  return `CAST(${sql} AS pg_catalog.${type})`;
}

/** Text by its code points, whatever collation the column has. */
function binary(sql: string): string {
  return `${sql} COLLATE pg_catalog."C"`;
}

function quoteIdentifier(name: string): string {
  if (name.includes('\0')) {
    throw new VkitError('unsupported', 'PostgreSQL has no identifiers with NUL characters.');
  }
  return `"${name.replaceAll('"', '""')}"`;
}

function call(fn: BuiltInFunction, args: readonly string[]): string {
  const list = args.join(', ');
  switch (fn) {
    case 'to_text':
    case 'identity_key':
      return cast(list, 'text');
    case 'decimal_text':
      return cast(`pg_catalog.trim_scale(${list})`, 'text');
    case 'canonical_numeric':
      return `pg_catalog.trim_scale(${list})`;
    case 'sha256_hex':
      return `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(${list}, 'UTF8')), 'hex')`;
    default:
      return `pg_catalog.${fn}(${list})`;
  }
}

const EXACT_TEXT = exactText({
  operators: OPERATORS,
  binary,
  isIn(values, negated) {
    // IN would look its operator up on the search path.
    const list = `(ARRAY[${values.join(', ')}])`;
    return negated ? `${OPERATORS.neq} ALL ${list}` : `${OPERATORS.eq} ANY ${list}`;
  },
});

/** PostgreSQL 13 or newer (`trim_scale`). Functions, operators and types are named in `pg_catalog`. */
export const postgresDialect: Dialect = {
  name: 'postgres',
  joinTypes: ['INNER', 'LEFT', 'RIGHT', 'FULL'],
  constants: CONSTANT_BOUNDS,
  placeholdersNumbered: true,
  quoteIdentifier,
  table({ schema, name }) {
    return `${quoteIdentifier(schema === '' ? 'public' : schema)}.${quoteIdentifier(name)}`;
  },
  placeholder: (index, kind) => cast(`$${index}`, TYPE_OF_KIND[kind]),
  bind: (value) => value,
  textLiteral: (value) => cast(`'${value.replaceAll("'", "''")}'`, 'text'),
  booleanLiteral: (value) => (value ? 'TRUE' : 'FALSE'),
  nullOf(type) {
    const element = type.replace(/(\[\])+$/, '');
    const known = Object.hasOwn(TYPE_OF_NULL, element) ? TYPE_OF_NULL[element] : 'text';
    return cast('NULL', `${known}${type === element ? '' : '[]'}`);
  },
  // An enum compares by the order of its labels, a char(n) keeps its padding: as text, both are like everywhere else.
  column: (sql, _kind, type) => (type === 'enum' || type === 'char' ? cast(sql, 'text') : sql),
  call,
  ...EXACT_TEXT,
  like(operand, pattern, negated) {
    const operator = negated ? 'OPERATOR(pg_catalog.!~~)' : 'OPERATOR(pg_catalog.~~)';
    // What LIKE … ESCAPE '\' is parsed into, with its operator named; E'' means the same under every setting.
    return `(${binary(operand)} ${operator} pg_catalog.like_escape(${pattern}, E'\\\\'))`;
  },
  // The cast is for texts whose type brings an order of its own (citext).
  key: (sql, kind) => (kind === 'text' ? binary(cast(sql, 'text')) : sql),
  orderBy: (sql, direction, nulls) => `${sql} ${direction} NULLS ${nulls.toUpperCase()}`,
  aggregate(fn, operand, kind, ordered) {
    if (operand === null) return 'pg_catalog.count(*)';
    switch (fn) {
      case 'count_distinct':
        return `pg_catalog.count(DISTINCT ${operand})`;
      case 'sum':
      case 'avg': {
        if (kind !== 'float') {
          return `pg_catalog.trim_scale(pg_catalog.${fn}(${cast(operand, 'numeric')}))`;
        }
        const value = cast(operand, 'float8');
        return `pg_catalog.${fn}(${value}${ordered ? ` ORDER BY ${value}` : ''})`;
      }
      default:
        return `pg_catalog.${fn}(${operand})`;
    }
  },
  aggregateOperand: (sql) => sql,
  limit: (limit, offset) => `LIMIT ${limit}${offset > 0 ? ` OFFSET ${offset}` : ''}`,
};
