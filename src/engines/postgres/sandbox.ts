import pg from 'pg';
import { VkitError } from '../../errors/index.js';
import type { ConnectionTarget, Sandbox } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import { createServerSandbox } from '../server-sandbox.js';
import { readServerSettings, type ServerSettings } from '../server-settings.js';
import { postgresDialect } from './dialect.js';
import { isTlsRefused, sqlState, translateError } from './error.js';
import { PORT } from './options.js';

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** SQLSTATE of what a login may not do. */
const INSUFFICIENT_PRIVILEGE = '42501';

/** A new schema, `config.schema`, made with the given login. */
export async function createPostgresSandbox(target: ConnectionTarget): Promise<Sandbox> {
  const settings = await readServerSettings(target, PORT);
  const errors = driverErrors(target.id, [target.credentials.password]);
  const schema = postgresDialect.quoteIdentifier(String(target.config.schema));
  return createServerSandbox<pg.Client>({
    settings,
    connect: (ssl) => connect(settings, ssl),
    isTlsRefused,
    async run(client, sql) {
      // Without values, a whole script is one message, and so one transaction.
      await client.query(sql);
    },
    close: (client) => client.end().catch(() => undefined),
    translate: (error) =>
      translateError(error, errors, {
        elapsedMs: 0,
        budgetMs: STATEMENT_TIMEOUT_MS,
        timeoutMs: STATEMENT_TIMEOUT_MS,
      }),
    // One message is one transaction: without the search path there is no schema either.
    make: `CREATE SCHEMA ${schema}; SET search_path TO ${schema}`,
    drop: `DROP SCHEMA IF EXISTS ${schema} CASCADE`,
    notAllowed(error) {
      if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) return undefined;
      return new VkitError(
        'datasource_error',
        `The login may not make a schema in the database "${settings.database}".`,
        { hint: 'Give another login, or grant it CREATE on that database.' },
      );
    },
  });
}

async function connect(settings: ServerSettings, ssl: ServerSettings['ssl']): Promise<pg.Client> {
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
}
