import { CONSTANT_BOUNDS } from '../../aql/bind-value.js';
import type { Dialect } from '../../aql/dialect.js';
import type { BuiltInFunction, ComparisonOperator } from '../../aql/expression.js';
import { VkitError } from '../../errors/index.js';
import type { FieldKind } from '../../schema/field-type.js';

const OPERATORS: Record<ComparisonOperator, string> = {
  eq: '=',
  neq: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
};

/** How a bound value gets its kind. Text needs nothing, and dates, times and uuids are text in SQLite. */
const CASTS: Partial<Record<FieldKind, string>> = {
  boolean: 'INTEGER',
  integer: 'INTEGER',
  numeric: 'NUMERIC',
  float: 'REAL',
};

function quoteIdentifier(name: string): string {
  if (name.includes('\0')) {
    throw new VkitError('unsupported', 'SQLite has no identifiers with NUL characters.');
  }
  return `"${name.replaceAll('"', '""')}"`;
}

function call(fn: BuiltInFunction, args: readonly string[]): string {
  const list = args.join(', ');
  switch (fn) {
    case 'to_text':
      return `vkit_text(${list})`;
    // SQLite has one order over all values, in which only equal values are equal.
    case 'identity_key':
    case 'canonical_numeric':
      return list;
    default:
      return `vkit_${fn}(${list})`;
  }
}

/** An operand as it is compared: timestamps by what they mean in any of their spellings. */
function comparable(kind: FieldKind, sql: string): string {
  if (kind === 'timestamp' || kind === 'timestamptz') return `vkit_timestamp(${sql})`;
  return sql;
}

function collated(kind: FieldKind, sql: string): string {
  return kind === 'text' ? `${sql} COLLATE BINARY` : comparable(kind, sql);
}

/** SQLite 3.44 or newer, with the functions of functions.ts on the connection. */
export const sqliteDialect: Dialect = {
  name: 'sqlite',
  joinTypes: ['INNER', 'LEFT', 'RIGHT', 'FULL'],
  constants: CONSTANT_BOUNDS,
  placeholdersNumbered: false,
  quoteIdentifier,
  // Without its schema a name could be that of a temporary table.
  table({ schema, name }) {
    return `${quoteIdentifier(schema === '' ? 'main' : schema)}.${quoteIdentifier(name)}`;
  },
  placeholder(_index, kind) {
    const type = CASTS[kind];
    return type === undefined ? '?' : `CAST(? AS ${type})`;
  },
  bind: (value) => (typeof value === 'boolean' ? Number(value) : value),
  textLiteral: (value) => `'${value.replaceAll("'", "''")}'`,
  booleanLiteral: (value) => (value ? '1' : '0'),
  nullOf: () => 'NULL',
  column: (sql) => sql,
  call,
  compare(op, kind, left, right) {
    return `(${collated(kind, left)} ${OPERATORS[op]} ${comparable(kind, right)})`;
  },
  inList(kind, operand, values, negated) {
    const list = values.map((value) => comparable(kind, value)).join(', ');
    return `(${collated(kind, operand)} ${negated ? 'NOT IN' : 'IN'} (${list}))`;
  },
  // The LIKE of SQLite ignores the case of ASCII letters, and any connection may change that.
  like(operand, pattern, negated) {
    const test = `vkit_like(${operand}, ${pattern})`;
    return negated ? `(NOT ${test})` : test;
  },
  key: (sql, kind) => collated(kind, sql),
  orderBy: (sql, direction, nulls) => `${sql} ${direction} NULLS ${nulls.toUpperCase()}`,
  aggregate(fn, operand, kind, ordered) {
    if (operand === null) return 'count(*)';
    switch (fn) {
      case 'count_distinct':
        return `count(DISTINCT ${operand})`;
      case 'sum':
      case 'avg':
        // SQLite adds decimals up as floats, and its integer sums fail when they overflow.
        if (kind !== 'float') return `vkit_${fn}(${operand})`;
        return `${fn}(${operand}${ordered ? ` ORDER BY ${operand}` : ''})`;
      default:
        return `${fn}(${operand})`;
    }
  },
  aggregateOperand(sql, fn, kind) {
    const isExact = (fn === 'sum' || fn === 'avg') && kind !== 'float';
    return isExact ? `CAST(${sql} AS NUMERIC)` : sql;
  },
  limit: (limit, offset) => `LIMIT ${limit}${offset > 0 ? ` OFFSET ${offset}` : ''}`,
};
