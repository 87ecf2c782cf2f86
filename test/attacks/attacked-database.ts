import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { Ground } from '../helpers/governed.js';
import { mysqlGround } from '../helpers/mysql.js';
import { postgresGround } from '../helpers/postgres.js';
import { type AtTheEnd, temporaryFolder } from '../helpers/temporary-folder.js';
import { type AttackedEngine, SECRET } from './payload-model.js';

/** Tables that payloads are after: `notes` may be read, the secret and the canary are nobody's. */
const tables = (text: string) => `
create table notes (id integer primary key, body ${text}, kind ${text});
insert into notes values (1, 'plain', 'a'), (2, 'other', 'b'), (3, 'third', 'b');
create table secrets (id integer primary key, word ${text});
insert into secrets values (1, '${SECRET}');
create table canary (note ${text});
insert into canary values ('alive');
`;

const CANARY_AGAIN = "delete from canary; insert into canary values ('alive')";

/** All three are in the registry; the policies say which of them is open. */
const REGISTRY = `
notes:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    body: {type: text, sensitivity: low, category: internal}
    kind: {type: text, sensitivity: low, category: internal}
secrets:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: high, category: pii}
    word: {type: text, sensitivity: high, category: pii}
canary:
  datasource: shop
  fields:
    note: {type: text, sensitivity: high, category: pii}
`;

/** What running a text of SQL came to. */
export interface Outcome {
  rows: unknown[];
  error: { message: string; isSyntax: boolean } | null;
  tookMs: number;
}

/** What can be changed: everything that has a name, and the canary's rows. */
interface State {
  names: string;
  canary: string;
}

/** A real database in which whatever a payload says may be run, and which vkit may govern. */
export interface AttackedDatabase {
  ground: Ground;
  /** All rows of all statements of a text, in MySQL also as bytes of a character set; it never throws. */
  run(sql: string, charset?: string): Promise<Outcome>;
  state(): Promise<State>;
  /** Puts everything back as it was. */
  reset(): Promise<void>;
}

export type OpenAttacked = (
  url: string,
  atTheEnd: AtTheEnd,
  rows?: readonly string[],
) => Promise<AttackedDatabase>;

async function outcomeOf(
  run: () => Promise<unknown[]>,
  isSyntax: (error: { code?: string; message: string }) => boolean,
): Promise<Outcome> {
  const started = performance.now();
  try {
    const rows = await run();
    return { rows, error: null, tookMs: performance.now() - started };
  } catch (thrown) {
    const error = thrown as Error & { code?: string };
    const told = { message: error.message, isSyntax: isSyntax(error) };
    return { rows: [], error: told, tookMs: performance.now() - started };
  }
}

/** Puts only the canary back where no name has changed. */
function resetBy(
  first: State,
  state: () => Promise<State>,
  feedCanary: () => Promise<unknown>,
  make: () => Promise<void>,
): () => Promise<void> {
  return async () => {
    const { names, canary } = await state();
    if (names !== first.names) await make();
    else if (canary !== first.canary) await feedCanary();
  };
}

/** Further rows of `notes`, from id 100 on, in hexadecimal digits: nothing here depends on quoting. */
function moreNotes(bodies: readonly string[], textOf: (hex: string) => string): string {
  if (bodies.length === 0) return '';
  const rows = bodies.map(
    (body, index) => `(${100 + index}, ${textOf(Buffer.from(body).toString('hex'))}, 'c')`,
  );
  return `insert into notes values ${rows.join(', ')};`;
}

const openSqlite: OpenAttacked = async (_url, atTheEnd, bodies = []) => {
  const folder = await temporaryFolder(atTheEnd);
  let path = '';
  let database: InstanceType<typeof DatabaseSync> | undefined;
  const open = () => {
    path = join(folder, `${randomBytes(4).toString('hex')}.db`);
    const made = new DatabaseSync(path);
    made.exec('pragma synchronous = off');
    made.exec(tables('text') + moreNotes(bodies, (hex) => `cast(x'${hex}' as text)`));
    return made;
  };
  database = open();
  atTheEnd(async () => database?.close());
  const all = (sql: string) => JSON.stringify(database?.prepare(sql).all());
  const state = async (): Promise<State> => {
    const names = all('select type, name, sql from sqlite_master order by name');
    const canary = names.includes('"canary"') ? all('select * from canary') : '';
    return { names: names + all('pragma user_version'), canary };
  };
  const make = async () => {
    database?.close();
    database = open();
  };
  const feedCanary = async () => database?.exec(CANARY_AGAIN);
  return {
    ground: { engine: 'sqlite', config: { path }, variables: {}, registryText: REGISTRY },
    run: (sql) =>
      outcomeOf(
        async () => {
          // A statement gives rows, a script none: a careless caller has either.
          const rows = database?.prepare(sql).all() ?? [];
          if (sql.includes(';')) database?.exec(sql);
          return rows;
        },
        ({ message }) => /syntax error|unrecognized token|incomplete input/.test(message),
      ),
    state,
    reset: resetBy(await state(), state, feedCanary, make),
  };
};

const openPostgres: OpenAttacked = async (url, atTheEnd, bodies = []) => {
  const schema = `vkit_test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  atTheEnd(async () => {
    await client.query('rollback');
    await client.query(`drop schema if exists ${schema} cascade`).finally(() => client.end());
  });
  const make = async () => {
    await client.query('set client_min_messages to error');
    await client.query(`drop schema if exists ${schema} cascade; create schema ${schema}`);
    await client.query(`set search_path to ${schema}`);
    await client.query(
      tables('text') + moreNotes(bodies, (hex) => `convert_from('\\x${hex}', 'UTF8')`),
    );
  };
  const state = async (): Promise<State> => {
    await client.query('rollback');
    const { rows } = await client.query(
      `select relname, relkind::text, (select string_agg(attname, ',' order by attnum) from pg_attribute
         where attrelid = c.oid and attnum > 0), (select string_agg(adbin, ',') from pg_attrdef where adrelid = c.oid)
       from pg_class c where relnamespace = $1::regnamespace
       union all select typname, typtype::text, '', '' from pg_type where typnamespace = $1::regnamespace
       union all select proname, 'f', '', '' from pg_proc where pronamespace = $1::regnamespace order by 1, 2`,
      [schema],
    );
    const hasCanary = rows.some((row) => row.relname === 'canary');
    const canary = hasCanary ? (await client.query('select * from canary')).rows : null;
    return { names: JSON.stringify(rows), canary: JSON.stringify(canary) };
  };
  await make();
  return {
    ground: {
      engine: 'postgres',
      ...postgresGround(url, schema),
      registryText: REGISTRY,
    },
    run: (sql) =>
      outcomeOf(
        async () => {
          const results = await client.query({ text: sql, rowMode: 'array' });
          return [results].flat().flatMap((result) => result.rows as unknown[]);
        },
        ({ code }) => code === '42601',
      ),
    state,
    reset: resetBy(await state(), state, () => client.query(CANARY_AGAIN), make),
  };
};

const openMysql: OpenAttacked = async (url, atTheEnd, bodies = []) => {
  const database = `vkit_test_${randomBytes(8).toString('hex')}`;
  const open = (charset: string) =>
    mysql.createConnection({ uri: url, multipleStatements: true, charset, rowsAsArray: true });
  const client = await open('utf8mb4_general_ci');
  const bytes = await open('latin1_swedish_ci');
  atTheEnd(async () => {
    await bytes.end();
    await client.query(`drop database if exists ${database}`).finally(() => client.end());
  });
  const make = async () => {
    await client.query(
      `drop database if exists ${database}; create database ${database} character set utf8mb4; use ${database}`,
    );
    const notes = moreNotes(bodies, (hex) => `convert(x'${hex}' using utf8mb4)`);
    await client.query(tables('varchar(400)') + notes);
    await bytes.query(`use ${database}`);
  };
  const state = async (): Promise<State> => {
    const [rows] = await client.query(
      `select table_name, column_name, column_default from information_schema.columns where table_schema = ?
       union all select trigger_name, 't', '' from information_schema.triggers where trigger_schema = ?
       union all select index_name, 'i', '' from information_schema.statistics where table_schema = ?
       union all select routine_name, 'r', '' from information_schema.routines where routine_schema = ? order by 1, 2`,
      [database, database, database, database],
    );
    const hasCanary = (rows as unknown[][]).some(([name]) => name === 'canary');
    const canary = hasCanary ? (await client.query('select * from canary'))[0] : null;
    return { names: JSON.stringify(rows), canary: JSON.stringify(canary) };
  };
  // Else the package would follow the character set, and write its characters instead of our bytes.
  await bytes.query("set session session_track_system_variables = ''");
  await make();
  return {
    ground: {
      engine: 'mysql',
      ...mysqlGround(url, database),
      registryText: REGISTRY,
    },
    run: (sql, charset) =>
      outcomeOf(
        async () => {
          if (charset !== undefined) await bytes.query(`set names ${charset}`);
          const [result, fields] = await (charset === undefined ? client : bytes).query(sql);
          // Of several statements there is a list of results, each a list of rows or a summary.
          const isOne = fields?.every((field) => field && !Array.isArray(field)) ?? true;
          const results = isOne ? [result] : (result as unknown[]);
          return results.flatMap((rows) => (Array.isArray(rows) ? (rows as unknown[]) : []));
        },
        ({ code }) => code === 'ER_PARSE_ERROR',
      ),
    state,
    reset: resetBy(await state(), state, () => client.query(CANARY_AGAIN), make),
  };
};

export const OPEN_ATTACKED: Record<AttackedEngine, OpenAttacked> = {
  sqlite: openSqlite,
  postgres: openPostgres,
  mysql: openMysql,
};
