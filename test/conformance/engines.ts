import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { LocalEngineName } from '../../src/engines/index.js';
import { findMysql, withDatabase } from '../helpers/mysql.js';
import { findPostgres, withSchema } from '../helpers/postgres.js';
import { withTemporaryFolder } from '../helpers/temporary-folder.js';
import type { EngineUnderTest } from './engine-ground.js';
import { MYSQL_TYPES } from './mysql-types.js';

const PEOPLE = (columns: string) => `create table people_new (${columns})`;

/** Where a text of any length can be a key, and an index can cover some rows or an expression. */
const INDEXED_TEXT = {
  keyText: { declared: 'text', type: 'text' },
  indexesThatAreNoKeys: `create unique index members_partial on members (age) where age > 18;
    create unique index members_expression on members (lower(country))`,
};

const sqlite: EngineUnderTest = {
  name: 'sqlite',
  skipped: null,
  withGround: (use) =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 'data.db');
      const execute = async (sql: string) => {
        const database = new DatabaseSync(path);
        database.exec(sql);
        database.close();
      };
      await execute('pragma journal_mode = wal');
      const others: InstanceType<typeof DatabaseSync>[] = [];
      await use({
        target: { id: 'files', config: { path }, credentials: {} },
        schema: 'main',
        execute,
        openSession: async () => {
          const other = new DatabaseSync(path);
          others.push(other);
          other.exec('pragma busy_timeout = 500');
          return { run: async (sql) => other.exec(sql) };
        },
        countBusy: async () => {
          const children = await sqliteChildren();
          return children.filter(({ state }) => state.startsWith('R')).length;
        },
        breakConnections: async () => {
          for (const { pid } of await sqliteChildren()) process.kill(pid, 'SIGKILL');
        },
      }).finally(() => {
        for (const other of others) other.close();
      });
    }),
  placeholder: () => '?',
  ...INDEXED_TEXT,
  types: [
    { declared: 'integer', literal: '42', type: 'integer', json: '42' },
    { declared: 'integer', literal: '9007199254740991', type: 'integer', json: '9007199254740991' },
    {
      declared: 'bigint',
      literal: '9007199254740992',
      type: 'bigint',
      json: '"9007199254740992"',
    },
    {
      declared: 'bigint',
      literal: '-9223372036854775808',
      type: 'bigint',
      json: '"-9223372036854775808"',
    },
    { declared: 'decimal(10,2)', literal: '12.50', type: 'numeric', json: '12.5' },
    { declared: 'decimal(10,2)', literal: '12', type: 'numeric', json: '12' },
    { declared: 'double', literal: '0.1', type: 'double', json: '0.1' },
    { declared: 'double', literal: '0.1 + 0.2', type: 'double', json: '"0.30000000000000004"' },
    { declared: 'real', literal: '9e999', type: 'real', json: '"Infinity"' },
    { declared: 'boolean', literal: 'true', type: 'boolean', json: 'true' },
    { declared: 'boolean', literal: '0', type: 'boolean', json: 'false' },
    { declared: 'varchar(255)', literal: "'naïve 🦆'", type: 'varchar', json: '"naïve 🦆"' },
    { declared: 'text', literal: "''", type: 'text', json: '""' },
    { declared: 'text', literal: 'null', type: 'text', json: 'null' },
    { declared: 'text', literal: '12', type: 'text', json: '"12"' },
    { declared: 'text', literal: `'a"b\\c'||char(10)`, type: 'text', json: '"a\\"b\\\\c\\n"' },
    { declared: 'date', literal: "'1815-12-10'", type: 'date', json: '"1815-12-10"' },
    {
      declared: 'datetime',
      literal: "'2026-03-01 10:00:00.123'",
      type: 'timestamp',
      json: '"2026-03-01T10:00:00.123Z"',
    },
    {
      declared: 'datetime',
      literal: "'1815-12-10 01:02:03.000004'",
      type: 'timestamp',
      json: '"1815-12-10T01:02:03.000004Z"',
    },
    {
      declared: 'timestamp with time zone',
      literal: "'2026-03-01T00:30:00.5+02:00'",
      type: 'timestamptz',
      json: '"2026-02-28T22:30:00.5Z"',
    },
    { declared: 'blob', literal: "x'00ff10'", type: 'bytes', json: '"AP8Q"' },
    {
      declared: 'json',
      literal: `'{"a" : [1.50, "x y"]}'`,
      type: 'json',
      json: '{"a":[1.50,"x y"]}',
    },
    { declared: 'json', literal: `'{"a" :'`, type: 'json', json: '"{\\"a\\" :"' },
    // Any column takes any value; what is not of its type is written as what it is.
    { declared: 'integer', literal: "'many'", type: 'integer', json: '"many"' },
    { declared: 'date', literal: '20000', type: 'date', json: '20000' },
    { declared: '', literal: "x'ff'", type: 'other', json: '"/w=="' },
  ],
  prepareWrite: () => null,
  writeSql: () => 'delete from "main"."people" returning "id"',
  slowSql:
    () => `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000000)
    select count(*) from n, "main"."people"`,
  manyRowsSql: (rows, width) =>
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
     select i, printf('%0${width}d', i) from n`,
  failingSql: `select json_extract('secret-value', '$.a')`,
  retypeAge: `${PEOPLE('id integer primary key, name text not null, email text, age text')};
    drop table people; alter table people_new rename to people`,
  swapNameAndEmail: `${PEOPLE('id integer primary key, email text, name text not null, age integer')};
    drop table people; alter table people_new rename to people`,
  unreachable: (target) => ({
    'a missing file': { ...target, config: { path: `${target.config.path}.missing` } },
    'a folder': { ...target, config: { path: join(String(target.config.path), '..') } },
    'a file that is no database': { ...target, config: { path: import.meta.filename } },
  }),
};

/** The processes that this one has started for SQLite and that are alive. */
async function sqliteChildren(): Promise<{ pid: number; state: string }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,stat=,args=']);
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, state, ...args]) => {
      const isOurs = parent === String(process.pid) && !state?.startsWith('Z');
      return isOurs && args.join(' ').includes('sqlite-child');
    })
    .map(([pid, , state = '']) => ({ pid: Number(pid), state }));
}

async function createPostgres(): Promise<EngineUnderTest> {
  const server = await findPostgres();
  const url = new URL(server.url ?? 'postgres://nobody@127.0.0.1:5432/none');
  const config = {
    host: url.hostname,
    port: Number(url.port || 5432),
    database: url.pathname.slice(1),
  };
  const credentials = {
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  return {
    name: 'postgres',
    skipped: server.url === null ? server.reason : null,
    withGround: (use) =>
      withSchema(url.href, async ({ schema, client }) => {
        const others: pg.Client[] = [];
        await use({
          target: { id: 'shop', config: { ...config, schema }, credentials },
          schema,
          execute: async (sql) => {
            await client.query(sql);
          },
          openSession: async () => {
            const other = new pg.Client({ connectionString: url.href });
            others.push(other);
            await other.connect();
            await other.query(`set search_path to ${schema}; set lock_timeout = 500`);
            return { run: async (sql) => void (await other.query(sql)) };
          },
          countBusy: async () => {
            const { rows } = await client.query(
              `select count(distinct a.pid)::int as n from pg_stat_activity a
               join pg_locks l on l.pid = a.pid join pg_class c on c.oid = l.relation
               where c.relnamespace = $1::regnamespace and a.application_name = 'vkit'`,
              [schema],
            );
            return rows[0].n;
          },
          breakConnections: async () => {
            await client.query(
              `select pg_terminate_backend(pid) from pg_stat_activity
               where application_name = 'vkit' and state = 'idle' and datname = current_database()`,
            );
          },
        }).finally(() => Promise.all(others.map((other) => other.end())));
      }),
    placeholder: (index) => `$${index}::text`,
    ...INDEXED_TEXT,
    prepareTypes: `create type mood as enum ('ok'); create domain code as varchar(8);
      create domain postcode as code`,
    types: [
      { declared: 'integer', literal: '42', type: 'integer', json: '42' },
      { declared: 'smallint', literal: '-1', type: 'smallint', json: '-1' },
      { declared: 'bigint', literal: '9007199254740991', type: 'bigint', json: '9007199254740991' },
      {
        declared: 'bigint',
        literal: '9007199254740992',
        type: 'bigint',
        json: '"9007199254740992"',
      },
      { declared: 'numeric(10,2)', literal: '12.50', type: 'numeric', json: '12.5' },
      {
        declared: 'numeric(38,0)',
        literal: '12345678901234567890123456789012345678',
        type: 'numeric',
        json: '"12345678901234567890123456789012345678"',
      },
      {
        declared: 'numeric(38,18)',
        literal: '-12345678901234567890.123456789012345678',
        type: 'numeric',
        json: '"-12345678901234567890.123456789012345678"',
      },
      { declared: 'numeric', literal: "'NaN'", type: 'numeric', json: '"NaN"' },
      { declared: 'double precision', literal: '0.1', type: 'double', json: '0.1' },
      {
        declared: 'double precision',
        literal: '0.1::float8 + 0.2::float8',
        type: 'double',
        json: '"0.30000000000000004"',
      },
      { declared: 'double precision', literal: '1e25', type: 'double', json: '1e+25' },
      { declared: 'real', literal: "'-Infinity'", type: 'real', json: '"-Infinity"' },
      { declared: 'money', literal: '12.5', type: 'money', json: '"$12.50"' },
      { declared: 'boolean', literal: 'true', type: 'boolean', json: 'true' },
      { declared: 'varchar(255)', literal: "'naïve 🦆'", type: 'varchar', json: '"naïve 🦆"' },
      { declared: 'text', literal: "''", type: 'text', json: '""' },
      { declared: 'text', literal: 'null', type: 'text', json: 'null' },
      { declared: 'text', literal: `E'a"b\\\\c\\n'`, type: 'text', json: '"a\\"b\\\\c\\n"' },
      { declared: 'mood', literal: "'ok'", type: 'enum', json: '"ok"' },
      { declared: 'postcode', literal: "'1010'", type: 'varchar', json: '"1010"' },
      {
        declared: 'postcode[]',
        literal: "'{1010,NULL}'",
        type: 'varchar[]',
        json: '["1010",null]',
      },
      {
        declared: 'uuid',
        literal: "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
        type: 'uuid',
        json: '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"',
      },
      { declared: 'date', literal: "'1815-12-10'", type: 'date', json: '"1815-12-10"' },
      { declared: 'date', literal: "'0044-03-15 BC'", type: 'date', json: '"0044-03-15 BC"' },
      { declared: 'time', literal: "'10:00'", type: 'time', json: '"10:00:00"' },
      { declared: 'interval', literal: "'1 day 2 hours'", type: 'interval', json: '"P1DT2H"' },
      {
        declared: 'timestamp',
        literal: "'2026-03-01 10:00:00.123'",
        type: 'timestamp',
        json: '"2026-03-01T10:00:00.123Z"',
      },
      {
        declared: 'timestamptz',
        literal: "'2026-03-01 00:30:00.5+02'",
        type: 'timestamptz',
        json: '"2026-02-28T22:30:00.5Z"',
      },
      {
        declared: 'timestamp',
        literal: "'1815-12-10 01:02:03.000004'",
        type: 'timestamp',
        json: '"1815-12-10T01:02:03.000004Z"',
      },
      {
        declared: 'timestamptz',
        literal: "'1815-12-10 01:02:03.000004+05:53:28'",
        type: 'timestamptz',
        json: '"1815-12-09T19:08:35.000004Z"',
      },
      { declared: 'timestamptz', literal: "'infinity'", type: 'timestamptz', json: '"infinity"' },
      { declared: 'bytea', literal: "'\\x00ff10'", type: 'bytes', json: '"AP8Q"' },
      {
        declared: 'json',
        literal: `'{"a" : [1.50, "x y"]}'`,
        type: 'json',
        json: '{"a":[1.50,"x y"]}',
      },
      {
        declared: 'jsonb',
        literal: `'{"a": 1e400}'`,
        type: 'jsonb',
        json: `{"a":1${'0'.repeat(400)}}`,
      },
      {
        declared: 'integer[]',
        literal: "'{{1,2},{3,NULL}}'",
        type: 'integer[]',
        json: '[[1,2],[3,null]]',
      },
      {
        declared: 'text[]',
        literal: `array['a,b', 'c"d', 'NULL', '']`,
        type: 'text[]',
        json: '["a,b","c\\"d","NULL",""]',
      },
      { declared: 'inet', literal: "'10.0.0.1'", type: 'inet', json: '"10.0.0.1"' },
      { declared: 'int4range', literal: "'[1,5)'", type: 'other', json: '"[1,5)"' },
      { declared: 'point', literal: "'(1,2)'", type: 'geometry', json: '"(1,2)"' },
    ],
    prepareWrite: (schema) => `create function wipe() returns int language sql
      as 'delete from ${schema}.people; select 1'`,
    writeSql: (schema) => `select "${schema}".wipe()`,
    slowSql: (schema) => `select pg_catalog.pg_sleep(61)::text from "${schema}".people`,
    manyRowsSql: (rows, width) =>
      `select i, lpad(i::text, ${width}, '0') from generate_series(1, ${rows}) i`,
    failingSql: `select ('secret-' || 'value')::int`,
    retypeAge: 'alter table people alter age type text',
    swapNameAndEmail: `alter table people rename name to old; alter table people rename email to name;
      alter table people rename old to email`,
    unreachable: (target) => ({
      'a closed port': { ...target, config: { ...config, port: 1 } },
      'an unknown database': { ...target, config: { ...config, database: 'vkit_no_such' } },
      'an unknown login': {
        ...target,
        credentials: { username: 'vkit_no_such', password: 's3cret-passw0rd' },
      },
      'a server without the encryption that is asked for': {
        ...target,
        config: { ...config, ssl_mode: 'verify-full' },
      },
    }),
  };
}

/** Rows from 1 on, of crossed digits: a recursion stops after 1,000 rounds here. */
function digitsSql(rows: number, width: number): string {
  const places = [...String(rows)].map((_, place) => 10 ** place);
  const number = `1 + ${places.map((value, place) => `${value} * d${place}.n`).join(' + ')}`;
  const from = places.map((value, place) => {
    const last = Math.min(9, Math.floor(rows / value));
    const digits = Array.from({ length: last + 1 }, (_, digit) => `select ${digit} as n`);
    return `(${digits.join(' union all ')}) as d${place}`;
  });
  return `select ${number} as i, lpad(${number}, ${width}, '0') from ${from.join(', ')}
    where ${number} <= ${rows} order by i`;
}

async function createMysql(): Promise<EngineUnderTest> {
  const server = await findMysql();
  const url = new URL(server.url ?? 'mysql://nobody@127.0.0.1:3306/none');
  const config = { host: url.hostname, port: Number(url.port || 3306) };
  const credentials = {
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  return {
    name: 'mysql',
    skipped: server.url === null ? server.reason : null,
    withGround: (use) =>
      withDatabase(url.href, async ({ database, connection }) => {
        const processes = async (condition: string) => {
          const [rows] = await connection.query<mysql.RowDataPacket[]>(
            `select id from information_schema.processlist
             where db = ? and id <> connection_id() and ${condition}`,
            [database],
          );
          return rows.map(({ id }) => Number(id));
        };
        const others: mysql.Connection[] = [];
        await use({
          target: { id: 'shop', config: { ...config, database }, credentials },
          schema: database,
          execute: async (sql) => {
            await connection.query(sql);
          },
          openSession: async () => {
            const other = await mysql.createConnection({
              ...config,
              user: credentials.username,
              password: credentials.password,
              database,
              multipleStatements: true,
            });
            others.push(other);
            await other.query(`set sql_mode = 'ANSI', lock_wait_timeout = 1`);
            return { run: async (sql) => void (await other.query(sql)) };
          },
          countBusy: async () => (await processes("command in ('Query', 'Execute')")).length,
          breakConnections: async () => {
            for (const id of await processes("command = 'Sleep'")) {
              await connection.query(`kill ${id}`);
            }
          },
        }).finally(() => Promise.all(others.map((other) => other.end())));
      }),
    placeholder: () => '?',
    keyText: { declared: 'varchar(40)', type: 'varchar' },
    indexesThatAreNoKeys: `create unique index members_prefix on members (country(3));
      alter table teams add unique (slug(3))`,
    types: MYSQL_TYPES,
    prepareWrite: (schema) => `create function wipe() returns int
      begin delete from ${schema}.people; return 1; end`,
    writeSql: (schema) => `select "${schema}".wipe()`,
    slowSql: (schema) => `select sleep(61) from "${schema}".people`,
    manyRowsSql: digitsSql,
    failingSql: `select cast(st_geomfromtext('secret-value') as signed) union select * from no_such`,
    retypeAge: 'alter table people modify age text',
    swapNameAndEmail: `alter table people rename column name to old; alter table people rename column email to name;
      alter table people rename column old to email`,
    unreachable: (target) => ({
      'a closed port': { ...target, config: { ...target.config, port: 1 } },
      'an unknown database': { ...target, config: { ...config, database: 'vkit_no_such' } },
      'an unknown login': {
        ...target,
        credentials: { username: 'vkit_no_such', password: 's3cret-passw0rd' },
      },
      'a server without the encryption that is asked for': {
        ...target,
        config: { ...target.config, ssl_mode: 'require' },
      },
    }),
  };
}

/** One entry per engine that runs locally: one without an entry does not compile. */
export const enginesUnderTest: Record<LocalEngineName, EngineUnderTest> = {
  sqlite,
  postgres: await createPostgres(),
  mysql: await createMysql(),
};
