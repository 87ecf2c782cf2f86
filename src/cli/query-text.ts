import type { Aql, AqlFilter } from '../aql/model.js';
import type { Fact } from './facts.js';

/** Values of one list, and characters of one value, that a line for people has; `--json` has them all. */
const VALUES_MAX = 20;
const VALUE_CHARACTERS_MAX = 80;

const SIGNS: Readonly<Record<string, string>> = {
  eq: '=',
  neq: '<>',
  gt: '>',
  lt: '<',
  gte: '>=',
  lte: '<=',
  like: 'like',
  not_like: 'not like',
  in: 'in',
  not_in: 'not in',
  between: 'between',
  is_null: 'is null',
  is_not_null: 'is not null',
};

/** A query for whoever has to judge it, a line for each of its clauses. */
export function queryFacts(aql: Aql): Fact[] {
  const aggregates = (aql.aggregates ?? []).map(
    ({ func, field, alias }) => `${func}(${field})${alias === undefined ? '' : ` as ${alias}`}`,
  );
  const selected = [...(aql.columns ?? []), ...aggregates];
  const joins = (aql.joins ?? []).map(({ type, table, alias, and = [], ...first }) => {
    const pairs = [first, ...and].map((pair) => `${pair.left_field} = ${pair.right_field}`);
    return `${type} ${table}${alias === undefined ? '' : ` as ${alias}`} on ${pairs.join(' and ')}`;
  });
  const order = (aql.order_by ?? []).map(({ column, direction }) => `${column} ${direction}`);
  return [
    ['columns', selected.length === 0 ? '*' : selected.join(', ')],
    ['joins', joins.join('; ')],
    ['filters', all(aql.filters)],
    ['grouped by', (aql.group_by ?? []).join(', ')],
    ['having', all(aql.having)],
    ['ordered by', order.join(', ')],
    ['limit', aql.limit ?? 'none'],
    ['offset', aql.offset],
  ];
}

function all(filters: readonly AqlFilter[] | undefined): string {
  return (filters ?? []).map(filterText).join(' and ');
}

function filterText(filter: AqlFilter): string {
  if ('logic' in filter) {
    const parts = filter.conditions.map(filterText);
    if (filter.logic === 'NOT') return `not (${parts.join(' and ')})`;
    return `(${parts.join(filter.logic === 'OR' ? ' or ' : ' and ')})`;
  }
  const { field, operator, value } = filter;
  const sign = SIGNS[operator] ?? operator;
  return value === undefined ? `${field} ${sign}` : `${field} ${sign} ${valueText(value)}`;
}

function valueText(value: unknown): string {
  if (!Array.isArray(value)) {
    const text = JSON.stringify(value) ?? '';
    return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
  }
  const shown = value.slice(0, VALUES_MAX).map(valueText);
  const more = value.length - shown.length;
  return `(${[...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ')})`;
}
