import { VkitError } from '../errors/index.js';
import type { FieldKind } from '../schema/field-type.js';
import type { Dialect } from './dialect.js';
import { type DialectTexts, textsOf } from './dialect-texts.js';
import type { BoundValue, Expr } from './expression.js';
import type {
  CompiledQuery,
  OutputColumn,
  Plan,
  PlanOutput,
  PlanSource,
  ProjectedColumn,
} from './plan.js';
import { sameExpr } from './plan-order.js';

/** A value on its way into the SQL; where it stands is known only when the text around it is whole. */
interface Param {
  value: BoundValue;
  kind: FieldKind;
}

/** Stands, on both sides of a value's index, for the value until the text is whole. No identifier or literal holds a NUL. */
const MARK = '\0';

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
  const writer = new Writer(plan, dialect);
  const sql = writer.query();
  return {
    sql,
    params: writer.values,
    columns: plan.outputs.map(answeredColumn),
    rowsMax: plan.limit,
    tables: plan.tables,
  };
}

function answeredColumn({ column, token }: PlanOutput): OutputColumn {
  return token === undefined ? column : { ...column, type: token.type };
}

/** Writes one plan, clause by clause. */
class Writer {
  /** Bound values, in the order of their placeholders. */
  readonly values: BoundValue[] = [];
  readonly #plan: Plan;
  readonly #dialect: Dialect;
  readonly #texts: DialectTexts;
  readonly #params: Param[] = [];
  /** So many of the values stand in clauses that are whole. */
  #placed = 0;
  /** The placeholders' numbers by the values' indexes, where values are numbered. */
  readonly #numbers: number[] = [];

  constructor(plan: Plan, dialect: Dialect) {
    this.#plan = plan;
    this.#dialect = dialect;
    this.#texts = textsOf(dialect);
  }

  query(): string {
    const { from, joins, where, groupBy, having, limit, offset } = this.#plan;
    let sql = this.#place(`SELECT ${this.#outputs()}`);
    sql += this.#place(` FROM ${this.#source(from)}`);
    for (const { type, source, on } of joins) {
      sql += this.#place(` ${type} JOIN ${this.#source(source)} ON ${this.#write(on)}`);
    }
    if (where !== null) sql += this.#place(` WHERE ${this.#write(where)}`);
    if (groupBy.length > 0) sql += this.#place(` GROUP BY ${this.#writeAll(groupBy, ', ')}`);
    if (having !== null) sql += this.#place(` HAVING ${this.#write(having)}`);
    if (this.#plan.orderBy.length > 0) sql += this.#place(` ORDER BY ${this.#order()}`);
    return `${sql} ${this.#dialect.limit(limit, offset)}`;
  }

  #outputs(): string {
    const { outputs } = this.#plan;
    let sql = '';
    for (let index = 0; index < outputs.length; index += 1) {
      const { expr } = outputs[index] as PlanOutput;
      sql += `${index === 0 ? '' : ', '}${this.#writeRow(expr)}${this.#texts.outputName(index)}`;
    }
    return sql;
  }

  #source(source: PlanSource): string {
    const { alias, table, derived, rawAlias } = source;
    if (derived === null) return this.#texts.source(source);
    let columns = '';
    for (const one of derived) columns += `${columns === '' ? '' : ', '}${this.#projected(one)}`;
    const inside = `${this.#dialect.table(table)} AS ${this.#dialect.quoteIdentifier(rawAlias)}`;
    return `(SELECT ${columns} FROM ${inside}) AS ${this.#dialect.quoteIdentifier(alias)}`;
  }

  /** A column of a derived table: all plans write it alike, but for one that binds a value. */
  #projected(one: ProjectedColumn): string {
    const known = this.#texts.projected.get(one);
    if (known !== undefined) return known;
    const before = this.#params.length;
    const text = `${this.#write(one.expr)} AS ${this.#dialect.quoteIdentifier(one.name)}`;
    if (this.#params.length === before) this.#texts.projected.set(one, text);
    return text;
  }

  #order(): string {
    let sql = '';
    for (const { expr, direction, nulls, neverNull } of this.#plan.orderBy) {
      const key = this.#writeRow(expr);
      sql += sql === '' ? '' : ', ';
      sql += this.#dialect.orderBy(key, direction, nulls, neverNull === true);
    }
    return sql;
  }

  /** An expression of SELECT or ORDER BY. */
  #writeRow(expr: Expr): string {
    const sql = this.#write(expr);
    const { groupBy } = this.#plan;
    if (groupBy.length === 0 || this.#dialect.groupedKey === undefined) return sql;
    return groupBy.some((key) => sameExpr(key, expr)) ? this.#dialect.groupedKey(sql) : sql;
  }

  #write(expr: Expr): string {
    const dialect = this.#dialect;
    switch (expr.node) {
      case 'column':
        return this.#texts.column(expr);
      case 'text':
        return dialect.textLiteral(expr.value);
      case 'integer':
        return String(expr.value);
      case 'null':
        return dialect.nullOf(expr.type);
      case 'boolean':
        return dialect.booleanLiteral(expr.value);
      case 'param':
        this.#params.push(expr);
        return `${MARK}${this.#params.length - 1}${MARK}`;
      case 'unopened':
        throw new VkitError('internal', 'A plan that was made to be checked was about to be run.');
      case 'call':
        return dialect.call(expr.fn, this.#list(expr.args));
      case 'case':
        return this.#case(expr);
      case 'compare': {
        const left = this.#operand(expr.left);
        return dialect.compare(expr.op, expr.kind, left, this.#operand(expr.right));
      }
      case 'like': {
        const operand = this.#operand(expr.operand);
        return dialect.like(operand, this.#write(expr.pattern), expr.negated);
      }
      case 'in': {
        const operand = this.#operand(expr.operand);
        return dialect.inList(expr.kind, operand, this.#list(expr.values), expr.negated);
      }
      case 'is_null':
        return this.#isNull(expr);
      case 'and':
        return `(${this.#writeAll(expr.items, ' AND ')})`;
      case 'or':
        return `(${this.#writeAll(expr.items, ' OR ')})`;
      case 'not':
        return `(NOT ${this.#write(expr.item)})`;
      case 'key':
        return dialect.key(this.#operand(expr.operand), expr.kind);
      case 'aggregate': {
        const { fn, kind, ordered } = expr;
        return dialect.aggregate(fn, expr.operand && this.#write(expr.operand), kind, ordered);
      }
    }
  }

  #list(items: readonly Expr[]): string[] {
    return items.map((item) => this.#write(item));
  }

  #writeAll(items: readonly Expr[], separator: string): string {
    let sql = '';
    for (const item of items) sql += `${sql === '' ? '' : separator}${this.#write(item)}`;
    return sql;
  }

  #operand(expr: Expr): string {
    const sql = this.#write(expr);
    if (expr.node !== 'aggregate') return sql;
    const aggregated = expr.operand && this.#write(expr.operand);
    return this.#dialect.aggregateOperand(sql, expr.fn, expr.kind, aggregated);
  }

  #case({ branches, otherwise }: Extract<Expr, { node: 'case' }>): string {
    let sql = 'CASE';
    for (const { when, result } of branches) {
      sql += ` WHEN ${this.#write(when)} THEN ${this.#write(result)}`;
    }
    return `${sql} ELSE ${this.#write(otherwise)} END`;
  }

  #isNull({ operand, negated }: Extract<Expr, { node: 'is_null' }>): string {
    const sql = this.#write(operand);
    if (negated) return `(${sql} IS NOT NULL)`;
    const own = operand.node === 'column' ? this.#dialect.isNull?.(sql, operand.kind) : undefined;
    return own ?? `(${sql} IS NULL)`;
  }

  /** Puts the placeholders into a clause, in the order of its text; the clauses come in theirs. */
  #place(clause: string): string {
    if (this.#params.length === this.#placed) return clause;
    this.#placed = this.#params.length;
    const parts = clause.split(MARK);
    let sql = parts[0] ?? '';
    for (let at = 1; at + 1 < parts.length; at += 2) {
      sql += `${this.#placeholder(Number(parts[at]))}${parts[at + 1]}`;
    }
    return sql;
  }

  #placeholder(index: number): string {
    const { value, kind } = this.#params[index] as Param;
    let number = this.#dialect.placeholdersNumbered ? this.#numbers[index] : undefined;
    if (number === undefined) {
      number = this.values.push(this.#dialect.bind(value, kind));
      this.#numbers[index] = number;
    }
    return this.#dialect.placeholder(number, kind, value);
  }
}
