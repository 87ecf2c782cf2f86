import fc from 'fast-check';

/** In every text that the queries bring along: aliases, values and patterns. */
export const FOREIGN = 'FOREIGN';

const TEXTS = ['people.mail', 'name'];
const NUMBERS = ['people.id', 'size', 'ratio'];
const FIELDS = [...TEXTS, ...NUMBERS];

const foreign = fc
  .constantFrom('', "'", '"', '$1', '?', '--', '\\', ';', '/*', '%', 'é', '\n')
  .map((odd) => `${odd}${FOREIGN}${odd}x`);

const condition = fc.oneof(
  fc.record({
    operator: fc.constantFrom('eq', 'neq', 'lt', 'gte', 'like', 'not_like'),
    field: fc.constantFrom(...TEXTS),
    value: foreign,
  }),
  fc.record({
    operator: fc.constantFrom('in', 'not_in'),
    field: fc.constantFrom(...TEXTS, 'people.id'),
    value: fc.array(foreign, { maxLength: 3 }),
  }),
  fc.record({
    operator: fc.constantFrom('eq', 'gt'),
    field: fc.constantFrom(...NUMBERS),
    value: fc.nat(9),
  }),
  fc.record({
    operator: fc.constantFrom('is_null', 'is_not_null'),
    field: fc.constantFrom(...FIELDS),
  }),
);

const filter = fc.oneof(
  condition,
  fc.record({
    logic: fc.constantFrom('AND', 'OR', 'NOT'),
    conditions: fc.array(condition, { minLength: 1, maxLength: 3 }),
  }),
);

const join = fc.constantFrom('INNER', 'LEFT', 'RIGHT', 'FULL').chain((type) =>
  foreign.map((alias) => ({
    type,
    table: 'visits',
    alias,
    left_field: 'people.id',
    right_field: `${alias}.person`,
  })),
);

const aggregate = fc.oneof(
  fc.record({
    func: fc.constantFrom('count', 'count_distinct', 'min', 'max'),
    field: fc.constantFrom(...FIELDS),
    alias: foreign,
  }),
  fc.record({
    func: fc.constantFrom('sum', 'avg'),
    field: fc.constantFrom(...NUMBERS),
    alias: foreign,
  }),
);

const columns = fc.uniqueArray(fc.constantFrom(...FIELDS), { minLength: 1, maxLength: 3 });

/** Queries over `people` and `visits` of which most can be planned, whatever is masked. */
export const plannableAql: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.oneof(
      columns.map((names) => ({ columns: names, order_by: [{ column: names[0] }] })),
      columns.map((names) => ({ columns: names })),
      fc.constant({ columns: ['*'] }),
      aggregate.map((one) => ({ aggregates: [one] })),
      fc.tuple(columns, aggregate).map(([names, one]) => ({
        columns: names,
        aggregates: [one],
        group_by: names,
        having: [{ operator: 'is_not_null', field: one.alias }],
        order_by: [{ column: one.alias, direction: 'DESC' }],
      })),
    ),
    fc.array(join, { maxLength: 1 }),
    fc.array(filter, { maxLength: 2 }),
  )
  .map(([selection, joins, filters]) => ({ source_table: 'people', ...selection, joins, filters }));
