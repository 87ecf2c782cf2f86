import type { Catalog } from './catalog.js';
import { quoted, report } from './input-checks.js';
import type { Aql, AqlFilter, AqlOrder } from './model.js';
import { createNameScope, labelOf, type NameScope, type ScopeSource } from './name-scope.js';
import { parseHavingField } from './parse-having-field.js';
import type {
  FieldRef,
  Operand,
  ResolvedAggregate,
  ResolvedColumn,
  ResolvedFilter,
  ResolvedJoin,
  ResolvedOrder,
  ResolvedQuery,
} from './resolved-query.js';

/**
 * Looks every name of a parsed query up in the registry. Nothing is thrown: `unknown` names and `problems` are collected,
 * and what could be resolved is in the result. Only a result without either can be planned.
 */
export function resolveAql(aql: Aql, catalog: Catalog): ResolvedQuery {
  const written = [{ table: aql.source_table, alias: undefined }, ...(aql.joins ?? [])];
  const found = written.map(
    ({ table, alias }): ScopeSource => ({
      written: table,
      ...(alias !== undefined && { alias }),
      dataset: catalog.dataset(table),
    }),
  );
  const scope = createNameScope(found);
  checkLabels(found, scope);
  checkDatasources(found, scope);
  const columns = resolveColumns(aql.columns ?? [], scope);
  const joins = resolveJoins(aql, scope);
  const aggregates = resolveAggregates(aql, scope);
  const filters = resolveFilters(aql.filters ?? [], '/filters', scope, (name, pointer) =>
    toOperand(scope.resolve(name, pointer)),
  );
  const groupBy = (aql.group_by ?? []).flatMap((name, index) => {
    const pointer = `/group_by/${index}`;
    const ref = scope.resolve(name, pointer);
    return ref === undefined ? [] : [{ ref, pointer }];
  });
  const having = resolveHaving(aql, aggregates, scope);
  const orderBy = (aql.order_by ?? []).flatMap((order, index) =>
    resolveOrder(order, `/order_by/${index}`, aggregates, scope),
  );
  return {
    datasource: found[0]?.dataset?.datasource ?? null,
    sources: found.flatMap((source) =>
      source.dataset === undefined ? [] : [{ dataset: source.dataset, label: labelOf(source) }],
    ),
    joins,
    columns,
    aggregates,
    filters,
    groupBy,
    having,
    orderBy,
    limit: aql.limit ?? null,
    offset: aql.offset ?? 0,
    references: scope.references(),
    unknown: scope.unknown,
    problems: scope.problems,
    star: columns.some((column) => 'star' in column),
  };
}

/** One pointer for each place in `columns`: all queries have the same. */
const COLUMN_POINTERS: string[] = [];

/** `index` is below the limit that the parser sets. */
function columnPointer(index: number): string {
  let pointer = COLUMN_POINTERS[index];
  if (pointer === undefined) {
    pointer = `/columns/${index}`;
    COLUMN_POINTERS[index] = pointer;
  }
  return pointer;
}

function resolveColumns(names: readonly string[], scope: NameScope): ResolvedColumn[] {
  const columns: ResolvedColumn[] = [];
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    const pointer = columnPointer(index);
    const ref = name === '*' ? undefined : scope.resolve(name, pointer);
    if (ref !== undefined) columns.push({ ref, pointer });
    else if (name === '*') columns.push({ star: true, pointer });
  }
  return columns;
}

function checkLabels(sources: readonly ScopeSource[], scope: NameScope): void {
  const seen = new Set<string>();
  for (const [index, source] of sources.entries()) {
    const label = labelOf(source).toLowerCase();
    if (seen.has(label)) {
      report(scope.problems, {
        pointer: `/joins/${index - 1}/${source.alias === undefined ? 'table' : 'alias'}`,
        code: 'duplicate_name',
        message: `The query already has a dataset called ${quoted(labelOf(source))}.`,
        suggestion: 'Give this join an `alias` of its own.',
      });
    }
    seen.add(label);
  }
}

function checkDatasources(sources: readonly ScopeSource[], scope: NameScope): void {
  const first = sources[0]?.dataset;
  for (const [index, source] of sources.entries()) {
    if (first === undefined || source.dataset === undefined) continue;
    if (source.dataset.datasource === first.datasource) continue;
    report(scope.problems, {
      pointer: `/joins/${index - 1}/table`,
      code: 'two_datasources',
      message: `${quoted(source.dataset.name)} lives in another datasource than ${quoted(first.name)}.`,
      suggestion: 'Send one query per datasource.',
    });
  }
}

function resolveJoins(aql: Aql, scope: NameScope): ResolvedJoin[] {
  return (aql.joins ?? []).map((join, index) => {
    const pointer = `/joins/${index}`;
    const written = [
      { ...join, pointer },
      ...(join.and ?? []).map((pair, at) => ({ ...pair, pointer: `${pointer}/and/${at}` })),
    ];
    const pairs = written.flatMap((pair) => {
      const left = scope.resolve(pair.left_field, `${pair.pointer}/left_field`);
      const right = scope.resolve(pair.right_field, `${pair.pointer}/right_field`);
      if (left === undefined || right === undefined) return [];
      const sides = orientPair(left, right, index + 1);
      if (sides === undefined) {
        report(scope.problems, {
          pointer: pair.pointer,
          code: 'join_sides',
          message: 'One field must belong to the dataset that joins, the other to one before it.',
        });
        return [];
      }
      return [{ ...sides, pointer: pair.pointer }];
    });
    return { type: join.type, source: index + 1, pairs, pointer };
  });
}

function orientPair(
  left: FieldRef,
  right: FieldRef,
  joining: number,
): { left: FieldRef; right: FieldRef } | undefined {
  if (right.source === joining && left.source < joining) return { left, right };
  if (left.source === joining && right.source < joining) return { left: right, right: left };
  return undefined;
}

function resolveAggregates(aql: Aql, scope: NameScope): ResolvedAggregate[] {
  return (aql.aggregates ?? []).flatMap(({ func, field, alias }, index): ResolvedAggregate[] => {
    const pointer = `/aggregates/${index}`;
    if (field === '*') return [{ func, ref: null, name: alias ?? func, pointer }];
    const ref = scope.resolve(field, `${pointer}/field`);
    return ref === undefined ? [] : [{ func, ref, name: alias ?? `${func}_${ref.field}`, pointer }];
  });
}

/** The one aggregate an output name stands for: exactly, else in any case. */
function aggregateNamed(
  name: string,
  aggregates: readonly ResolvedAggregate[],
): ResolvedAggregate | undefined {
  const exact = aggregates.find((aggregate) => aggregate.name === name);
  if (exact !== undefined) return exact;
  const lower = name.toLowerCase();
  const alike = aggregates.filter((aggregate) => aggregate.name.toLowerCase() === lower);
  return alike.length === 1 ? alike[0] : undefined;
}

type ResolveOperand = (name: string, pointer: string) => Operand | undefined;

function toOperand(ref: FieldRef | undefined): Operand | undefined {
  return ref === undefined ? undefined : { ref };
}

function resolveFilters(
  filters: readonly AqlFilter[],
  pointer: string,
  scope: NameScope,
  resolveOperand: ResolveOperand,
): ResolvedFilter[] {
  return filters.flatMap((filter, index): ResolvedFilter[] => {
    const at = `${pointer}/${index}`;
    if ('logic' in filter) {
      const inner = resolveFilters(filter.conditions, `${at}/conditions`, scope, resolveOperand);
      return [{ logic: filter.logic, conditions: inner }];
    }
    const operand = resolveOperand(filter.field, `${at}/field`);
    if (operand === undefined) return [];
    return [{ operator: filter.operator, operand, value: filter.value, pointer: at }];
  });
}

function resolveHaving(
  aql: Aql,
  aggregates: readonly ResolvedAggregate[],
  scope: NameScope,
): ResolvedFilter[] {
  return resolveFilters(aql.having ?? [], '/having', scope, (name, pointer) => {
    const named = aggregateNamed(name, aggregates);
    if (named !== undefined) return { func: named.func, aggregateOf: named.ref };
    const call = parseHavingField(name);
    if (call === undefined) {
      report(scope.problems, {
        pointer,
        code: 'not_an_aggregate',
        message: `${quoted(name)} is neither an aggregate's name nor FUNC(field).`,
        suggestion: 'Conditions on fields go into `filters`.',
      });
      return undefined;
    }
    if (call.field === '*') return { func: call.func, aggregateOf: null };
    const ref = scope.resolve(call.field, pointer);
    return ref === undefined ? undefined : { func: call.func, aggregateOf: ref };
  });
}

function resolveOrder(
  order: AqlOrder,
  pointer: string,
  aggregates: readonly ResolvedAggregate[],
  scope: NameScope,
): ResolvedOrder[] {
  const named = aggregateNamed(order.column, aggregates);
  const operand: Operand | undefined =
    named === undefined
      ? toOperand(scope.resolve(order.column, `${pointer}/column`))
      : { func: named.func, aggregateOf: named.ref };
  if (operand === undefined) return [];
  // NULL counts as the largest value in every engine, whatever its own habit is.
  const nulls = order.nulls ?? (order.direction === 'ASC' ? 'last' : 'first');
  return [{ operand, direction: order.direction, nulls, pointer }];
}
