import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';

const DEFAULT_URL = 'mysql://root@127.0.0.1:3306/test';
const CONNECT_TIMEOUT_MS = 3_000;

export type MysqlServer = { url: string; reason?: undefined } | { url: null; reason: string };

/**
 * The MySQL or MariaDB server that tests may use: VKIT_TEST_MYSQL_URL, or a local one that lets `root` in. Without one the
 * tests skip and say why, except where CI=true or the variable is set: there a missing server is a failure, so that no
 * test is skipped unnoticed.
 */
export async function findMysql(): Promise<MysqlServer> {
  const given = process.env.VKIT_TEST_MYSQL_URL;
  const url = given || DEFAULT_URL;
  try {
    const connection = await mysql.createConnection({
      uri: url,
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    await connection.query('select 1');
    await connection.end();
    return { url };
  } catch (cause) {
    const reason = `no MySQL server at ${new URL(url).host}; set VKIT_TEST_MYSQL_URL to use one`;
    if (given || process.env.CI === 'true') throw new Error(reason, { cause });
    return { url: null, reason };
  }
}

/** What a test gets: a connection in ANSI mode whose database is new and empty. */
export type TestDatabase = { url: string; database: string; connection: mysql.Connection };

/** Makes a database with a random name, hands it to `use`, and drops it whatever happens. */
export async function withDatabase<T>(
  url: string,
  use: (database: TestDatabase) => Promise<T>,
): Promise<T> {
  const database = `vkit_test_${randomBytes(8).toString('hex')}`;
  const connection = await mysql.createConnection({
    uri: url,
    multipleStatements: true,
    charset: 'utf8mb4_general_ci',
  });
  try {
    await connection.query(
      `set sql_mode = 'ANSI', time_zone = '+00:00';
       create database ${database} character set utf8mb4; use ${database}`,
    );
    return await use({ url, database, connection });
  } finally {
    await connection.query(`drop database if exists ${database}`).finally(() => connection.end());
  }
}

/** The server of a URL as a datasource's configuration, and the variables of its login. */
export function mysqlGround(url: string, database: string) {
  const { hostname, port, username, password } = new URL(url);
  return {
    config: { host: hostname, port: Number(port || 3306), database, ssl_mode: 'disable' },
    variables: {
      username: decodeURIComponent(username),
      ...(password ? { password: decodeURIComponent(password) } : {}),
    },
  };
}
