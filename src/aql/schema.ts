import {
  AGGREGATE_FUNCTIONS,
  AQL_LIMITS,
  FILTER_OPERATORS,
  type FilterOperator,
  JOIN_TYPES,
} from './model.js';
import { DIRECTIONS, NULLS } from './parse-aql.js';
import { GROUP_LOGICS } from './parse-filters.js';

/** A string that any of the words matches, whatever its case. */
function anyCase(words: readonly string[]): object {
  const letter = (character: string) =>
    /[a-z]/i.test(character) ? `[${character.toUpperCase()}${character.toLowerCase()}]` : character;
  const spelled = words.map((word) => [...word].map(letter).join(''));
  return { type: 'string', pattern: `^(?:${spelled.join('|')})$` };
}

/** Text without NUL; JSON Schema cannot say "no lone surrogates", which the parser checks too. */
const CLEAN_TEXT = { type: 'string', pattern: '^[^\\u0000]*$' };

const NAME = { ...CLEAN_TEXT, minLength: 1, maxLength: AQL_LIMITS.nameCharactersMax };
const ALIAS = { ...NAME, type: ['string', 'null'], maxLength: AQL_LIMITS.aliasCharactersMax };
const COUNT = { type: ['integer', 'null'], minimum: 0, maximum: AQL_LIMITS.rowsMax };
const SCALAR = { anyOf: [CLEAN_TEXT, { type: ['number', 'boolean'] }] };

function optionalList(items: object, maxItems: number = AQL_LIMITS.columnsMax): object {
  return { type: ['array', 'null'], maxItems, items };
}

/** An object with these keys and no others. */
function record(properties: Record<string, object>, required: readonly string[]): object {
  return { type: 'object', additionalProperties: false, properties, required };
}

function comparison(operators: readonly FilterOperator[], value: object, needed: boolean): object {
  const properties = { operator: anyCase(operators), field: NAME, value };
  return record(properties, ['operator', 'field', ...(needed ? ['value'] : [])]);
}

const SHAPED: readonly FilterOperator[] = [
  'like',
  'not_like',
  'in',
  'not_in',
  'between',
  'is_null',
  'is_not_null',
];
const PLAIN = FILTER_OPERATORS.filter((operator) => !SHAPED.includes(operator));

const FILTER = {
  anyOf: [
    comparison(PLAIN, SCALAR, true),
    comparison(['like', 'not_like'], CLEAN_TEXT, true),
    comparison(
      ['in', 'not_in'],
      { type: 'array', maxItems: AQL_LIMITS.inValuesMax, items: SCALAR },
      true,
    ),
    comparison(['between'], { type: 'array', minItems: 2, maxItems: 2, items: SCALAR }, true),
    comparison(['is_null', 'is_not_null'], { type: 'null' }, false),
    record(
      {
        logic: anyCase(GROUP_LOGICS),
        conditions: {
          type: 'array',
          minItems: 1,
          maxItems: AQL_LIMITS.conditionsMax,
          items: { $ref: '#/$defs/filter' },
        },
      },
      ['logic', 'conditions'],
    ),
  ],
};

const PAIR = { left_field: NAME, right_field: NAME };

const JOIN = record(
  {
    type: { anyOf: [anyCase(JOIN_TYPES), { type: 'null' }] },
    table: NAME,
    alias: ALIAS,
    ...PAIR,
    and: optionalList(record(PAIR, ['left_field', 'right_field']), AQL_LIMITS.joinPairsMax),
  },
  ['table', 'left_field', 'right_field'],
);

const ONE_FIELD = AGGREGATE_FUNCTIONS.filter((func) => func !== 'count');

const AGGREGATE = {
  anyOf: [
    record({ func: anyCase(['count']), field: NAME, alias: ALIAS }, ['func', 'field']),
    record(
      { func: anyCase(ONE_FIELD), field: { allOf: [NAME, { not: { const: '*' } }] }, alias: ALIAS },
      ['func', 'field'],
    ),
  ],
};

const ORDER = record(
  {
    column: NAME,
    direction: { anyOf: [anyCase(DIRECTIONS), { type: 'null' }] },
    nulls: { anyOf: [anyCase(NULLS), { type: 'null' }] },
  },
  ['column'],
);

const FILTERS = optionalList({ $ref: '#/$defs/filter' }, AQL_LIMITS.conditionsMax);

function given(key: 'columns' | 'aggregates'): object {
  return { required: [key], properties: { [key]: { type: 'array', minItems: 1 } } };
}

/**
 * The JSON Schema (draft 2020-12) of AQL, published as schemas/aql.schema.json. What it cannot say, `parseAql` checks
 * beside it: 64 KiB in all, 32 nested groups, conditions counted over all groups, lone surrogates.
 */
export const AQL_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'AQL',
  description:
    'One read of one datasource. Keys that are null, [] or (limit, offset) 0 are absent.',
  type: 'object',
  additionalProperties: false,
  required: ['source_table'],
  anyOf: [given('columns'), given('aggregates')],
  properties: {
    source_table: NAME,
    columns: optionalList(NAME),
    joins: optionalList(JOIN, AQL_LIMITS.joinsMax),
    aggregates: optionalList(AGGREGATE),
    filters: FILTERS,
    group_by: optionalList(NAME),
    having: FILTERS,
    order_by: {
      anyOf: [
        ORDER,
        { type: 'array', maxItems: AQL_LIMITS.columnsMax, items: ORDER },
        { type: 'null' },
      ],
    },
    limit: COUNT,
    offset: COUNT,
  },
  $defs: { filter: FILTER },
} as const;
