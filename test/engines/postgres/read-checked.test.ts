import { describe, expect, it, vi } from 'vitest';
import type { CompiledQuery, TableExpectation } from '../../../src/aql/plan.js';
import type { Connector } from '../../../src/engines/contract.js';
import { postgres } from '../../../src/engines/postgres/index.js';
import { findPostgres, type TestSchema, withSchema } from '../../helpers/postgres.js';

const server = await findPostgres();

/** Queries of few rows, asked for again: what PostgreSQL then does in one round trip. */
describe.skipIf(server.url === null)(`a query asked again ${server.reason ?? ''}`, () => {
  const url = server.url ?? '';

  /** One connection, so that every query meets what the one before has left on it. */
  const withTable = (use: (ground: Ground) => Promise<void>) =>
    withSchema(url, async (ground) => {
      const { client } = ground;
      await client.query(`create table t (id int, name text); create table other (name text, id int);
        insert into t values (1, 'one'), (2, 'two'); insert into other values ('other', 1)`);
      const target = { id: 'shop', ...postgres.parseUrl(url) };
      const connector = await postgres.connect(target, { poolMax: 1 });
      await use({ ...ground, connector }).finally(() => connector.close());
    });

  const CHANGES: Readonly<Record<string, (schema: string) => string>> = {
    'another table has its name': () => 'alter table t rename to u; alter table other rename to t',
    'a view has its name': () => 'alter table t rename to u; create view t as select * from other',
    'two columns are swapped': () =>
      'alter table t rename name to x; alter table t rename id to name; alter table t rename x to id',
    'a type changed': () => 'alter table t alter id type bigint',
    'it was dropped': () => 'drop table t',
    'it was dropped and made again in another form': () =>
      'drop table t; create table t (name text, id int)',
    'another schema has the name of its own': (schema) =>
      `alter schema ${schema} rename to ${schema}_old; create schema ${schema};
       create table ${schema}.t (id int)`,
  };
  for (const [what, change] of Object.entries(CHANGES)) {
    it(`is refused once ${what}`, () =>
      withTable(async ({ client, schema, connector }) => {
        const query = named(schema);
        for (let time = 0; time < 3; time += 1)
          expect(await readRows(connector, query)).toEqual([['1', '"one"']]);
        await client.query(change(schema));
        try {
          await expect(readRows(connector, query)).rejects.toMatchObject({
            code: 'schema_changed',
          });
        } finally {
          await client.query(`drop schema if exists ${schema}_old cascade`);
        }
      }));
  }

  it('goes on where a table was made again as it was', () =>
    withTable(async ({ client, schema, connector }) => {
      expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
      expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
      await client.query(`drop table t; create table t (id int, name text);
        insert into t values (1, 'anew')`);
      expect(await readRows(connector, named(schema))).toEqual([['1', '"anew"']]);
      expect(await readRows(connector, named(schema))).toEqual([['1', '"anew"']]);
    }));

  it('is refused where a table was made again as it was, if it is compared by its identity', () =>
    withTable(async ({ client, schema, connector }) => {
      const { rows } = await client.query<{ oid: number }>(`select 't'::regclass::oid::int as oid`);
      const query = named(schema, { oid: rows[0]?.oid ?? 0 });
      for (let time = 0; time < 3; time += 1)
        expect(await readRows(connector, query)).toEqual([['1', '"one"']]);
      await client.query(`drop table t; create table t (id int, name text);
        insert into t values (1, 'anew')`);
      await expect(readRows(connector, query)).rejects.toMatchObject({ code: 'schema_changed' });
      expect(await readRows(connector, named(schema))).toEqual([['1', '"anew"']]);
    }));

  it('sees what was written meanwhile', () =>
    withTable(async ({ client, schema, connector }) => {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
        await client.query(`update t set name = '${name}' where id = 1`);
        expect(await readRows(connector, named(schema))).toEqual([['1', `"${name}"`]]);
      }
    }));

  it('takes each kind of bound value', () =>
    withTable(async ({ schema, connector }) => {
      const values = ['\\x00"\'', 7, true, new Uint8Array([0, 255])] as const;
      const query = {
        ...named(schema),
        sql: `select $1::text, $2::int, $3::boolean, encode($4::bytea, 'hex') from "${schema}".t limit 1`,
        params: values,
        columns: ['text', 'integer', 'boolean', 'text'].map((type) => ({ name: 'c', type })),
      };
      for (let time = 0; time < 3; time += 1)
        expect(await readRows(connector, query)).toEqual([
          [JSON.stringify(values[0]), '7', 'true', '"00ff"'],
        ]);
    }));

  it('that fails fails with its own error, and leaves the connection as it was', () =>
    withTable(async ({ schema, connector }) => {
      expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
      const failing = { ...named(schema), sql: `select 1 / (id - id), name from "${schema}".t` };
      for (let time = 0; time < 3; time += 1) {
        const read = readRows(connector, { ...failing, params: [] });
        await expect(read).rejects.toMatchObject({ code: 'datasource_error' });
        expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
      }
    }));

  it('that takes too long is stopped in its time, and not begun again', () =>
    withTable(async ({ schema, connector }) => {
      expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
      const slow = { ...named(schema), sql: `select id, pg_sleep(20)::text from "${schema}".t` };
      const startedAt = performance.now();
      const read = readRows(connector, { ...slow, params: [] }, 400);
      await expect(read).rejects.toMatchObject({ code: 'query_timeout' });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
    }));

  it('that was cancelled while it waited for a lock does not wait again', () =>
    withTable(async ({ client, schema, connector }) => {
      expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
      await client.query('begin; lock table t');
      const startedAt = performance.now();
      const read = readRows(connector, named(schema), 60_000);
      const refused = expect(read).rejects.toMatchObject({ code: 'datasource_error' });
      await vi.waitFor(async () => {
        const { rowCount } = await client.query(
          `select pg_cancel_backend(pid) from pg_locks
           where relation = '${schema}.t'::regclass and not granted`,
        );
        expect(rowCount).toBe(1);
      }, 5_000);
      await refused;
      expect(performance.now() - startedAt).toBeLessThan(8_000);
      await client.query('rollback');
      expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
    }));

  it('leaves no more than a bounded number of statements prepared, failing ones too', () =>
    withTable(async ({ schema, connector }) => {
      expect(await readRows(connector, named(schema))).toEqual([['1', '"one"']]);
      for (let at = 0; at < 150; at += 1) {
        const sql = `select id + ${at} - ${at}, name from "${schema}".t where id = $1`;
        expect(await readRows(connector, { ...named(schema), sql })).toEqual([['1', '"one"']]);
        const failing = {
          ...named(schema),
          sql: `select id / (id - id + ${at} - ${at}), name from "${schema}".t where id = $1`,
        };
        await expect(readRows(connector, failing)).rejects.toMatchObject({
          code: 'datasource_error',
        });
      }
      const count = {
        ...named(schema),
        sql: `select (select count(*) from pg_catalog.pg_prepared_statements), name from "${schema}".t where id = $1`,
      };
      const [row] = await readRows(connector, count);
      // The two of the comparison are not among them.
      expect(Number(row?.[0])).toBeGreaterThan(50);
      expect(Number(row?.[0])).toBeLessThanOrEqual(103);
    }));
});

interface Ground extends TestSchema {
  connector: Connector;
}

function named(schema: string, identity: Pick<TableExpectation, 'oid'> = {}): CompiledQuery {
  const expected: TableExpectation = {
    dataset: 't',
    table: { schema, name: 't' },
    kind: 'table',
    ...identity,
    columns: [
      { name: 'id', type: 'integer', position: 1 },
      { name: 'name', type: 'text', position: 2 },
    ],
  };
  return {
    sql: `select "id", "name" from "${schema}"."t" where "id" = $1`,
    params: [1],
    columns: [
      { name: 'id', type: 'integer' },
      { name: 'name', type: 'text' },
    ],
    tables: [expected],
    rowsMax: 10,
  };
}

async function readRows(
  connector: Connector,
  query: CompiledQuery,
  timeoutMs = 10_000,
): Promise<(readonly string[])[]> {
  const all: (readonly string[])[] = [];
  for await (const batch of connector.run(query, { timeoutMs })) all.push(...batch);
  return all;
}
