import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import type { TableExpectation } from '../../../src/aql/plan.js';
import type { ConnectionTarget, Connector } from '../../../src/engines/contract.js';
import { postgres } from '../../../src/engines/postgres/index.js';
import { findPostgres, type TestSchema, withSchema } from '../../helpers/postgres.js';

const server = await findPostgres();

describe.skipIf(server.url === null)(`the PostgreSQL driver ${server.reason ?? ''}`, () => {
  const url = server.url ?? '';

  const withDriver = (
    use: (connector: Connector, ground: TestSchema) => Promise<void>,
    change: Partial<ConnectionTarget> = {},
  ) =>
    withSchema(url, async (ground) => {
      const connector = await connect(url, change);
      await use(connector, ground).finally(() => connector.close());
    });

  it('takes a partitioned table for one dataset and sees every kind of view', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query(`
        create table sales (id int not null, at date not null, primary key (id, at)) partition by range (at);
        create table sales_2026 partition of sales for values from ('2026-01-01') to ('2027-01-01');
        create materialized view totals as select count(*) as n from sales;
        create view latest as select * from sales`);
      const { tables, defaultSchema } = await connector.introspect({ include: [`${schema}.*`] });
      expect(defaultSchema).toBe('public');
      expect(tables.map(({ table, kind }) => [table.name, kind])).toEqual([
        ['latest', 'view'],
        ['sales', 'table'],
        ['totals', 'materialized_view'],
      ]);
      expect(tables[1]?.primary_key).toEqual(['id', 'at']);
      expect(tables[1]?.table.oid).toBeGreaterThan(0);
    }));

  it('reports no key of a table that others inherit from: it returns their rows too', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query(`create table parent (id int primary key);
        create table child () inherits (parent)`);
      const { tables } = await connector.introspect({ include: [`${schema}.parent`] });
      expect(tables[0]?.primary_key).toEqual([]);
    }));

  it('reads whether rows are protected, and from whom', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query(`create table plain (id int);
        create table own (id int); alter table own enable row level security;
        create table all_of_them (id int); alter table all_of_them enable row level security;
        alter table all_of_them force row level security`);
      const { tables } = await connector.introspect({ include: [`${schema}.*`] });
      expect(tables.map(({ table, row_security }) => [table.name, row_security])).toEqual([
        ['all_of_them', 'forced'],
        ['own', 'enabled'],
        ['plain', undefined],
      ]);
    }));

  it('reads comments, and defaults as digests only', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query(`create table t (key text default 'sk_live_secret');
        comment on column t.key is 'The key of the account'`);
      const scanned = await connector.introspect({ include: [`${schema}.*`] });
      expect(scanned.tables[0]?.columns[0]).toMatchObject({
        comment: 'The key of the account',
        comment_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        default_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(JSON.stringify(scanned)).not.toContain('sk_live');
    }));

  it('hands out defaults, comments and definitions where it is asked for them', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query(`create table t (key text default 'sk_live_secret');
        comment on column t.key is 'The key'; create view v as select key from t`);
      const { tables } = await connector.introspect({
        include: [`${schema}.*`],
        withDefinitions: true,
      });
      expect(tables[0]?.columns[0]?.texts).toEqual({
        default: "'sk_live_secret'::text",
        comment: 'The key',
      });
      expect(tables[1]?.definition).toMatch(/select\s+t\.key\s+from/i);
    }));

  it('pins what could change an answer', () =>
    withDriver(async (connector) => {
      const pinned = {
        search_path: 'pg_catalog',
        DateStyle: 'ISO, YMD',
        IntervalStyle: 'iso_8601',
        TimeZone: 'UTC',
        bytea_output: 'hex',
        extra_float_digits: '1',
        client_encoding: 'UTF8',
        standard_conforming_strings: 'on',
        default_transaction_read_only: 'on',
        transaction_read_only: 'on',
        row_security: 'on',
        application_name: 'vkit',
      };
      const names = Object.keys(pinned);
      const sql = `select ${names.map((name) => `current_setting('${name}')`).join(', ')}`;
      const [row] = await readAll(
        connector,
        sql,
        names.map(() => 'text'),
      );
      expect(row?.map((cell) => JSON.parse(cell))).toEqual(Object.values(pinned));
    }));

  it('keeps no setting that a view made', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query(
        `create view sly as select set_config('search_path', 'public', false) as was`,
      );
      expect(await readAll(connector, `select was from "${schema}".sly`, ['text'])).toEqual([
        ['"public"'],
      ]);
      const sql = `select current_setting('search_path')`;
      expect(await readAll(connector, sql, ['text'])).toEqual([['"pg_catalog"']]);
    }));

  it('holds the table while its rows stream, so that nobody changes it meanwhile', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query('create table t (id int); insert into t values (1), (2), (3)');
      const batches = connector
        .run(select(schema, 't'), { timeoutMs: 10_000, batchRows: 1 })
        [Symbol.asyncIterator]();
      await batches.next();
      await client.query(`set lock_timeout = '200ms'`);
      await expect(client.query('alter table t add column b int')).rejects.toMatchObject({
        code: '55P03',
      });
      await batches.return?.();
      await client.query('alter table t add column b int');
    }));

  it('waits for a locked table no longer than for a query', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query('create table t (id int)');
      await client.query('begin; lock table t');
      const read = readRows(connector, select(schema, 't'), 300);
      await expect(read).rejects.toMatchObject({ code: 'query_timeout' });
      await client.query('rollback');
      expect(await readRows(connector, select(schema, 't'))).toEqual([]);
    }));

  it('tells a cancel by somebody else from a timeout', () =>
    withDriver(async (connector, { client, schema }) => {
      await client.query('create table t (id int); insert into t values (1)');
      const slow = readAll(
        connector,
        `select pg_sleep(60)::text from "${schema}".t`,
        ['text'],
        60_000,
      );
      const refused = expect(slow).rejects.toMatchObject({ code: 'datasource_error' });
      let isRefused = false;
      void refused.finally(() => {
        isRefused = true;
      });
      // A cancel that arrives between two statements hits nothing.
      await vi.waitFor(async () => {
        await client.query(
          `select pg_cancel_backend(l.pid) from pg_locks l
           where l.relation = '${schema}.t'::regclass and l.pid <> pg_backend_pid()`,
        );
        expect(isRefused).toBe(true);
      }, 5_000);
      await refused;
    }));

  it('reads with privileges on single columns, and not without any', () =>
    withRole(url, (username) =>
      withDriver(
        async (connector, { client, schema }) => {
          await client.query(`create table t (id int, secret text); insert into t values (1, 'x');
            grant usage on schema ${schema} to ${username}`);
          const read = () => readRows(connector, select(schema, 't'));
          await expect(read()).rejects.toMatchObject({ code: 'datasource_error' });
          await client.query(`grant select (id) on t to ${username}`);
          expect(await read()).toEqual([['1']]);
          await client.query(`revoke usage on schema ${schema} from ${username};
            revoke select (id) on t from ${username}`);
        },
        { credentials: { username } },
      ),
    ));

  it('refuses a database that is not UTF-8', async () => {
    const name = `vkit_test_${randomBytes(8).toString('hex')}`;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(
        `create database ${name} template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'`,
      );
      const other = new URL(url);
      other.pathname = `/${name}`;
      const connector = await connect(other.href);
      await expect(connector.test()).rejects.toMatchObject({ code: 'unsupported' });
      await connector.close();
    } finally {
      await client.query(`drop database if exists ${name}`);
      await client.end();
    }
  });

  it('asks for a username instead of taking the one of the operating system', async () => {
    await expect(connect(url, { credentials: {} })).rejects.toMatchObject({
      code: 'config_invalid',
      hint: expect.stringContaining('VKIT_DS_SHOP_USERNAME'),
    });
  });
});

function connect(url: string, change: Partial<ConnectionTarget> = {}): Promise<Connector> {
  return postgres.connect({ id: 'shop', ...postgres.parseUrl(url), ...change });
}

function select(schema: string, name: string) {
  const expected: TableExpectation = {
    dataset: name,
    table: { schema, name },
    kind: 'table',
    columns: [{ name: 'id', type: 'integer', position: 1 }],
  };
  return {
    sql: `select "id" from "${schema}"."${name}"`,
    params: [],
    columns: [{ name: 'id', type: 'integer' }],
    tables: [expected],
  };
}

function readAll(
  connector: Connector,
  sql: string,
  types: readonly string[],
  timeoutMs?: number,
): Promise<(readonly string[])[]> {
  const columns = types.map((type) => ({ name: 'c', type }));
  return readRows(connector, { sql, params: [], columns, tables: [] }, timeoutMs);
}

async function readRows(
  connector: Connector,
  query: Parameters<Connector['run']>[0],
  timeoutMs = 10_000,
): Promise<(readonly string[])[]> {
  const all: (readonly string[])[] = [];
  for await (const batch of connector.run(query, { timeoutMs })) all.push(...batch);
  return all;
}

/** A login without any privilege, dropped at the end. */
async function withRole(url: string, use: (name: string) => Promise<void>): Promise<void> {
  const name = `vkit_test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create role ${name} login`);
    await use(name);
  } finally {
    await client.query(`drop role if exists ${name}`).finally(() => client.end());
  }
}
