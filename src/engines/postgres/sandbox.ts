import pg from 'pg';
import { VkitError } from '../../errors/index.js';
import type { ConnectionTarget, Sandbox } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import { readServerSettings, type ServerSettings } from '../server-settings.js';
import { postgresDialect } from './dialect.js';
import { sqlState, translateError } from './error.js';
import { PORT } from './options.js';

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** SQLSTATE of what a login may not do. */
const INSUFFICIENT_PRIVILEGE = '42501';
/** What node-postgres says when the server answers a request for TLS with no. */
const NO_TLS = 'The server does not support SSL connections';

/** A new schema, `config.schema`, made with the given login. */
export async function createPostgresSandbox(target: ConnectionTarget): Promise<Sandbox> {
  const settings = await readServerSettings(target, PORT);
  const errors = driverErrors(target.id, [target.credentials.password]);
  const schema = postgresDialect.quoteIdentifier(String(target.config.schema));
  const translate = (error: unknown) =>
    translateError(error, errors, {
      elapsedMs: 0,
      budgetMs: STATEMENT_TIMEOUT_MS,
      timeoutMs: STATEMENT_TIMEOUT_MS,
    });
  const open = async (): Promise<pg.Client> => {
    try {
      return await connect(settings);
    } catch (error) {
      throw translate(error);
    }
  };

  let client: pg.Client | undefined = await open();
  try {
    // One message is one transaction: without the search path there is no schema either.
    await client.query(`CREATE SCHEMA ${schema}; SET search_path TO ${schema}`);
  } catch (error) {
    await client.end().catch(() => undefined);
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw translate(error);
    throw new VkitError(
      'datasource_error',
      `The login may not make a schema in the database "${settings.database}".`,
      { hint: 'Give another login, or grant it CREATE on that database.' },
    );
  }
  return {
    async run(script) {
      try {
        // Without values, the whole script is one message, and so one transaction.
        await client?.query(script);
      } catch (error) {
        throw translate(error);
      }
    },
    async drop() {
      if (client === undefined) return;
      const held = client;
      client = undefined;
      const sql = `DROP SCHEMA IF EXISTS ${schema} CASCADE`;
      try {
        await held.query(sql);
      } catch {
        // The connection may have been lost on the way: what it left behind is removed by another one.
        const other = await open();
        try {
          await other.query(sql);
        } catch (error) {
          throw translate(error);
        } finally {
          await other.end().catch(() => undefined);
        }
      } finally {
        await held.end().catch(() => undefined);
      }
    },
  };
}

async function connect(settings: ServerSettings): Promise<pg.Client> {
  const attempt = async (ssl: ServerSettings['ssl']): Promise<pg.Client> => {
    const { host, port, user, password, database, connectTimeoutMs } = settings;
    const client = new pg.Client({
      ...{ host, port, user, password, database, ssl },
      application_name: 'vkit demo',
      connectionTimeoutMillis: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
    });
    // Without a listener, a connection that the server closes would end the process.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  try {
    return await attempt(settings.ssl);
  } catch (error) {
    const isRefused = error instanceof Error && error.message === NO_TLS;
    if (settings.sslMode !== 'prefer' || !isRefused) throw error;
    return attempt(false);
  }
}
