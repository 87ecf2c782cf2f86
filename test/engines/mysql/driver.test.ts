import { randomBytes } from 'node:crypto';
import type mysqlClient from 'mysql2/promise';
import { describe, expect, it, vi } from 'vitest';
import type { TableExpectation } from '../../../src/aql/plan.js';
import type { ConnectionTarget, Connector } from '../../../src/engines/contract.js';
import { mysql } from '../../../src/engines/mysql/index.js';
import { withHeldProxy } from '../../helpers/held-proxy.js';
import { findMysql, type TestDatabase, withDatabase } from '../../helpers/mysql.js';

const server = await findMysql();

describe.skipIf(server.url === null)(`the MySQL driver ${server.reason ?? ''}`, () => {
  const url = server.url ?? '';

  const withDriver = (
    use: (connector: Connector, ground: TestDatabase) => Promise<void>,
    change: Partial<ConnectionTarget> = {},
  ) =>
    withDatabase(url, async (ground) => {
      const connector = await connect(url, ground.database, change);
      await use(connector, ground).finally(() => connector.close());
    });

  it('reads comments, and defaults as digests only', () =>
    withDriver(async (connector, { connection, database }) => {
      await connection.query(
        `create table t (secret varchar(40) default 'sk_live_secret' comment 'The key of the account',
          plain int, made timestamp not null default current_timestamp)`,
      );
      const scanned = await connector.introspect({ include: [`${database}.*`] });
      expect(scanned.defaultSchema).toBe(database);
      const [secret, plain, made] = scanned.tables[0]?.columns ?? [];
      expect(secret).toMatchObject({
        comment: 'The key of the account',
        comment_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        default_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        native: 'varchar(40)',
      });
      expect(plain).not.toHaveProperty('default_digest');
      expect(plain).not.toHaveProperty('comment');
      expect(made).toMatchObject({ nullable: false, type: 'timestamptz' });
      expect(made).not.toHaveProperty('generated');
      expect(JSON.stringify(scanned)).not.toContain('sk_live');
    }));

  it('scans the other databases that the login sees, and none of the system', () =>
    withDriver(async (connector, { database }) => {
      await withDatabase(url, async (other) => {
        await other.connection.query('create table elsewhere (id int primary key)');
        const { tables } = await connector.introspect();
        const schemas = new Set(tables.map(({ table }) => table.schema));
        expect(schemas).toContain(other.database);
        expect(schemas).not.toContain(database);
        for (const name of ['mysql', 'sys', 'information_schema', 'performance_schema']) {
          expect(schemas).not.toContain(name);
        }
      });
    }));

  it('takes no index for a key that covers NULL, or the beginning of a text', () =>
    withDriver(async (connector, { connection, database }) => {
      await connection.query(
        `create table t (a int not null, b int, c varchar(20) not null, d int not null,
          unique key (a, b), unique key (c(5)), unique key (d, a), primary key (d))`,
      );
      const { tables } = await connector.introspect({ include: [`${database}.*`] });
      expect(tables[0]).toMatchObject({ primary_key: ['d'], unique_keys: [['d', 'a']] });
    }));

  it('pins what could change an answer', () =>
    withDriver(async (connector) => {
      const pinned = {
        character_set_client: 'utf8mb4',
        character_set_results: 'utf8mb4',
        collation_connection: 'utf8mb4_bin',
        time_zone: '+00:00',
        autocommit: '1',
        completion_type: 'NO_CHAIN',
        sql_auto_is_null: '0',
        sql_select_limit: '18446744073709551615',
        sql_big_selects: '1',
        max_sort_length: '32768',
        div_precision_increment: '20',
        lock_wait_timeout: '10',
      };
      const names = Object.keys(pinned);
      const sql = `select ${names.map((name) => `@@session.${name}`).join(', ')}, @@session.sql_mode`;
      const types = [...names, 'sql_mode'].map(() => 'text');
      const [row] = await readAll(connector, sql, types);
      const values = row?.map((cell) => String(JSON.parse(cell))) ?? [];
      expect(values.slice(0, -1)).toEqual(Object.values(pinned));
      expect(values.at(-1)?.split(',').sort()).toEqual([
        'ANSI_QUOTES',
        'NO_BACKSLASH_ESCAPES',
        'NO_ENGINE_SUBSTITUTION',
        'ONLY_FULL_GROUP_BY',
        'STRICT_ALL_TABLES',
        'STRICT_TRANS_TABLES',
      ]);
    }));

  it('is not answered from the query cache, which locks no table', () =>
    withDatabase(url, async ({ database }) => {
      const { hostname, port } = new URL(url);
      await withHeldProxy({ host: hostname, port: Number(port || 3306) }, async (proxy) => {
        const { config, credentials } = mysql.parseUrl(url);
        const connector = await mysql.connect({
          id: 'shop',
          config: { ...config, database, host: '127.0.0.1', port: proxy.port },
          credentials,
        });
        const isThere = await isMariaDb(connector).finally(() => connector.close());
        // Whether it is on for other sessions is the server's configuration, and off here.
        expect(proxy.sent().includes('SET SESSION query_cache_type = OFF')).toBe(isThere);
      });
    }));

  it('holds the table while its rows stream, so that nobody changes it meanwhile', () =>
    withDriver(async (connector, { connection, database }) => {
      await connection.query('create table t (id int); insert into t values (1), (2), (3)');
      const batches = connector
        .run(select(database, 't'), { timeoutMs: 10_000, batchRows: 1 })
        [Symbol.asyncIterator]();
      await batches.next();
      await connection.query('set lock_wait_timeout = 1');
      await expect(connection.query('alter table t add column b int')).rejects.toMatchObject({
        errno: 1205,
      });
      await batches.return?.();
      await connection.query('alter table t add column b int');
    }));

  it('holds the views below a view as well', () =>
    withDriver(async (connector, { connection, database }) => {
      await connection.query(`create table t (id int); insert into t values (1), (2), (3);
        create view below as select id from t; create view above as select id from below`);
      const batches = connector
        .run(select(database, 'above', 'view'), { timeoutMs: 10_000, batchRows: 1 })
        [Symbol.asyncIterator]();
      await batches.next();
      await connection.query('set lock_wait_timeout = 1');
      for (const sql of [
        'create or replace view below as select 0 as id',
        'alter table t add b int',
      ]) {
        await expect(connection.query(sql)).rejects.toMatchObject({ errno: 1205 });
      }
      await batches.return?.();
    }));

  it('waits for a locked table no longer than for a query', () =>
    withDriver(async (connector, { connection, database }) => {
      await connection.query('create table t (id int); lock tables t write');
      const read = readRows(connector, select(database, 't'), 300);
      await expect(read).rejects.toMatchObject({ code: 'query_timeout' });
      await connection.query('unlock tables');
      expect(await readRows(connector, select(database, 't'))).toEqual([]);
    }));

  it('tells a cancel by somebody else from a timeout', () =>
    withDriver(async (connector, { connection, database }) => {
      await connection.query('create table t (id int); insert into t values (1), (2)');
      const sql = `select count(*) from "${database}".t where sleep(30) = 0`;
      const refused = expect(readAll(connector, sql, ['bigint'], 60_000)).rejects.toMatchObject({
        code: 'datasource_error',
      });
      await vi.waitFor(async () => {
        const [running] = await busy(connection, database);
        if (running === undefined) throw new Error('It does not run yet.');
        await connection.query(`kill query ${running}`);
      }, 5_000);
      await refused;
    }));

  it('has a database that stops what nobody cancels', () =>
    withDriver(async (connector) => {
      const name = `${'@@session.'}${(await isMariaDb(connector)) ? 'max_statement_time' : 'max_execution_time'}`;
      const [row] = await readAll(connector, `select ${name}`, ['double'], 7_000);
      expect(Number(JSON.parse(row?.[0] ?? '0'))).toBeGreaterThan(0);
    }));

  it('reads with privileges on single columns, and not without any', () =>
    withUser(url, (username, password) =>
      withDriver(
        async (connector, { connection, database }) => {
          await connection.query(`create table t (id int, secret text); insert into t values (1, 'x');
            create table other (id int); grant select (id) on ${database}.other to ${username}@'%'`);
          const read = () => readRows(connector, select(database, 't'));
          await expect(read()).rejects.toMatchObject({ code: 'datasource_error' });
          await connection.query(`grant select (id) on ${database}.t to ${username}@'%'`);
          expect(await read()).toEqual([['1']]);
        },
        { credentials: { username, password } },
      ),
    ));

  it('binds values that would end a text or a statement, and bytes as bytes', () =>
    withDriver(async (connector) => {
      const odd = ['\\', "'", '"', '`', "\\' or 1=1 -- ", '?', '%', '🦆', '\n'];
      const params = [...odd, new Uint8Array([0, 255, 39])];
      const sql = `select ${odd.map(() => '?').join(', ')}, hex(?)`;
      const columns = params.map(() => ({ name: 'c', type: 'text' }));
      const [row] = await readRows(connector, { sql, params, columns, tables: [] });
      expect(row?.map((cell) => JSON.parse(cell))).toEqual([...odd, '00FF27']);
    }));

  it('runs one statement where two are written', () =>
    withDriver(async (connector) => {
      const two = readAll(connector, 'select 1; select 2', ['integer']);
      await expect(two).rejects.toMatchObject({ code: 'datasource_error' });
    }));

  it('asks for a username instead of taking the one of the operating system', async () => {
    await expect(connect(url, 'test', { credentials: {} })).rejects.toMatchObject({
      code: 'config_invalid',
      hint: expect.stringContaining('VKIT_DS_SHOP_USERNAME'),
    });
  });
});

function connect(
  url: string,
  database: string,
  change: Partial<ConnectionTarget> = {},
): Promise<Connector> {
  const { config, credentials } = mysql.parseUrl(url);
  return mysql.connect({ id: 'shop', config: { ...config, database }, credentials, ...change });
}

async function isMariaDb(connector: Connector): Promise<boolean> {
  return (await connector.test()).server.includes('MariaDB');
}

async function busy(connection: mysqlClient.Connection, database: string): Promise<number[]> {
  const [rows] = await connection.query<mysqlClient.RowDataPacket[]>(
    `select id from information_schema.processlist
     where db = ? and id <> connection_id() and command in ('Query', 'Execute')`,
    [database],
  );
  return rows.map(({ id }) => Number(id));
}

function select(schema: string, name: string, kind: TableExpectation['kind'] = 'table') {
  const expected: TableExpectation = {
    dataset: name,
    table: { schema, name },
    ...(kind && { kind }),
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
function withUser(
  url: string,
  use: (name: string, password: string) => Promise<void>,
): Promise<void> {
  return withDatabase(url, async ({ connection }) => {
    const [name, password] = [8, 16].map((bytes) => `v${randomBytes(bytes).toString('hex')}`);
    if (!name || !password) throw new Error('There are no names.');
    await connection.query(`create user ${name}@'%' identified by '${password}'`);
    try {
      await use(name, password);
    } finally {
      await connection.query(`drop user ${name}@'%'`);
    }
  });
}
