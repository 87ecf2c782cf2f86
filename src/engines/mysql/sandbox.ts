import mysql from 'mysql2';
import { VkitError } from '../../errors/index.js';
import type { ConnectionTarget, Sandbox } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import { connectionOptions } from './connection-options.js';
import { mysqlDialect } from './dialect.js';
import { errorNumber, isTlsRefused, translateError } from './error.js';
import { type MysqlSettings, readMysqlSettings } from './settings.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** Of one statement, in the driver. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** Access denied, to a database or for a statement. */
const NOT_ALLOWED: readonly (number | undefined)[] = [1044, 1227, 1142];

/** A new database, `config.database`, made with the given login. */
export async function createMysqlSandbox(target: ConnectionTarget): Promise<Sandbox> {
  const settings = await readMysqlSettings(target);
  const errors = driverErrors(target.id, [target.credentials.password]);
  const database = mysqlDialect.quoteIdentifier(settings.database);
  const translate = (error: unknown) =>
    translateError(error, errors, {
      elapsedMs: 0,
      budgetMs: STATEMENT_TIMEOUT_MS,
      timeoutMs: STATEMENT_TIMEOUT_MS,
    });
  const open = async (): Promise<mysql.Connection> => {
    try {
      return await connect(settings);
    } catch (error) {
      throw translate(error);
    }
  };

  let client: mysql.Connection | undefined = await open();
  try {
    await run(client, `CREATE DATABASE ${database} CHARACTER SET utf8mb4; USE ${database}`);
  } catch (error) {
    client.destroy();
    if (!NOT_ALLOWED.includes(errorNumber(error))) throw translate(error);
    throw new VkitError('datasource_error', 'The login may not make a database on this server.', {
      hint: 'Give another login, or grant it CREATE and DROP.',
    });
  }
  return {
    async run(script) {
      try {
        if (client) await run(client, script);
      } catch (error) {
        throw translate(error);
      }
    },
    async drop() {
      if (client === undefined) return;
      const held = client;
      client = undefined;
      const sql = `DROP DATABASE IF EXISTS ${database}`;
      try {
        await run(held, sql);
        held.end();
      } catch {
        held.destroy();
        // The connection may have been lost on the way: what it left behind is removed by another one.
        const other = await open();
        try {
          await run(other, sql);
        } catch (error) {
          throw translate(error);
        } finally {
          other.end();
        }
      }
    },
  };
}

async function connect(settings: MysqlSettings): Promise<mysql.Connection> {
  const attempt = async (ssl: MysqlSettings['ssl']): Promise<mysql.Connection> => {
    const { database: _, ...options } = connectionOptions(
      settings,
      ssl,
      settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    );
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
  };
  try {
    return await attempt(settings.ssl);
  } catch (error) {
    if (settings.sslMode !== 'prefer' || !isTlsRefused(error)) throw error;
    return attempt(false);
  }
}

function run(client: mysql.Connection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({ sql, timeout: STATEMENT_TIMEOUT_MS }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
