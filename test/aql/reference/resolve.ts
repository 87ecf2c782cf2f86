import type { AggregateFunction, FilterOperator, JoinType } from '../../../src/aql/model.js';
import { meaningsOf, type Ref, type Source, sourceOf } from './names.js';
import type { AggregatePart, Condition, Query } from './read-query.js';
import type { ReferenceWorld } from './schema.js';

/** What a condition or an order looks at: a field, or an aggregate; of `count(*)` there is no field. */
export type Operand = { ref: Ref } | { func: AggregateFunction; of: Ref | null };

export type Filter =
  | { logic: 'AND' | 'OR' | 'NOT'; conditions: Filter[] }
  | { operator: FilterOperator; operand: Operand; value: unknown };

export interface Order {
  operand: Operand;
  direction: 'ASC' | 'DESC';
  nulls: 'first' | 'last';
  /** As the query says it. */
  saidNulls: 'first' | 'last' | null;
}

export interface Aggregate {
  func: AggregateFunction;
  of: Ref | null;
  name: string;
}

export interface Join {
  type: JoinType;
  pairs: { left: Ref; right: Ref }[];
}

/** A query whose names are known. */
export interface Resolved {
  sources: readonly Source[];
  columns: Ref[];
  joins: Join[];
  aggregates: Aggregate[];
  filters: Filter[];
  groupBy: Ref[];
  having: Filter[];
  orderBy: Order[];
  limit: number | null;
  offset: number;
}

/** Looks all names up, or tells why it cannot be done: what is denied hides what is malformed. */
export function resolve(query: Query, world: ReferenceWorld): Resolved | { refused: string[] } {
  const written = [{ table: query.source, alias: null }, ...query.joins];
  const sources = written.flatMap(({ table, alias }) => {
    const dataset = world.datasets.find((one) => one.name.toLowerCase() === table.toLowerCase());
    return dataset === undefined ? [] : [sourceOf(dataset, alias ?? dataset.name, world)];
  });
  // The datasets that are known would be resolved one way or another; the answer is the same.
  if (sources.length < written.length) return { refused: ['denied'] };
  const scope = new Scope(sources);
  const resolved: Resolved = {
    sources,
    columns: selected(query, scope, world),
    joins: query.joins.map((join, at) => ({
      type: join.type,
      pairs: join.pairs.flatMap((pair) => scope.pair(pair, at + 1)),
    })),
    aggregates: query.aggregates.flatMap((part) => scope.aggregate(part)),
    filters: scope.filters(query.filters, (name) => scope.field(name)?.operand),
    groupBy: query.groupBy.flatMap((name) => scope.field(name)?.ref ?? []),
    having: [],
    orderBy: [],
    limit: query.limit,
    offset: query.offset,
  };
  const { aggregates } = resolved;
  resolved.having = scope.filters(query.having, (name) => scope.havingOperand(name, aggregates));
  resolved.orderBy = query.orderBy.flatMap(({ column, direction, nulls }) => {
    const operand = named(column, aggregates) ?? scope.field(column)?.operand;
    if (operand === undefined) return [];
    // "NULL sorts as the largest value unless the query says otherwise."
    const byDefault = direction === 'ASC' ? 'last' : 'first';
    return [{ operand, direction, nulls: nulls ?? byDefault, saidNulls: nulls }];
  });
  scope.checkLabels();
  const isHidden = scope.touched.some(
    (ref) => visibilityOf(ref, sources, world).state === 'hidden',
  );
  // A name that is unknown gets the answer of one that is denied.
  if (isHidden || scope.isUnknown) return { refused: ['denied'] };
  return scope.problems.length > 0 ? { refused: scope.problems } : resolved;
}

export function visibilityOf(ref: Ref, sources: readonly Source[], world: ReferenceWorld) {
  const dataset = sources[ref.source]?.dataset;
  return world.visibility(dataset?.name ?? '', dataset?.fields[ref.index]?.name ?? '');
}

export const sameRef = (left: Ref, right: Ref) =>
  left.source === right.source && left.index === right.index;

/** `*` is every field that is not denied and not selected beside it; it stands where it first stands. */
function selected({ columns }: Query, scope: Scope, world: ReferenceWorld): Ref[] {
  const named = columns.flatMap((name) => (name === '*' ? [] : (scope.field(name)?.ref ?? [])));
  const rest = scope.sources
    .flatMap(({ dataset }, source) => dataset.fields.map((_, index): Ref => ({ source, index })))
    .filter((ref) => visibilityOf(ref, scope.sources, world).state !== 'hidden')
    .filter((ref) => !named.some((one) => sameRef(one, ref)));
  return columns.flatMap((name, at) => {
    if (name !== '*') return scope.field(name)?.ref ?? [];
    return columns.indexOf('*') === at ? rest : [];
  });
}

/** An aggregate by its name: as it is, else in any case where that is no other's. */
function named(name: string, aggregates: readonly Aggregate[]): Operand | undefined {
  const alike = aggregates.filter((one) => one.name.toLowerCase() === name.toLowerCase());
  const found =
    aggregates.find((one) => one.name === name) ?? (alike.length === 1 ? alike[0] : undefined);
  return found && { func: found.func, of: found.of };
}

class Scope {
  readonly problems: string[] = [];
  readonly touched: Ref[] = [];
  isUnknown = false;

  constructor(readonly sources: readonly Source[]) {}

  field(name: string): { ref: Ref; operand: Operand } | undefined {
    const meanings = meaningsOf(name, this.sources);
    this.touched.push(...meanings);
    const [ref] = meanings;
    if (ref === undefined) this.isUnknown = true;
    if (meanings.length > 1) this.problems.push('ambiguous_name');
    return ref === undefined || meanings.length > 1 ? undefined : { ref, operand: { ref } };
  }

  /** One of a pair belongs to the dataset that joins, the other to one before it; either may come first. */
  pair(written: { left: string; right: string }, joining: number): Join['pairs'] {
    const one = this.field(written.left)?.ref;
    const other = this.field(written.right)?.ref;
    if (one === undefined || other === undefined) return [];
    if (one.source < joining && other.source === joining) return [{ left: one, right: other }];
    if (other.source < joining && one.source === joining) return [{ left: other, right: one }];
    this.problems.push('join_sides');
    return [];
  }

  aggregate({ func, field, alias }: AggregatePart): Aggregate[] {
    if (field === '*') return [{ func, of: null, name: alias ?? func }];
    const ref = this.field(field)?.ref;
    if (ref === undefined) return [];
    const name = this.sources[ref.source]?.dataset.fields[ref.index]?.name;
    return [{ func, of: ref, name: alias ?? `${func}_${name}` }];
  }

  filters(
    conditions: readonly Condition[],
    operandOf: (name: string) => Operand | undefined,
  ): Filter[] {
    return conditions.flatMap((one): Filter[] => {
      if ('logic' in one) {
        return [{ logic: one.logic, conditions: this.filters(one.conditions, operandOf) }];
      }
      const operand = operandOf(one.field);
      return operand ? [{ operator: one.operator, operand, value: one.value }] : [];
    });
  }

  /** "The field is an aggregate's alias or `FUNC(field)`." */
  havingOperand(name: string, aggregates: readonly Aggregate[]): Operand | undefined {
    const byName = named(name, aggregates);
    if (byName !== undefined) return byName;
    const call = /^\s*(count|count_distinct|sum|avg|min|max)\s*\(\s*([^()]*?)\s*\)\s*$/i.exec(name);
    const func = call?.[1]?.toLowerCase() as AggregateFunction | undefined;
    const field = call?.[2] ?? '';
    if (func === undefined || field === '' || (field === '*' && func !== 'count')) {
      this.problems.push('not_an_aggregate');
      return undefined;
    }
    if (field === '*') return { func, of: null };
    const ref = this.field(field)?.ref;
    return ref && { func, of: ref };
  }

  checkLabels(): void {
    const labels = this.sources.map(({ label }) => label.toLowerCase());
    if (new Set(labels).size < labels.length) this.problems.push('duplicate_name');
  }
}
