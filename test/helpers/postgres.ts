import { randomBytes } from 'node:crypto';
import pg from 'pg';

const DEFAULT_URL = 'postgres://root@127.0.0.1:5432/test';
const CONNECT_TIMEOUT_MS = 3_000;

export type PostgresServer = { url: string; reason?: undefined } | { url: null; reason: string };

/**
 * The PostgreSQL server that tests may use: VKIT_TEST_PG_URL, or a local one that lets `root` in.
 * Without one the tests skip and say why, except where CI=true or the variable is set: there a
 * missing server is a failure, so that no test is skipped unnoticed.
 */
export async function findPostgres(): Promise<PostgresServer> {
  const given = process.env.VKIT_TEST_PG_URL;
  const url = given || DEFAULT_URL;
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  try {
    await client.connect();
    await client.query('select 1');
    return { url };
  } catch (cause) {
    const reason = `no PostgreSQL server at ${new URL(url).host}; set VKIT_TEST_PG_URL to use one`;
    if (given || process.env.CI === 'true') throw new Error(reason, { cause });
    return { url: null, reason };
  } finally {
    await client.end().catch(() => undefined); // Ending a connection that never was.
  }
}

/** What a test gets: a connection whose search_path is a new, empty schema. */
export type TestSchema = { url: string; schema: string; client: pg.Client };

/** Makes a schema with a random name, hands it to `use`, and drops it whatever happens. */
export async function withSchema<T>(
  url: string,
  use: (schema: TestSchema) => Promise<T>,
): Promise<T> {
  const schema = `vkit_test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create schema ${schema}`);
    await client.query(`set search_path to ${schema}`);
    return await use({ url, schema, client });
  } finally {
    await client.query(`drop schema if exists ${schema} cascade`).finally(() => client.end());
  }
}

/** The server of a URL as a datasource's configuration, and the variables of its login. */
export function postgresGround(url: string, schema: string) {
  const { hostname, port, pathname, username, password } = new URL(url);
  return {
    config: {
      host: hostname,
      port: Number(port || 5432),
      database: decodeURIComponent(pathname.slice(1)),
      schema,
      ssl_mode: 'disable',
    },
    variables: {
      username: decodeURIComponent(username),
      ...(password ? { password: decodeURIComponent(password) } : {}),
    },
  };
}

/** A schema of its own for the state of a server, as the URL that a server is given. */
export async function emptyState(
  url: string,
): Promise<{ url: string; schema: string; discard: () => Promise<void> }> {
  const schema = `vkit_test_${randomBytes(8).toString('hex')}`;
  const run = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  await run(`create schema ${schema}`);
  const own = new URL(url);
  own.searchParams.set('options', `-c search_path=${schema}`);
  return {
    url: own.href.replaceAll('+', '%20'),
    schema,
    discard: () => run(`drop schema if exists ${schema} cascade`),
  };
}
