import type { Dice } from './dice.js';

type Json = Record<string, unknown>;
type Mistake = (query: Json, hidden: string | undefined) => unknown;

const add = (query: Json, key: string, entry: unknown): Json => {
  const list = query[key];
  return { ...query, [key]: [...(Array.isArray(list) ? list : []), entry] };
};
const filter = (condition: Json) => (query: Json) => add(query, 'filters', condition);
const COUNT = [{ func: 'count', field: '*' }];

/**
 * What is wrong with a query, by the code it is refused with. Every table has a field `ref`. A query that is right but for
 * this, and of rows of one dataset, is refused with this code alone.
 */
export const MISTAKES: Readonly<Record<string, readonly Mistake[]>> = {
  ambiguous_name: [
    (query) =>
      add(query, 'joins', {
        table: query.source_table,
        alias: 'again',
        left_field: 'ref',
        right_field: 'again.ref',
      }),
  ],
  denied: [
    (query) => add(query, 'columns', 'nothing'),
    (query) => ({ ...query, source_table: 'nothing' }),
    (query, hidden) => add(query, 'columns', hidden ?? 'nothing'),
    filter({ operator: 'is_null', field: 'nothing' }),
  ],
  duplicate_name: [
    (query) => {
      const field = `${query.source_table}.ref`;
      const pair = { left_field: field, right_field: field };
      // The names of both are the same: so their fields are ambiguous, too.
      return add(query, 'joins', { table: query.source_table, ...pair });
    },
  ],
  duplicate_output: [
    (query) => ({ ...query, columns: ['ref', 'REF'] }),
    (query) => ({
      ...query,
      columns: ['ref'],
      aggregates: [{ ...COUNT[0], alias: 'ref' }],
      order_by: null,
    }),
  ],
  empty: [(query) => add(query, 'columns', '')],
  enum: [
    filter({ operator: 'is', field: 'ref' }),
    (query) => add(query, 'aggregates', { func: 'median', field: 'ref' }),
  ],
  having_without_groups: [
    (query) => add(query, 'having', { operator: 'gte', field: 'COUNT(*)', value: 0 }),
  ],
  join_sides: [
    (query) =>
      add(query, 'joins', {
        table: query.source_table,
        alias: 'again',
        left_field: 'again.ref',
        right_field: 'again.ref',
      }),
  ],
  not_an_aggregate: [
    (query) => add(query, 'having', { operator: 'gt', field: 'ref', value: 1 }),
    (query) => add(query, 'having', { operator: 'gt', field: 'count(*) or 1', value: 0 }),
    (query) => add(query, 'having', { operator: 'gt', field: 'sum(*)', value: 0 }),
  ],
  not_grouped: [
    (query) => ({ ...query, columns: ['*'], aggregates: COUNT, group_by: ['ref'], order_by: null }),
    (query) => ({ ...query, columns: null, aggregates: COUNT, order_by: { column: 'ref' } }),
  ],
  null_value: [
    filter({ operator: 'eq', field: 'ref', value: null }),
    filter({ operator: 'in', field: 'ref', value: [1, null] }),
  ],
  required: [
    ({ columns: _, aggregates: __, ...query }) => query,
    filter({ logic: 'OR', conditions: [] }),
  ],
  type: [
    (query) => ({ ...query, offset: -1 }),
    (query) => ({ ...query, columns: 'all' }),
    () => ['*'],
  ],
  unknown_key: [(query) => ({ ...query, wher: [] })],
  unsupported_on_type: [
    filter({ operator: 'like', field: 'ref', value: '1' }),
    filter({ operator: 'not_like', field: 'ref', value: '%' }),
  ],
  value: [
    filter({ operator: 'eq', field: 'ref', value: 1.5 }),
    filter({ operator: 'gt', field: 'ref', value: '9223372036854775808' }),
    filter({ operator: 'between', field: 'ref', value: [1] }),
    filter({ operator: 'is_null', field: 'ref', value: 1 }),
    (query) => add(query, 'aggregates', { func: 'sum', field: '*' }),
  ],
};

/** What is unusual, and right. */
const ODDITIES: readonly Mistake[] = [
  (query) => ({ ...query, columns: ['*', '*'], limit: 0, filters: null, group_by: null }),
  (query) => add(query, 'order_by', { column: 'ref' }),
];

/** The query with something in it that is refused, or at least unusual. */
export function withMistake(
  dice: Dice,
  query: Json,
  hidden: string | undefined,
  code?: string,
): unknown {
  const all = [...Object.values(MISTAKES).flat(), ...ODDITIES];
  return dice.pick(code === undefined ? all : (MISTAKES[code] ?? all))(query, hidden);
}
