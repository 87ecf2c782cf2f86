import { VkitError } from '../errors/index.js';
import type { FieldKind } from '../schema/field-type.js';
import type { Dialect } from './dialect.js';
import type { BoundValue, Expr } from './expression.js';
import type { CompiledQuery, Plan, PlanSource } from './plan.js';
import { sameExpr } from './plan-order.js';

/** A value on its way into the SQL; where it stands is known only when the text is whole. */
interface Param {
  value: BoundValue;
  kind: FieldKind;
}

/** Stands for a value until the text is whole. No identifier or literal holds a NUL. */
const MARKER = /\0(\d+)\0/g;

/**
 * Writes a plan as one dialect's SQL, the same text for the same plan. Everything a requester wrote is a bound value;
 * the text holds names of the registry, quoted, and names and constants of vkit's own. Throws `unsupported` for what the
 * engine cannot say.
 */
export function renderPlan(plan: Plan, dialect: Dialect): CompiledQuery {
  for (const { type } of plan.joins) {
    if (dialect.joinTypes.includes(type)) continue;
    throw new VkitError('unsupported', `The engine "${dialect.name}" has no ${type} join.`);
  }
  const params: Param[] = [];
  const write = (expr: Expr): string => writeExpr(expr, dialect, params);
  const writeRow = (expr: Expr): string => {
    const isKey = plan.groupBy.some((key) => sameExpr(key, expr));
    return isKey && dialect.groupedKey ? dialect.groupedKey(write(expr)) : write(expr);
  };
  const outputs = plan.outputs.map(
    ({ expr }, index) => `${writeRow(expr)} AS ${dialect.quoteIdentifier(`c${index + 1}`)}`,
  );
  const clauses = [
    `SELECT ${outputs.join(', ')}`,
    `FROM ${writeSource(plan.from, dialect, write)}`,
    ...plan.joins.map(
      (join) =>
        `${join.type} JOIN ${writeSource(join.source, dialect, write)} ON ${write(join.on)}`,
    ),
    ...(plan.where === null ? [] : [`WHERE ${write(plan.where)}`]),
    ...(plan.groupBy.length === 0 ? [] : [`GROUP BY ${plan.groupBy.map(write).join(', ')}`]),
    ...(plan.having === null ? [] : [`HAVING ${write(plan.having)}`]),
    ...(plan.orderBy.length === 0 ? [] : [`ORDER BY ${writeOrder(plan, dialect, writeRow)}`]),
    dialect.limit(plan.limit, plan.offset),
  ];
  const { sql, values } = placeParams(clauses.join(' '), params, dialect);
  return {
    sql,
    params: values,
    columns: plan.outputs.map(({ column, token }) =>
      token === undefined ? column : { ...column, type: token.type },
    ),
    rowsMax: plan.limit,
    tables: plan.tables,
  };
}

function writeSource(source: PlanSource, dialect: Dialect, write: (expr: Expr) => string): string {
  const alias = dialect.quoteIdentifier(source.alias);
  const table = dialect.table(source.table);
  if (source.derived === null) return `${table} AS ${alias}`;
  const columns = source.derived.map(
    ({ name, expr }) => `${write(expr)} AS ${dialect.quoteIdentifier(name)}`,
  );
  const inside = dialect.quoteIdentifier(source.rawAlias);
  return `(SELECT ${columns.join(', ')} FROM ${table} AS ${inside}) AS ${alias}`;
}

function writeOrder(plan: Plan, dialect: Dialect, write: (expr: Expr) => string): string {
  const keys = plan.orderBy.map(({ expr, direction, nulls, neverNull }) =>
    dialect.orderBy(write(expr), direction, nulls, neverNull === true),
  );
  return keys.join(', ');
}

function writeExpr(expr: Expr, dialect: Dialect, params: Param[]): string {
  const write = (inner: Expr): string => writeExpr(inner, dialect, params);
  const operand = (inner: Expr): string => {
    const sql = write(inner);
    if (inner.node !== 'aggregate') return sql;
    const aggregated = inner.operand && write(inner.operand);
    return dialect.aggregateOperand(sql, inner.fn, inner.kind, aggregated);
  };
  switch (expr.node) {
    case 'column': {
      const { source, name, kind, type } = expr;
      // SQLite reads an unknown "name" as a text: qualified, it is an error.
      const column = `${dialect.quoteIdentifier(source)}.${dialect.quoteIdentifier(name)}`;
      return dialect.column(column, kind, type);
    }
    case 'text':
      return dialect.textLiteral(expr.value);
    case 'integer':
      return String(expr.value);
    case 'null':
      return dialect.nullOf(expr.type);
    case 'boolean':
      return dialect.booleanLiteral(expr.value);
    case 'param':
      params.push({ value: expr.value, kind: expr.kind });
      return `\0${params.length - 1}\0`;
    case 'unopened':
      throw new VkitError('internal', 'A plan that was made to be checked was about to be run.');
    case 'call':
      return dialect.call(expr.fn, expr.args.map(write));
    case 'case': {
      const branches = expr.branches.map(
        ({ when, result }) => `WHEN ${write(when)} THEN ${write(result)}`,
      );
      return `CASE ${branches.join(' ')} ELSE ${write(expr.otherwise)} END`;
    }
    case 'compare':
      return dialect.compare(expr.op, expr.kind, operand(expr.left), operand(expr.right));
    case 'like':
      return dialect.like(operand(expr.operand), write(expr.pattern), expr.negated);
    case 'in':
      return dialect.inList(expr.kind, operand(expr.operand), expr.values.map(write), expr.negated);
    case 'is_null':
      return writeIsNull(expr, dialect, write);
    case 'and':
      return `(${expr.items.map(write).join(' AND ')})`;
    case 'or':
      return `(${expr.items.map(write).join(' OR ')})`;
    case 'not':
      return `(NOT ${write(expr.item)})`;
    case 'key':
      return dialect.key(operand(expr.operand), expr.kind);
    case 'aggregate': {
      const { fn, kind, ordered } = expr;
      return dialect.aggregate(fn, expr.operand && write(expr.operand), kind, ordered);
    }
  }
}

function writeIsNull(
  { operand, negated }: Extract<Expr, { node: 'is_null' }>,
  dialect: Dialect,
  write: (expr: Expr) => string,
): string {
  const sql = write(operand);
  if (negated) return `(${sql} IS NOT NULL)`;
  const own = operand.node === 'column' ? dialect.isNull?.(sql, operand.kind) : undefined;
  return own ?? `(${sql} IS NULL)`;
}

/** Puts the placeholders in, in the order of the text. */
function placeParams(
  text: string,
  params: readonly Param[],
  dialect: Dialect,
): { sql: string; values: BoundValue[] } {
  const values: BoundValue[] = [];
  const numbers = new Map<number, number>();
  const sql = text.replace(MARKER, (_, digits: string) => {
    const index = Number(digits);
    const param = params[index];
    if (param === undefined) return '';
    let number = dialect.placeholdersNumbered ? numbers.get(index) : undefined;
    if (number === undefined) {
      number = values.push(dialect.bind(param.value, param.kind));
      numbers.set(index, number);
    }
    return dialect.placeholder(number, param.kind, param.value);
  });
  return { sql, values };
}
