import { describe, expect, it } from 'vitest';
import { enginesUnderTest } from '../../conformance/engines.js';
import { withTable } from './with-table.js';

const under = enginesUnderTest.mysql;
const title = under.skipped ? `(skipped: ${under.skipped})` : '';

/** The query for the ids that a filter leaves. */
const where = (field: string, operator: string, value?: unknown) => ({
  columns: ['id'],
  filters: [{ operator, field, ...(value !== undefined && { value }) }],
  order_by: { column: 'id' },
});
const NINES = '9'.repeat(65);
const UNSIGNED_MAX = '18446744073709551615';
const SMALLEST = `0.${'0'.repeat(29)}1`;

describe.skipIf(under.skipped !== null)(`What MySQL keeps ${title}`, () => {
  it('is compared to the last of 64 bits, and of 65 digits', () =>
    withTable(
      `create table t (id integer primary key, u bigint unsigned, n decimal(65, 0), f decimal(65, 30), key (u), key (n));
       insert into t values (1, ${UNSIGNED_MAX}, ${NINES}, 1), (2, 9223372036854775808, ${NINES} - 1, ${SMALLEST}),
         (3, 9223372036854775807, 1, 0), (4, 0, -${NINES}, -${SMALLEST}), (5, null, null, null);`,
      async (run) => {
        const ids = async (field: string, operator: string, value?: unknown) =>
          ((await run(where(field, operator, value))) as number[][]).flat();
        expect(await ids('u', 'eq', UNSIGNED_MAX)).toEqual([1]);
        expect(await ids('u', 'gt', '9223372036854775807')).toEqual([1, 2]);
        expect(await ids('u', 'gt', -1)).toEqual([1, 2, 3, 4]);
        expect(await ids('u', 'in', [UNSIGNED_MAX, -1, 0])).toEqual([1, 4]);
        expect(await ids('u', 'not_in', [UNSIGNED_MAX, -1, 0])).toEqual([2, 3]);
        expect(await ids('id', 'lt', UNSIGNED_MAX)).toEqual([1, 2, 3, 4, 5]);
        const tokens = [`tok_1_${UNSIGNED_MAX}`, 'tok_1_0'];
        expect(await run(where('u', 'in', tokens), { 't.u': 'tokenize' })).toEqual([[1], [4]]);
        expect(await ids('n', 'eq', NINES)).toEqual([1]);
        expect(await ids('n', 'lt', NINES)).toEqual([2, 3, 4]);
        expect(await ids('n', 'lte', `-${NINES}`)).toEqual([4]);
        expect(await ids('n', 'in', [NINES, '1.0', '0.5'])).toEqual([1, 3]);
        expect(await ids('n', 'lt', `1.${'0'.repeat(29)}1`)).toEqual([3, 4]);
        expect(await ids('f', 'gte', SMALLEST)).toEqual([1, 2]);
        expect(await ids('f', 'lt', NINES)).toEqual([1, 2, 3, 4]);
        const average = [{ operator: 'gt', field: 'avg(n)', value: `1${'0'.repeat(40)}` }];
        const byId = { columns: ['id'], aggregates: [{ func: 'avg', field: 'n' }] };
        expect(await run({ ...byId, having: average, order_by: { column: 'id' } })).toEqual([
          [1, NINES],
          [2, `${'9'.repeat(64)}8`],
        ]);
      },
    ));

  it.each([
    ['u', '18446744073709551616', /from -2\^63 to 2\^64 - 1/],
    ['n', `1${'0'.repeat(65)}`, /at most 65 digits, 30 of them after the point/],
    ['n', `0.${'0'.repeat(30)}1`, /at most 65 digits, 30 of them after the point/],
    ['n', 1e-40, /at most 65 digits, 30 of them after the point/],
    ['n', `${'9'.repeat(40)}.${'9'.repeat(26)}`, /at most 65 digits/],
  ])('is compared with no number beyond: %s = %s', (field, value, message) =>
    withTable(
      'create table t (id integer primary key, u bigint unsigned, n decimal(20, 2));',
      async (run) => {
        expect(await run(where(field, 'in', [1, value]))).toEqual([
          {
            pointer: '/filters/0/value/1',
            code: 'value',
            message: expect.stringMatching(message),
          },
        ]);
      },
    ),
  );

  it('are dates of no calendar, which are less than every date and not NULL', () =>
    withTable(
      `set sql_mode = 'ANSI';
       create table t (id integer primary key, d date not null, at datetime not null, ts timestamp not null default 0,
         maybe date, key (d));
       create table u (id integer primary key, d date not null);
       insert into t values (1, 0, 0, 0, 0), (2, '2026-00-10', '2026-01-00', '2026-01-01', null),
         (3, '2026-01-10', '2026-01-10', '2026-01-10', '2026-01-10');
       insert into u values (1, 0), (3, '2026-01-10');`,
      async (run) => {
        for (const field of ['d', 'at', 'ts']) {
          expect(await run(where(field, 'is_null'))).toEqual([]);
          expect(await run(where(field, 'is_not_null'))).toEqual([[1], [2], [3]]);
          const negated = { logic: 'NOT', conditions: [{ operator: 'is_null', field }] };
          expect(await run({ ...where('id', 'gt', 0), filters: [negated] })).toEqual([
            [1],
            [2],
            [3],
          ]);
          expect(await run(where(field, 'is_null'), { 't.maybe': 'full' })).toEqual([]);
        }
        expect(await run(where('maybe', 'is_null'))).toEqual([[2]]);
        expect(await run(where('d', 'lt', '2026-01-01'))).toEqual([[1], [2]]);
        expect(await run(where('d', 'eq', '2026-01-10'))).toEqual([[3]]);
        const missing = {
          columns: ['t.id'],
          joins: [{ type: 'LEFT', table: 'u', left_field: 't.id', right_field: 'u.id' }],
          filters: [{ operator: 'is_null', field: 'u.d' }],
        };
        expect(await run(missing)).toEqual([[2]]);
        expect(await run({ columns: ['d', 'at', 'ts'], order_by: { column: 'd' } })).toEqual([
          ['0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'],
          ['2026-00-10', '2026-01-00 00:00:00', '2026-01-01T00:00:00Z'],
          ['2026-01-10', '2026-01-10T00:00:00Z', '2026-01-10T00:00:00Z'],
        ]);
      },
    ));

  it('is true if it is one and false if it is zero, and nothing else', () =>
    withTable(
      `create table t (id integer primary key, yes tinyint(1), flag bit(1));
       insert into t values (1, 1, b'1'), (2, 0, b'0'), (3, 2, null), (4, -1, null), (5, null, null);`,
      async (run) => {
        expect(await run({ columns: ['yes', 'flag'], order_by: { column: 'id' } })).toEqual([
          [true, true],
          [false, false],
          [2, null],
          [-1, null],
          [null, null],
        ]);
        expect(await run(where('yes', 'eq', true))).toEqual([[1]]);
        expect(await run(where('yes', 'eq', false))).toEqual([[2]]);
        expect(await run(where('yes', 'neq', true))).toEqual([[2], [3], [4]]);
        expect(await run(where('yes', 'in', [true, false]))).toEqual([[1], [2]]);
        expect(await run(where('flag', 'not_in', [true]))).toEqual([[2]]);
        expect(await run({ aggregates: [{ func: 'count_distinct', field: 'yes' }] })).toEqual([
          [4],
        ]);
      },
    ));

  it('is the text of an ENUM or a SET, and never its number', () =>
    withTable(
      `set sql_mode = 'ANSI';
       create table t (id integer primary key, e enum('b', 'a', '1'), s set('y', 'x'));
       insert into t values (1, 'b', 'x,y'), (2, 'a', ''), (3, '1', 'x'), (4, 'none of them', null), (5, null, 'y');`,
      async (run) => {
        expect(await run(where('e', 'eq', '1'))).toEqual([[3]]);
        expect(await run(where('e', 'eq', ''))).toEqual([[4]]);
        expect(await run(where('e', 'in', ['b', '2']))).toEqual([[1]]);
        expect(await run(where('e', 'gt', 'a'))).toEqual([[1]]);
        expect(await run(where('e', 'like', '_'))).toEqual([[1], [2], [3]]);
        expect(await run(where('s', 'eq', '2'))).toEqual([]);
        expect(await run(where('s', 'like', '%x%'))).toEqual([[1], [3]]);
        const ends = ['e', 's'].flatMap((field) => [
          { func: 'min', field },
          { func: 'max', field },
        ]);
        expect(await run({ aggregates: ends })).toEqual([['', 'b', '', 'y,x']]);
        expect(await run({ columns: ['e'], order_by: { column: 'e' } })).toEqual(
          ['', '1', 'a', 'b', null].map((text) => [text]),
        );
      },
    ));

  it('finds a backslash as what it is, in values and in patterns', () =>
    withTable(
      `create table t (id integer primary key, x varchar(9), y varchar(9) character set latin1 collate latin1_german1_ci);
       insert into t values ${['5c', '615c62', '615c5f62', '612562', '615862', '61']
         .map((hex, at) => `(${at + 1}, x'${hex}', x'${hex}')`)
         .join(', ')};`,
      async (run) => {
        for (const field of ['x', 'y']) {
          const like = async (pattern: string) =>
            ((await run(where(field, 'like', pattern))) as number[][]).flat();
          expect(await run(where(field, 'eq', 'a\\b'))).toEqual([[2]]);
          expect(await run(where(field, 'in', ['\\', 'a\\_b']))).toEqual([[1], [3]]);
          expect(await like('\\\\')).toEqual([1]);
          expect(await like('a\\\\b')).toEqual([2]);
          expect(await like('a\\b')).toEqual([]);
          expect(await like('a\\%b')).toEqual([4]);
          expect(await like('a_b')).toEqual([2, 4, 5]);
          expect(await like('%\\\\\\_%')).toEqual([3]);
          expect(await like('\\a')).toEqual([6]);
        }
      },
    ));

  it('is read through views as through tables, and joins them', () =>
    withTable(
      `create table people (id integer primary key, name varchar(20) character set latin1, u bigint unsigned);
       insert into people values (1, 'Zoë', ${UNSIGNED_MAX}), (2, 'zoe', 7), (3, null, null);
       create view t as select id, name, u, concat(name, '!') as loud from people;
       create view totals as select t.id, upper(t.name) as big, count(*) as n, sum(t.u) as s from t group by t.id, t.name;`,
      async (run) => {
        expect(await run(where('name', 'eq', 'zoe'))).toEqual([[2]]);
        expect(await run(where('loud', 'gt', 'Zz'))).toEqual([[2]]);
        const joined = {
          columns: ['t.name', 'totals.s'],
          joins: [{ table: 'totals', left_field: 't.id', right_field: 'totals.id' }],
          filters: [{ operator: 'eq', field: 'totals.big', value: 'ZOË' }],
        };
        expect(await run(joined)).toEqual([['Zoë', UNSIGNED_MAX]]);
        const masks = { 't.name': 'full', 't.u': 'nullify' } as const;
        expect(
          await run({ columns: ['name', 'u', 'loud'] }, { ...masks, 't.id': 'hidden' }),
        ).toEqual(['Zoë!', 'zoe!', null].map((loud) => ['*****', null, loud]));
      },
    ));
});
