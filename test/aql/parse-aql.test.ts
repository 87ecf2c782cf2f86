import { describe, expect, it } from 'vitest';
import { parseAql } from '../../src/aql/parse-aql.js';

function problems(input: unknown): string[] {
  const result = parseAql(input);
  if (!('problems' in result)) return [];
  return result.problems.map(({ pointer, code }) => `${pointer} ${code}`);
}

function aql(input: unknown): unknown {
  const result = parseAql(input);
  return 'aql' in result ? result.aql : result.problems;
}

const LEAST = { source_table: 'users', columns: ['id'] };

describe('parseAql', () => {
  it('reads the example of the contract into its normal form', () => {
    const query = {
      source_table: 'users',
      columns: ['users.email', 'username'],
      joins: [
        {
          type: 'left',
          table: 'orders',
          alias: 'o',
          left_field: 'users.id',
          right_field: 'o.user_id',
        },
      ],
      aggregates: [{ func: 'SUM', field: 'o.amount', alias: 'total_spent' }],
      filters: [
        { operator: 'eq', field: 'users.active', value: true },
        {
          logic: 'or',
          conditions: [
            { operator: 'in', field: 'users.country', value: ['CA', 'US'] },
            { operator: 'IS_NULL', field: 'users.country', value: null },
          ],
        },
      ],
      group_by: ['users.email', 'users.username'],
      having: [{ operator: 'gt', field: 'SUM(o.amount)', value: 500 }],
      order_by: { column: 'total_spent', direction: 'desc' },
      limit: 10,
      offset: 0,
    };
    expect(aql(query)).toEqual({
      source_table: 'users',
      columns: ['users.email', 'username'],
      joins: [
        {
          type: 'LEFT',
          table: 'orders',
          alias: 'o',
          left_field: 'users.id',
          right_field: 'o.user_id',
        },
      ],
      aggregates: [{ func: 'sum', field: 'o.amount', alias: 'total_spent' }],
      filters: [
        { operator: 'eq', field: 'users.active', value: true },
        {
          logic: 'OR',
          conditions: [
            { operator: 'in', field: 'users.country', value: ['CA', 'US'] },
            { operator: 'is_null', field: 'users.country' },
          ],
        },
      ],
      group_by: ['users.email', 'users.username'],
      having: [{ operator: 'gt', field: 'SUM(o.amount)', value: 500 }],
      order_by: [{ column: 'total_spent', direction: 'DESC' }],
      limit: 10,
    });
  });

  it('takes null, empty lists and a limit of 0 for absent', () => {
    const empty = {
      ...LEAST,
      joins: null,
      aggregates: [],
      filters: [],
      group_by: null,
      having: [],
      order_by: [],
      limit: 0,
      offset: 0,
    };
    expect(aql(empty)).toEqual(LEAST);
  });

  it('fills in the join type and the direction', () => {
    const query = {
      ...LEAST,
      joins: [{ type: null, table: 't', alias: null, left_field: 'a', right_field: 'b', and: [] }],
      order_by: [{ column: 'a' }, { column: 'b', nulls: 'FIRST', direction: null }],
    };
    expect(aql(query)).toEqual({
      ...LEAST,
      joins: [{ type: 'INNER', table: 't', left_field: 'a', right_field: 'b' }],
      order_by: [
        { column: 'a', direction: 'ASC' },
        { column: 'b', direction: 'ASC', nulls: 'first' },
      ],
    });
  });

  it('keeps an empty list of values, which matches nothing', () => {
    const filters = [{ operator: 'in', field: 'a', value: [] }];
    expect(aql({ ...LEAST, filters })).toEqual({ ...LEAST, filters });
  });

  it('reports every problem at once, each with its pointer', () => {
    const query = {
      source_table: 5,
      colums: ['a'],
      columns: ['', 7],
      joins: [{ type: 'CROSS', table: 't', left_field: 'a', 'a/b~': 1 }],
      aggregates: [
        { func: 'median', field: 'x' },
        { func: 'sum', field: '*' },
      ],
      filters: [
        { operator: 'eq', field: 'a', value: null },
        { operator: 'equals', field: 'a', value: 1 },
        { operator: 'between', field: 'a', value: [1] },
        { operator: 'in', field: 'a', value: [1, null, {}] },
        { operator: 'like', field: 'a', value: 5 },
        { operator: 'is_null', field: 'a', value: 5 },
        { logic: 'XOR', conditions: [] },
        { operator: 'eq', field: 'a', value: { $gt: '' } },
      ],
      limit: -1,
      offset: 1.5,
      order_by: { column: 'a', direction: 'sideways' },
    };
    expect(problems(query)).toEqual([
      '/colums unknown_key',
      '/source_table type',
      '/columns/0 empty',
      '/columns/1 type',
      '/joins/0/a~1b~0 unknown_key',
      '/joins/0/type enum',
      '/joins/0/right_field required',
      '/aggregates/0/func enum',
      '/aggregates/1/field value',
      '/filters/0/value null_value',
      '/filters/1/operator enum',
      '/filters/2/value value',
      '/filters/3/value/1 null_value',
      '/filters/3/value/2 value',
      '/filters/4/value value',
      '/filters/5/value value',
      '/filters/6/logic enum',
      '/filters/6/conditions required',
      '/filters/7/value value',
      '/order_by/direction enum',
      '/limit type',
      '/offset type',
    ]);
  });

  it('suggests the key that was probably meant', () => {
    const result = parseAql({ source_table: 'a', colums: ['b'], columns: ['b'] });
    expect(result).toMatchObject({ problems: [{ suggestion: 'Did you mean `columns`?' }] });
  });

  it.each([
    ['neither columns nor aggregates', { source_table: 'a', columns: [] }, ' required'],
    ['no object', [], ' type'],
    ['a NUL in a name', { source_table: 'a\0b', columns: ['*'] }, '/source_table text'],
    [
      'half a surrogate pair in a name',
      { source_table: 'a', columns: ['\ud800'] },
      '/columns/0 text',
    ],
    [
      'a NUL in a value',
      { ...LEAST, filters: [{ operator: 'eq', field: 'a', value: 'x\0' }] },
      '/filters/0/value text',
    ],
    [
      'a name of 10,000 characters',
      { source_table: 'a'.repeat(10_000), columns: ['*'] },
      '/source_table limit',
    ],
    ['501 columns', { source_table: 'a', columns: Array(501).fill('b') }, '/columns limit'],
    ['17 joins', { ...LEAST, joins: Array(17).fill({}) }, '/joins limit'],
    ['a number as text', { ...LEAST, limit: '10' }, '/limit type'],
    ['filters that are an object', { ...LEAST, filters: { operator: 'eq' } }, '/filters type'],
    [
      'columns that are a text',
      { source_table: 'a', columns: 'id; DROP TABLE users' },
      '/columns type',
    ],
  ])('refuses %s', (_name, input, expected) => {
    expect(problems(input)).toEqual([expected]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'knows the key %s for an unknown one',
    (key) => {
      const input = JSON.parse(
        `{"source_table":"a","columns":["b"],${JSON.stringify(key)}:{"limit":5}}`,
      );
      expect(problems(input)).toEqual([`/${key} unknown_key`]);
      const filter = JSON.parse(`{"operator":"eq","field":"a","value":1,${JSON.stringify(key)}:1}`);
      expect(problems({ ...LEAST, filters: [filter] })).toEqual([`/filters/0/${key} unknown_key`]);
    },
  );

  it('takes nothing from a prototype', () => {
    const input = Object.create({ source_table: 'a', columns: ['b'] });
    expect(problems(input)).toEqual(['/source_table required', ' required']);
  });

  it('takes 32 nested groups and not one more', () => {
    expect(problems({ ...LEAST, filters: [nested(32)] })).toEqual([]);
    expect(problems({ ...LEAST, filters: [nested(33)] })).toHaveLength(1);
  });

  it('refuses depth before it recurses', () => {
    expect(problems({ ...LEAST, filters: [nested(3_000)] })).toEqual([' limit']);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(problems({ ...LEAST, filters: loop })).toEqual([' limit']);
  });

  it('takes 64 KiB of JSON and not one byte more', () => {
    const query = (length: number) => ({
      ...LEAST,
      filters: [{ operator: 'eq', field: 'a', value: 'x'.repeat(length) }],
    });
    const rest = JSON.stringify(query(0)).length;
    expect(problems(query(65_536 - rest))).toEqual([]);
    expect(problems(query(65_537 - rest))).toEqual([' limit']);
    expect(
      problems({
        ...LEAST,
        filters: [{ operator: 'eq', field: 'a', value: '\u0001'.repeat(20_000) }],
      }),
    ).toEqual([' limit']);
  });

  it('takes 10,000 values and 500 conditions, however they are nested', () => {
    const values = (count: number) => ({ operator: 'in', field: 'a', value: Array(count).fill(1) });
    expect(problems({ ...LEAST, filters: [values(10_000)] })).toEqual([]);
    expect(problems({ ...LEAST, filters: [values(10_001)] })).toEqual(['/filters/0/value limit']);
    const group = (count: number) => ({
      logic: 'OR',
      conditions: Array(count).fill({ operator: 'is_null', field: 'a' }),
    });
    expect(problems({ ...LEAST, filters: [group(249), group(249)] })).toEqual([]);
    expect(problems({ ...LEAST, filters: [group(250), group(250)] })).toEqual(['/filters limit']);
  });

  it('reports at most a hundred problems', () => {
    const result = parseAql({ source_table: 'a', columns: Array(400).fill(5) });
    expect('problems' in result && result.problems).toHaveLength(100);
  });
});

function nested(depth: number): unknown {
  let filter: unknown = { operator: 'is_null', field: 'a' };
  for (let level = 0; level < depth; level += 1) filter = { logic: 'AND', conditions: [filter] };
  return filter;
}
