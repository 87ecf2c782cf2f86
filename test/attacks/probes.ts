/** A query that would tell the two databases of `masked-values.test.ts` apart, if nothing were masked. */
export interface Probe {
  name: string;
  aql: object;
  /** Engines that refuse the query whatever is masked, or see no difference in it, and why. */
  blunt?: Partial<Record<'sqlite' | 'postgres' | 'mysql', string>>;
}

const people = (more: object) => ({ source_table: 'people', columns: ['id'], ...more });
const filter = (operator: string, field: string, value?: unknown) =>
  people({ filters: [value === undefined ? { operator, field } : { operator, field, value }] });
const order = (column: string, direction: string, more: object = {}) =>
  people({ order_by: { column, direction }, limit: 1, ...more });
const counted = (...aggregates: [func: string, field: string][]) => ({
  source_table: 'people',
  aggregates: aggregates.map(([func, field]) => ({ func, field })),
});
const groups = (column: string) => ({
  source_table: 'people',
  columns: [column],
  aggregates: [{ func: 'count', field: '*', alias: 'n' }],
});
const having = (operator: string, field: string, value: unknown) => ({
  source_table: 'people',
  columns: ['team'],
  aggregates: [{ func: 'count', field: '*', alias: 'n' }],
  having: [{ operator, field, value }],
});
const joined = (type: string, left: string, right: string, more: object = {}) => ({
  source_table: 'people',
  columns: ['people.id', 'copies.id'],
  joins: [{ type, table: 'copies', left_field: `people.${left}`, right_field: `copies.${right}` }],
  ...more,
});

/** Guesses at what the first database has and the second has not. */
const MAIL = 'zoe-7731@example.com';
const CODE = 'AB-7731-X';

export const PROBES: readonly Probe[] = [
  // Equality.
  { name: 'eq with the value', aql: filter('eq', 'mail', MAIL) },
  { name: 'neq with the value', aql: filter('neq', 'mail', MAIL) },
  { name: 'in with the value among others', aql: filter('in', 'mail', ['a', MAIL, 'b']) },
  { name: 'not_in with the value', aql: filter('not_in', 'mail', [MAIL]) },
  { name: 'eq with the whole of what is shown in part', aql: filter('eq', 'code', CODE) },
  { name: 'eq of a number', aql: filter('eq', 'balance', 77310) },
  { name: 'eq of a number as text', aql: filter('eq', 'balance', '77310') },
  { name: 'eq of a date', aql: filter('eq', 'born', '1977-03-31') },
  { name: 'eq of a boolean', aql: filter('eq', 'active', true) },
  { name: 'is_null', aql: filter('is_null', 'mail') },
  { name: 'is_not_null of a number', aql: filter('is_not_null', 'balance') },
  { name: 'eq with an empty text', aql: filter('eq', 'note', '') },
  {
    name: 'NOT of an equality',
    aql: people({
      filters: [{ logic: 'NOT', conditions: [{ operator: 'eq', field: 'mail', value: MAIL }] }],
    }),
  },
  {
    name: 'an equality among readable ones',
    aql: people({
      filters: [
        {
          logic: 'OR',
          conditions: [
            { operator: 'eq', field: 'id', value: 3 },
            {
              logic: 'AND',
              conditions: [
                { operator: 'eq', field: 'id', value: 1 },
                { operator: 'eq', field: 'mail', value: MAIL },
              ],
            },
          ],
        },
      ],
    }),
  },
  // Ranges: one bit of a value with each.
  { name: 'gt of a text', aql: filter('gt', 'mail', 'm') },
  { name: 'lte of a text', aql: filter('lte', 'mail', 'm') },
  { name: 'between texts', aql: filter('between', 'mail', ['y', 'zz']) },
  { name: 'gte of a number', aql: filter('gte', 'balance', 1_000_000) },
  { name: 'lt of the least number', aql: filter('lt', 'balance', '-9223372036854775807') },
  { name: 'between numbers', aql: filter('between', 'balance', [77000, 78000]) },
  { name: 'gt of a float', aql: filter('gt', 'score', 1e300) },
  { name: 'lt of a date', aql: filter('lt', 'born', '1980-01-01') },
  { name: 'gt of what is shown in part', aql: filter('gt', 'code', 'AB-5') },
  { name: 'range of what is shown in part', aql: filter('between', 'code', ['AB-7', 'AB-8']) },
  // Patterns.
  { name: 'like with a beginning', aql: filter('like', 'mail', 'z%') },
  { name: 'like with an end', aql: filter('like', 'mail', '%7731@example.com') },
  { name: 'like with a length', aql: filter('like', 'mail', '_'.repeat(MAIL.length)) },
  { name: 'like with a middle of what is shown in part', aql: filter('like', 'code', '%7731%') },
  { name: 'like with a place of what is shown in part', aql: filter('like', 'code', 'AB-7%') },
  { name: 'not_like with a beginning', aql: filter('not_like', 'mail', 'z%') },
  { name: 'not_like with an end', aql: filter('not_like', 'note', '%1') },
  // Order.
  { name: 'the first by a text', aql: order('mail', 'ASC') },
  { name: 'the last by a text', aql: order('mail', 'DESC') },
  { name: 'the first by a number', aql: order('balance', 'ASC') },
  { name: 'the last by a float', aql: order('score', 'DESC') },
  { name: 'the first by a date', aql: order('born', 'ASC') },
  { name: 'the first by what is shown in part', aql: order('code', 'ASC') },
  {
    name: 'NULLs first',
    aql: people({ order_by: [{ column: 'mail', direction: 'ASC', nulls: 'first' }], limit: 1 }),
  },
  { name: 'the second by a number', aql: order('balance', 'DESC', { offset: 1 }) },
  { name: 'everything by a boolean', aql: people({ order_by: [{ column: 'active' }] }) },
  {
    name: 'an order by the greatest of groups',
    aql: {
      source_table: 'people',
      columns: ['team'],
      aggregates: [{ func: 'max', field: 'mail', alias: 'top' }],
      order_by: { column: 'top' },
      limit: 1,
    },
  },
  // Groups and aggregates.
  { name: 'groups of a text', aql: groups('mail') },
  { name: 'groups of a number', aql: groups('balance') },
  { name: 'groups of what is shown in part', aql: groups('code') },
  { name: 'groups of a boolean', aql: groups('active') },
  { name: 'count of what is not NULL', aql: counted(['count', 'mail'], ['count', 'balance']) },
  { name: 'count of different values', aql: counted(['count_distinct', 'mail']) },
  { name: 'count of different numbers', aql: counted(['count_distinct', 'balance']) },
  { name: 'least and greatest text', aql: counted(['min', 'mail'], ['max', 'mail']) },
  { name: 'least and greatest number', aql: counted(['min', 'balance'], ['max', 'balance']) },
  { name: 'least date', aql: counted(['min', 'born']) },
  { name: 'greatest of what is shown in part', aql: counted(['max', 'code']) },
  {
    name: 'an aggregate called like the field',
    aql: {
      source_table: 'people',
      columns: ['team'],
      aggregates: [{ func: 'max', field: 'balance', alias: 'mail' }],
      having: [{ operator: 'gt', field: 'mail', value: 0 }],
      order_by: { column: 'mail' },
    },
  },
  // Having.
  { name: 'having a least text', aql: having('lt', 'MIN(mail)', 'm') },
  { name: 'having the greatest text', aql: having('like', 'max(mail)', 'z%') },
  { name: 'having different values', aql: having('gt', 'COUNT_DISTINCT(mail)', 1) },
  { name: 'having a count of values', aql: having('lt', 'COUNT(balance)', 2) },
  { name: 'having a sum', aql: having('gt', 'SUM(balance)', 1_000_000) },
  { name: 'having an average', aql: having('lt', 'avg(score)', 1) },
  { name: 'having the greatest of what is shown in part', aql: having('eq', 'MAX(code)', CODE) },
  { name: 'having a greatest date', aql: having('gt', 'MAX(born)', '2005-01-01') },
  // Joins with a readable copy, and with itself.
  { name: 'inner join with a copy', aql: joined('INNER', 'mail', 'mail') },
  { name: 'left join with a copy', aql: joined('LEFT', 'mail', 'mail') },
  { name: 'right join with a copy', aql: joined('RIGHT', 'mail', 'mail') },
  {
    name: 'full join with a copy',
    aql: joined('FULL', 'mail', 'mail'),
    blunt: { mysql: 'It has no FULL join.' },
  },
  { name: 'join of a number with a copy', aql: joined('INNER', 'balance', 'amount') },
  { name: 'join of what is shown in part with a copy', aql: joined('INNER', 'code', 'code') },
  {
    name: 'join with a copy, counted',
    aql: {
      ...joined('INNER', 'mail', 'mail'),
      columns: [],
      aggregates: [{ func: 'count', field: '*' }],
    },
  },
  {
    name: 'join with a copy as a second pair of keys',
    aql: {
      source_table: 'people',
      columns: ['people.id', 'copies.id'],
      joins: [
        {
          table: 'copies',
          left_field: 'people.id',
          right_field: 'copies.id',
          and: [{ left_field: 'people.mail', right_field: 'copies.mail' }],
        },
      ],
    },
  },
  {
    name: 'join with itself by what is hidden',
    aql: {
      source_table: 'people',
      columns: ['people.id', 'other.id'],
      joins: [
        { table: 'people', alias: 'other', left_field: 'people.mail', right_field: 'other.note' },
      ],
    },
  },
  // Errors that would depend on a value.
  { name: 'a sum that leaves its type', aql: counted(['sum', 'balance']) },
  { name: 'a sum of floats that overflows', aql: counted(['sum', 'score']) },
  { name: 'an average of great floats', aql: counted(['avg', 'score']) },
  { name: 'an average of great numbers', aql: counted(['avg', 'balance']) },
  // Everything, and pages of it.
  { name: 'every field', aql: { source_table: 'people', columns: ['*'] } },
  { name: 'a hidden field without an order', aql: people({ columns: ['mail'] }) },
  {
    name: 'a page without an order',
    aql: people({ columns: ['mail', 'balance'], limit: 1, offset: 1 }),
  },
];

/** Queries that make no sense whatever is hidden; their refusal says nothing of values either. */
export const NONSENSE: readonly Probe[] = [
  { name: 'a text compared with a number', aql: filter('eq', 'digits', 12) },
  { name: 'a text compared with a list', aql: filter('eq', 'mail', [MAIL]) },
  { name: 'a number compared with a word', aql: filter('gt', 'balance', 'many') },
  { name: 'a sum of texts that are digits', aql: counted(['sum', 'digits']) },
  { name: 'having an average of texts', aql: having('gt', 'AVG(digits)', 1) },
  { name: 'a join of digits with a number', aql: joined('INNER', 'digits', 'amount') },
  { name: 'a join of a number with digits', aql: joined('INNER', 'balance', 'mail') },
  { name: 'a pattern on a number', aql: filter('like', 'balance', '7%') },
  { name: 'a pattern with half an escape', aql: filter('like', 'mail', 'x\\') },
  { name: 'a number beyond its type', aql: filter('lt', 'balance', '99999999999999999999') },
];
