import type { Catalog } from './catalog.js';
import { quoted, report } from './input-checks.js';
import type { Aql, AqlAggregate, AqlFilter, AqlJoin, AqlOrder } from './model.js';
import { labelOf, NameScope, type ScopeSource } from './name-scope.js';
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
  ResolvedSource,
} from './resolved-query.js';

/**
 * Looks every name of a parsed query up in the registry. Nothing is thrown: `unknown` names and `problems` are collected,
 * and what could be resolved is in the result. Only a result without either can be planned.
 */
export function resolveAql(aql: Aql, catalog: Catalog): ResolvedQuery {
  const found = findSources(aql, catalog);
  const scope = new NameScope(found);
  checkLabels(found, scope);
  checkDatasources(found, scope);
  const columns = resolveColumns(aql.columns ?? [], scope);
  const joins = resolveJoins(aql.joins ?? [], scope);
  const aggregates = resolveAggregates(aql.aggregates ?? [], scope);
  const filters = resolveFilters(aql.filters ?? [], '/filters', (name, pointer) =>
    toOperand(scope.resolve(name, pointer)),
  );
  const groupBy = resolveGroups(aql.group_by ?? [], scope);
  const having = resolveHaving(aql.having ?? [], aggregates, scope);
  const orderBy = resolveOrders(aql.order_by ?? [], aggregates, scope);
  const sources: ResolvedSource[] = [];
  for (const source of found) {
    const { dataset } = source;
    if (dataset !== undefined) sources.push({ dataset, label: labelOf(source) });
  }
  return {
    datasource: found[0]?.dataset?.datasource ?? null,
    sources,
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

function findSources({ source_table, joins }: Aql, catalog: Catalog): ScopeSource[] {
  const found: ScopeSource[] = [
    { written: source_table, alias: undefined, dataset: catalog.dataset(source_table) },
  ];
  for (const { table, alias } of joins ?? []) {
    found.push({ written: table, alias, dataset: catalog.dataset(table) });
  }
  return found;
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
  if (sources.length === 1) return;
  const seen = new Set<string>();
  for (let index = 0; index < sources.length; index += 1) {
    const source = sources[index] as ScopeSource;
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
  for (let index = 1; index < sources.length; index += 1) {
    const dataset = sources[index]?.dataset;
    if (first === undefined || dataset === undefined) continue;
    if (dataset.datasource === first.datasource) continue;
    report(scope.problems, {
      pointer: `/joins/${index - 1}/table`,
      code: 'two_datasources',
      message: `${quoted(dataset.name)} lives in another datasource than ${quoted(first.name)}.`,
      suggestion: 'Send one query per datasource.',
    });
  }
}

function resolveJoins(joins: readonly AqlJoin[], scope: NameScope): ResolvedJoin[] {
  return joins.map((join, index) => {
    const pointer = `/joins/${index}`;
    const source = index + 1;
    const pairs: JoinPair[] = [];
    addPair(join, pointer, source, scope, pairs);
    const more = join.and ?? [];
    for (let at = 0; at < more.length; at += 1) {
      addPair(more[at] as AqlPair, `${pointer}/and/${at}`, source, scope, pairs);
    }
    return { type: join.type, source, pairs, pointer };
  });
}

type AqlPair = Pick<AqlJoin, 'left_field' | 'right_field'>;
type JoinPair = ResolvedJoin['pairs'][number];

function addPair(
  pair: AqlPair,
  pointer: string,
  joining: number,
  scope: NameScope,
  pairs: JoinPair[],
): void {
  const left = scope.resolve(pair.left_field, `${pointer}/left_field`);
  const right = scope.resolve(pair.right_field, `${pointer}/right_field`);
  if (left === undefined || right === undefined) return;
  if (right.source === joining && left.source < joining) {
    pairs.push({ left, right, pointer });
  } else if (left.source === joining && right.source < joining) {
    pairs.push({ left: right, right: left, pointer });
  } else {
    report(scope.problems, {
      pointer,
      code: 'join_sides',
      message: 'One field must belong to the dataset that joins, the other to one before it.',
    });
  }
}

function resolveAggregates(
  aggregates: readonly AqlAggregate[],
  scope: NameScope,
): ResolvedAggregate[] {
  return aggregates.flatMap(({ func, field, alias }, index): ResolvedAggregate[] => {
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
  if (aggregates.length === 0) return undefined;
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
  resolveOperand: ResolveOperand,
): ResolvedFilter[] {
  const resolved: ResolvedFilter[] = [];
  for (let index = 0; index < filters.length; index += 1) {
    const filter = filters[index] as AqlFilter;
    const at = `${pointer}/${index}`;
    if ('logic' in filter) {
      const conditions = resolveFilters(filter.conditions, `${at}/conditions`, resolveOperand);
      resolved.push({ logic: filter.logic, conditions });
      continue;
    }
    const operand = resolveOperand(filter.field, `${at}/field`);
    if (operand === undefined) continue;
    resolved.push({ operator: filter.operator, operand, value: filter.value, pointer: at });
  }
  return resolved;
}

function resolveGroups(names: readonly string[], scope: NameScope): ResolvedQuery['groupBy'] {
  return names.flatMap((name, index) => {
    const pointer = `/group_by/${index}`;
    const ref = scope.resolve(name, pointer);
    return ref === undefined ? [] : [{ ref, pointer }];
  });
}

function resolveHaving(
  having: readonly AqlFilter[],
  aggregates: readonly ResolvedAggregate[],
  scope: NameScope,
): ResolvedFilter[] {
  return resolveFilters(having, '/having', (name, pointer) => {
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

function resolveOrders(
  orders: readonly AqlOrder[],
  aggregates: readonly ResolvedAggregate[],
  scope: NameScope,
): ResolvedOrder[] {
  const resolved: ResolvedOrder[] = [];
  for (let index = 0; index < orders.length; index += 1) {
    const order = orders[index] as AqlOrder;
    const pointer = `/order_by/${index}`;
    const named = aggregateNamed(order.column, aggregates);
    const operand: Operand | undefined =
      named === undefined
        ? toOperand(scope.resolve(order.column, `${pointer}/column`))
        : { func: named.func, aggregateOf: named.ref };
    if (operand === undefined) continue;
    // NULL counts as the largest value in every engine, whatever its own habit is.
    const nulls = order.nulls ?? (order.direction === 'ASC' ? 'last' : 'first');
    resolved.push({ operand, direction: order.direction, nulls, pointer });
  }
  return resolved;
}
