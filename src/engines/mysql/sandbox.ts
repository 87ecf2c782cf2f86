import mysql from 'mysql2';
import { VkitError } from '../../errors/index.js';
import type { ConnectionTarget, Sandbox } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import { takesClearPassword } from '../server-options.js';
import { createServerSandbox } from '../server-sandbox.js';
import { connectionOptions } from './connection-options.js';
import { mysqlDialect } from './dialect.js';
import { errorNumber, isTlsRefused, translateError } from './error.js';
import { type MysqlSettings, readMysqlSettings } from './settings.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** Of a script, in the driver. */
const SCRIPT_TIMEOUT_MS = 10_000;
/** Access denied, to a database or for a statement. */
const NOT_ALLOWED: readonly (number | undefined)[] = [1044, 1142, 1227];

/** A new database, `config.database`, made with the given login. */
export async function createMysqlSandbox(target: ConnectionTarget): Promise<Sandbox> {
  const settings = await readMysqlSettings(target);
  const errors = driverErrors(target.id, [target.credentials.password]);
  const database = mysqlDialect.quoteIdentifier(settings.database);
  return createServerSandbox<mysql.Connection>({
    settings,
    connect: (ssl) => connect(settings, ssl),
    isTlsRefused,
    run,
    async close(client) {
      client.destroy();
    },
    translate: (error) =>
      translateError(error, errors, {
        elapsedMs: 0,
        budgetMs: SCRIPT_TIMEOUT_MS,
        timeoutMs: SCRIPT_TIMEOUT_MS,
      }),
    make: `CREATE DATABASE ${database} CHARACTER SET utf8mb4; USE ${database}`,
    drop: `DROP DATABASE IF EXISTS ${database}`,
    notAllowed(error) {
      if (!NOT_ALLOWED.includes(errorNumber(error))) return undefined;
      return new VkitError(
        'datasource_error',
        'The login may not make a database on this server.',
        { hint: 'Give another login, or grant it CREATE and DROP.' },
      );
    },
  });
}

async function connect(
  settings: MysqlSettings,
  ssl: MysqlSettings['ssl'],
): Promise<mysql.Connection> {
  const { host, sslMode, connectTimeoutMs = CONNECT_TIMEOUT_MS } = settings;
  const root = ssl !== false && ssl.ca !== undefined ? { ssl_root_cert: 'given' } : {};
  const takesClear = takesClearPassword({ host, ssl_mode: sslMode, ...root });
  const dialling = { connectTimeoutMs, takesClear, rules: undefined };
  const { database: _, ...options } = connectionOptions(settings, ssl, dialling);
  const client = mysql.createConnection({
    ...options,
    // The script of the demo is many statements, all of them vkit's own.
    multipleStatements: true,
    flags: ['-LOCAL_FILES'],
  });
  // Without a listener, a connection that the server closes would end the process.
  client.on('error', () => undefined);
  await run(client, "SET SESSION sql_mode = 'ANSI,TRADITIONAL', time_zone = '+00:00'");
  return client;
}

function run(client: mysql.Connection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({ sql, timeout: SCRIPT_TIMEOUT_MS }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
