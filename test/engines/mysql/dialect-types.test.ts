import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { enginesUnderTest } from '../../conformance/engines.js';
import { withTable } from './with-table.js';

const under = enginesUnderTest.mysql;
const title = under.skipped ? `(skipped: ${under.skipped})` : '';
const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

describe.skipIf(under.skipped !== null)(`MySQL's own types in governed queries ${title}`, () => {
  const eq = (field: string, value: unknown) => ({ operator: 'eq', field, value });
  const byId = { order_by: { column: 'id' } };

  const COLLATIONS = [
    'varchar(20) character set utf8mb4 collate utf8mb4_general_ci',
    'varchar(20) character set utf8mb4 collate utf8mb4_unicode_ci',
    'varchar(20) character set utf8mb4 collate utf8mb4_bin',
    'varchar(20) character set utf8mb3 collate utf8mb3_general_ci',
    'varchar(20) character set latin1',
    'varchar(20) character set utf16',
    'text character set latin1 collate latin1_german2_ci',
  ];
  for (const type of COLLATIONS) {
    it(`are equal, sorted and masked by code points as ${type}`, () =>
      withTable(
        `create table t (id integer primary key, x ${type});
         insert into t values (1, 'a'), (2, 'A'), (3, 'a '), (4, 'ä'), (5, 'a'), (6, null), (7, 'B'), (8, '');`,
        async (run) => {
          const ids = (filter: object) => run({ columns: ['id'], filters: [filter], ...byId });
          expect(await ids(eq('x', 'a'))).toEqual([[1], [5]]);
          expect(await ids(eq('x', 'ä'))).toEqual([[4]]);
          expect(await ids(eq('x', '🦆'))).toEqual([]);
          expect(await ids(eq('x', 'a '))).toEqual([[3]]);
          expect(await ids({ operator: 'in', field: 'x', value: ['A', 'ä', '🦆'] })).toEqual([
            [2],
            [4],
          ]);
          expect(await ids({ operator: 'not_in', field: 'x', value: ['a', 'ä'] })).toEqual([
            [2],
            [3],
            [7],
            [8],
          ]);
          expect(await ids({ operator: 'neq', field: 'x', value: 'A' })).toEqual(
            [1, 3, 4, 5, 7, 8].map((id) => [id]),
          );
          expect(await ids({ operator: 'gt', field: 'x', value: 'a' })).toEqual([[3], [4]]);
          expect(await ids({ operator: 'like', field: 'x', value: 'a%' })).toEqual([[1], [3], [5]]);
          expect(await ids({ operator: 'like', field: 'x', value: '_' })).toEqual(
            [1, 2, 4, 5, 7].map((id) => [id]),
          );
          const groups = {
            columns: ['x'],
            aggregates: [{ func: 'count', field: '*', alias: 'n' }],
            order_by: { column: 'x' },
          };
          expect(await run(groups)).toEqual([
            ['', 1],
            ['A', 1],
            ['B', 1],
            ['a', 2],
            ['a ', 1],
            ['ä', 1],
            [null, 1],
          ]);
          const aggregates = [
            { func: 'count_distinct', field: 'x' },
            { func: 'min', field: 'x' },
            { func: 'max', field: 'x' },
          ];
          expect(await run({ aggregates })).toEqual([[6, '', 'ä']]);
          expect(await run({ columns: ['x'], limit: 4 }, { 't.x': 'hash' })).toEqual(
            ['a', 'A', 'a ', 'ä'].map((text) => [sha256(text)]),
          );
          const partial = { method: 'partial', prefix: 1, suffix: 0, minLength: 1 } as const;
          expect(await run({ columns: ['x'] }, { 't.x': partial })).toEqual(
            ['a****', 'A****', 'a****', 'ä****', 'a****', null, 'B****', '****'].map((x) => [x]),
          );
        },
      ));
  }

  it('are hashed as the number they are, whatever a column is filled up with', () =>
    withTable(
      `create table t (id integer primary key, filled int(8) zerofill, wide bigint unsigned, exact decimal(20, 6),
         whole decimal(20, 0));
       insert into t values (1, 42, 18446744073709551615, 0.5, 100), (2, 0, 0, -0.000001, 0), (3, null, null, null, null);`,
      async (run) => {
        const columns = ['filled', 'wide', 'exact', 'whole'];
        const hashed = Object.fromEntries(columns.map((name) => [`t.${name}`, 'hash']));
        expect(await run({ columns }, hashed)).toEqual([
          ['42', '18446744073709551615', '0.5', '100'].map(sha256),
          ['0', '0', '-0.000001', '0'].map(sha256),
          [null, null, null, null],
        ]);
      },
    ));

  it('are read as what they are behind a mask of another column, and once only', () =>
    withTable(
      `create table t (id integer primary key, secret varchar(9), bits bit(10), flag bit(1), yes boolean, e enum('b', 'a'),
         s set('x', 'y'), place point, f float, j json, y year, born date);
       insert into t values
         (1, 'z', b'1000000001', b'1', true, 'b', 'y,x', point(1, 2), 0.1, '{"a": [1]}', 1999, '0000-00-00'),
         (2, 'a', b'0', b'0', false, 'a', '', null, -0.0, null, null, null);`,
      async (run) => {
        const columns = ['bits', 'flag', 'yes', 'e', 's', 'place', 'f', 'j', 'y', 'born'];
        const rows = [
          ['1000000001', true, true, 'b', 'x,y', 'POINT(1 2)', 0.1, { a: [1] }, 1999, '0000-00-00'],
          ['0', false, false, 'a', '', null, 0, null, null, null],
        ];
        expect(await run({ columns, ...byId })).toEqual(rows);
        expect(await run({ columns }, { 't.secret': 'full' })).toEqual(rows);
        expect(await run({ columns }, { 't.secret': 'full', 't.id': 'hidden' })).toEqual(
          [...rows].reverse(),
        );
        expect(await run({ columns, filters: [eq('flag', true), eq('yes', true)] })).toEqual([
          rows[0],
        ]);
        expect(await run({ columns: ['e'], order_by: { column: 'e' } })).toEqual([['a'], ['b']]);
        const nullified = Object.fromEntries(columns.map((name) => [`t.${name}`, 'nullify']));
        expect(await run({ columns, limit: 1 }, nullified)).toEqual([columns.map(() => null)]);
      },
    ));

  it('are added up the same in whatever order they are read, from the smallest to the largest', () => {
    const values = [
      '1e300',
      '-1e300',
      '1e-300',
      '0.1',
      '0.2',
      '0.3',
      '1e16',
      '-1e16',
      '1e-20',
      '-0.5',
    ];
    const rows = (list: string[], from: number) =>
      list.map((value, index) => `(${from + index}, 'g${from}', '${value}', ${value})`).join(', ');
    return withTable(
      `create table t (id integer primary key, g varchar(9), secret varchar(9), x double, key (secret));
       insert into t values ${rows(values, 100)}, ${rows([...values].reverse(), 200)},
         (300, 'g300', 'q', 1e-300), (301, 'g300', 'r', 2e-300), (302, 'g300', 's', null),
         (400, 'g400', 't', 1e300), (401, 'g400', 'u', 2.5e300), (500, 'g500', 'v', null);`,
      async (run) => {
        const query = {
          columns: ['g'],
          aggregates: [
            { func: 'sum', field: 'x' },
            { func: 'avg', field: 'x' },
          ],
        };
        const answer = (await run(query, { 't.secret': 'full' })) as [string, number, number][];
        expect(answer.map(([group, sum]) => [group, Number(sum)])).toEqual([
          ['g100', 0.1],
          ['g200', 0.1],
          ['g300', 3e-300],
          ['g400', 3.5e300],
          ['g500', 0],
        ]);
        expect(answer[4]).toEqual(['g500', null, null]);
        expect(Number(answer[0]?.[2])).toBe(0.01);
        expect(Number(answer[2]?.[2])).toBe(1.5e-300);
      },
    );
  });

  it('have averages with the digits of PostgreSQL', () =>
    withTable(
      `create table t (id integer primary key, g integer, n decimal(38, 4), i bigint);
       insert into t values (1, 1, 1, 1), (2, 1, 1, 1), (3, 1, 1.1, 2), (4, 2, 0.0001, 9007199254740993),
         (5, 2, 0.0002, 9007199254740993), (6, 2, 0, 9007199254740994),
         (7, 3, 9999999999999999999999999999999999.9999, 0), (8, 3, 9999999999999999999999999999999999.9998, 1);`,
      async (run) => {
        const aggregates = [
          { func: 'avg', field: 'n' },
          { func: 'avg', field: 'i' },
          { func: 'sum', field: 'n' },
        ];
        // As PostgreSQL 15 answers `select trim_scale(avg(n)), trim_scale(avg(i::numeric)), trim_scale(sum(n))` of the same rows.
        expect(await run({ columns: ['g'], aggregates, order_by: { column: 'g' } })).toEqual([
          [1, '1.03333333333333333333', '1.3333333333333333', 3.1],
          [2, 0.0001, '9007199254740993.3333', 0.0003],
          [
            3,
            '9999999999999999999999999999999999.9999',
            0.5,
            '19999999999999999999999999999999999.9997',
          ],
        ]);
        const compared = (await run({
          columns: ['g'],
          aggregates,
          having: [{ operator: 'lt', field: 'avg(n)', value: '1.04' }],
          order_by: { column: 'avg_n', direction: 'DESC' },
        })) as [number][];
        expect(compared.map(([g]) => g)).toEqual([1, 2]);
      },
    ));

  it('join by their code points through different character sets', () =>
    withTable(
      `create table t (id integer primary key, code varchar(9) character set latin1);
       create table u (code varchar(9) character set utf8mb4, note varchar(9));
       insert into t values (1, 'é'), (2, 'E'), (3, 'x ');
       insert into u values ('é', 'one'), ('e', 'two'), ('x', 'three');`,
      async (run) => {
        const joins = [{ table: 'u', left_field: 't.code', right_field: 'u.code' }];
        expect(await run({ columns: ['note'], joins })).toEqual([['one']]);
        // Masked text has a collation that goes with every other.
        const hashed = { 't.code': 'hash' };
        expect(await run({ columns: ['note'], joins }, hashed)).toEqual([]);
      },
    ));

  it('join by their code points where the server itself compares no such collations', () =>
    withTable(
      `create table t (id integer primary key, code varchar(9) collate utf8mb4_general_ci);
       create table u (code varchar(9) collate utf8mb4_unicode_ci, note varchar(9));
       insert into t values (1, 'é'), (2, 'E'), (3, 'x ');
       insert into u values ('é', 'one'), ('e', 'two'), ('x', 'three'), ('E', 'four');`,
      async (run) => {
        const joins = [{ table: 'u', left_field: 't.code', right_field: 'u.code' }];
        const query = { columns: ['note'], joins, order_by: { column: 'note' } };
        expect(await run(query)).toEqual([['four'], ['one']]);
        expect(await run({ ...query, filters: [eq('t.code', 'E')] })).toEqual([['four']]);
      },
    ));

  it('use an index for an equality, and the primary key for its order', () =>
    withTable(
      `create table t (id integer primary key, code varchar(20), secret varchar(20), key (code));
       insert into t select 1 + a.n + 10 * b.n + 100 * c.n, concat('c', a.n, b.n, c.n), 'x' from
         ${['a', 'b', 'c'].map((name) => `(select 0 as n ${Array.from({ length: 9 }, (_, n) => `union select ${n + 1}`).join(' ')}) ${name}`).join(', ')};`,
      async (run, connector) => {
        const handlers = async () => {
          const sql = `select variable_value from information_schema.session_status
            where variable_name in ('handler_read_rnd_next', 'handler_read_next') order by variable_name`;
          const columns = [{ name: 'v', type: 'text' }];
          const values: number[] = [];
          const query = { sql, params: [], columns, tables: [] };
          for await (const batch of connector.run(query, { timeoutMs: 5_000 })) {
            values.push(...batch.map(([cell]) => Number(JSON.parse(cell ?? '0'))));
          }
          return values.reduce((sum, value) => sum + value, 0);
        };
        // What asking costs, which reads every status.
        const first = await handlers();
        const asking = (await handlers()) - first;
        const before = await handlers();
        expect(await run({ columns: ['id'], filters: [eq('code', 'c123')] })).toHaveLength(1);
        expect(await run({ columns: ['id'], limit: 3 }, { 't.secret': 'full' })).toHaveLength(3);
        // The check of the table reads the catalog; either scan would read a thousand rows.
        expect((await handlers()) - before - asking).toBeLessThan(200);
      },
    ));
});
