import fc from 'fast-check';
import { AGGREGATE_FUNCTIONS, FILTER_OPERATORS, JOIN_TYPES } from '../../src/aql/model.js';

const name = fc.constantFrom(
  'id',
  'email',
  'customers.id',
  'orders.amount',
  'o.note',
  '*',
  'x"y',
  'nope',
);
const word = (words: readonly string[]) =>
  fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...words, ...words.map((one) => one.toUpperCase())) },
    { weight: 1, arbitrary: fc.constantFrom('sometimes', null, 5) },
  );
const scalar = fc.oneof(fc.constantFrom('a', '', 1, 0.5, true), fc.string({ maxLength: 4 }));
const odd = fc.constantFrom(null, [], {}, 'x', -1, 1.5, true);

/** The arbitrary, now and then something else in its place. */
function mostly<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 40, arbitrary }, { weight: 1, arbitrary: odd });
}

/** An object of which any key may be missing, and sometimes one too many is there. */
function object(shape: Record<string, fc.Arbitrary<unknown>>, required: string[] = []) {
  return fc
    .tuple(
      fc.record(shape, { requiredKeys: required }),
      fc.oneof(
        { weight: 30, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.constant({ extra: 1 }) },
      ),
    )
    .map(([known, extra]) => ({ ...known, ...extra }));
}

const one = ['eq', 'neq', 'gt', 'lt', 'gte', 'lte'];
const fitting = fc.oneof(
  fc.record({ operator: fc.constantFrom(...one), field: name, value: scalar }),
  fc.record({
    operator: fc.constantFrom('like', 'not_like'),
    field: name,
    value: fc.constantFrom('a%', 'a\\_'),
  }),
  fc.record({
    operator: fc.constantFrom('in', 'NOT_IN'),
    field: name,
    value: fc.array(scalar, { maxLength: 3 }),
  }),
  fc.record({ operator: fc.constant('between'), field: name, value: fc.tuple(scalar, scalar) }),
  fc.record({ operator: fc.constantFrom('is_null', 'is_not_null'), field: name }),
);

const random = object(
  {
    operator: word(FILTER_OPERATORS),
    field: name,
    value: fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
  },
  ['operator', 'field'],
);

const comparison = fc.oneof({ weight: 15, arbitrary: fitting }, { weight: 1, arbitrary: random });

const { filter } = fc.letrec<{ filter: unknown }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    comparison,
    object(
      {
        logic: word(['AND', 'OR', 'NOT']),
        conditions: mostly(fc.array(tie('filter'), { minLength: 1, maxLength: 3 })),
      },
      ['logic', 'conditions'],
    ),
  ),
}));

const pair = { left_field: name, right_field: name };
const join = object(
  {
    type: word(JOIN_TYPES),
    table: fc.constantFrom('orders', 'visits', 'nope'),
    alias: fc.constantFrom('o', 'p', null),
    ...pair,
    and: mostly(fc.array(object(pair, ['left_field', 'right_field']), { maxLength: 2 })),
  },
  ['table', 'left_field', 'right_field'],
);
const aggregate = object(
  { func: word(AGGREGATE_FUNCTIONS), field: name, alias: fc.constantFrom('n', 'm', null) },
  ['func', 'field'],
);
const order = object(
  { column: name, direction: word(['ASC', 'DESC']), nulls: word(['first', 'last']) },
  ['column'],
);

/** JSON that is a query, or one mistake or two away from one. */
export const almostAql: fc.Arbitrary<unknown> = object(
  {
    source_table: mostly(fc.constantFrom('customers', 'orders', 'nope')),
    columns: mostly(fc.array(name, { maxLength: 3 })),
    joins: mostly(fc.array(join, { maxLength: 2 })),
    aggregates: mostly(fc.array(aggregate, { maxLength: 2 })),
    filters: mostly(fc.array(filter, { maxLength: 2 })),
    group_by: mostly(fc.array(name, { maxLength: 2 })),
    having: mostly(fc.array(filter, { maxLength: 2 })),
    order_by: mostly(fc.oneof(order, fc.array(order, { maxLength: 2 }))),
    limit: mostly(fc.nat(20)),
    offset: mostly(fc.nat(20)),
  },
  ['source_table'],
);
