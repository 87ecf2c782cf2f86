import type { Aql, AqlAggregate, AqlFilter, AqlOrder } from './model.js';
import { parseHavingField } from './parse-having-field.js';

/** What becomes of a field's name: another name, the same, or `null` for leaving out what uses it. */
export type Renaming = (name: string) => string | null;

export interface Rewriting {
  rename: Renaming;
  /** What becomes of a dataset's name. */
  renameDataset?: (name: string) => string;
  /** Whether conditions on a name that is left out are left out too: the answer then has other rows. */
  dropsConditions: boolean;
}

/**
 * The query with its names rewritten; `null` where it cannot be written without a name that is left out (a join, a condition
 * that must stay), or has no output any more. Names of aggregates stay what they are.
 */
export function rewriteNames(aql: Aql, rewriting: Rewriting): Aql | null {
  const { rename, dropsConditions, renameDataset = (name: string) => name } = rewriting;
  const kept = (aql.aggregates ?? []).flatMap((one): AqlAggregate[] => {
    const field = one.field === '*' ? '*' : rename(one.field);
    return field === null ? [] : [{ ...one, field }];
  });
  const aliases = new Set((aql.aggregates ?? []).map(outputOf));
  const left = new Set(kept.map(outputOf));
  const operand = (name: string): string | null => {
    if (aliases.has(name)) return left.has(name) ? name : null;
    const call = parseHavingField(name);
    if (call === undefined) return rename(name);
    const field = call.field === '*' ? '*' : rename(call.field);
    return field === null ? null : `${call.func}(${field})`;
  };
  const columns = (aql.columns ?? []).flatMap((name) =>
    name === '*' ? [name] : listed(rename(name)),
  );
  const joins = (aql.joins ?? []).map(({ and, ...join }) => {
    const pairs = [join, ...(and ?? [])].map((pair) => {
      const [one, other] = [rename(pair.left_field), rename(pair.right_field)];
      return one === null || other === null ? null : { left_field: one, right_field: other };
    });
    const [first, ...more] = pairs;
    if (!first || more.includes(null)) return null;
    return {
      ...join,
      ...first,
      table: renameDataset(join.table),
      ...(and && { and: more.filter((pair) => pair !== null) }),
    };
  });
  const filters = conditions(aql.filters ?? [], rename, dropsConditions);
  const having = conditions(aql.having ?? [], operand, dropsConditions);
  const isEmpty = columns.length + kept.length === 0;
  if (isEmpty || joins.includes(null) || filters === null || having === null) return null;
  return compact({
    ...aql,
    source_table: renameDataset(aql.source_table),
    columns,
    joins: joins.filter((join) => join !== null),
    aggregates: kept,
    filters,
    group_by: (aql.group_by ?? []).flatMap((name) => listed(rename(name))),
    having,
    order_by: (aql.order_by ?? []).flatMap((order): AqlOrder[] => {
      const column = operand(order.column);
      return column === null ? [] : [{ ...order, column }];
    }),
  });
}

/** Every name of a field in a query, each once, the names of its own aggregates aside. */
export function fieldNames(aql: Aql): string[] {
  const names = new Set<string>();
  rewriteNames(aql, {
    dropsConditions: false,
    rename: (name) => {
      names.add(name);
      return name;
    },
  });
  return [...names];
}

function outputOf({ func, field, alias }: AqlAggregate): string {
  return alias ?? `${func}_${field}`;
}

function listed(name: string | null): string[] {
  return name === null ? [] : [name];
}

/** Conditions that are ANDed; `null` where one of them uses a name that is left out and must stay. */
function conditions(
  filters: readonly AqlFilter[],
  rename: Renaming,
  drops: boolean,
): AqlFilter[] | null {
  const result: AqlFilter[] = [];
  for (const filter of filters) {
    const written = condition(filter, rename);
    if (written !== null) result.push(written);
    else if (!drops) return null;
  }
  return result;
}

/** A group is left out as a whole: a part of it would say something else. */
function condition(filter: AqlFilter, rename: Renaming): AqlFilter | null {
  if (!('logic' in filter)) {
    const field = rename(filter.field);
    return field === null ? null : { ...filter, field };
  }
  const parts = filter.conditions.map((part) => condition(part, rename));
  if (parts.includes(null)) return null;
  return { ...filter, conditions: parts.filter((part) => part !== null) };
}

/** Without the lists that have become empty. */
function compact(aql: Aql): Aql {
  const entries = Object.entries(aql).filter(
    ([, value]) => !Array.isArray(value) || value.length > 0,
  );
  return Object.fromEntries(entries) as unknown as Aql;
}
