import pg from 'pg';
import { serialize } from 'pg-protocol';
import { type AddressRules, GuardedSocket } from '../../util/outbound.js';
import type { ConnectionOptions, ConnectionTarget, Connector } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import type { ConnectionPool, PooledConnection } from '../lease-pool.js';
import { preferTls } from '../prefer-tls.js';
import { createServerConnector, type PoolOptions, poolOptions } from '../server-connector.js';
import { takesClearPassword } from '../server-options.js';
import { readServerSettings, type ServerSettings } from '../server-settings.js';
import { CLEAR_PASSWORD, isTlsRefused } from './error.js';
import { PORT } from './options.js';
import { Pipeline, preparedStatements } from './pipeline.js';
import { postgresProtocol } from './protocol.js';
import type { PipelineAnswer, PostgresSession, TextRow } from './session.js';

const IDLE_TIMEOUT_MS = 30_000;

/** Opens a pool to one database. Nothing is connected before the first use. */
export async function connectPostgres(
  target: ConnectionTarget,
  options: ConnectionOptions = {},
): Promise<Connector> {
  const settings = await readServerSettings(target, PORT);
  const errors = driverErrors(target.id, [target.credentials.password]);
  const bounds = poolOptions(options, settings.connectTimeoutMs);
  const takesClear = takesClearPassword(target.config, options.clearPasswordHosts);
  const Client = takesClear ? pg.Client : WithoutClearPassword;
  const pool = openPool(settings, bounds, Client, options.addressRules);
  const { schema } = target.config;
  return createServerConnector(pool, postgresProtocol(settings.database), errors, {
    ...bounds,
    defaultSchema: typeof schema === 'string' ? schema : 'public',
  });
}

/** A client that hangs up on a server that asks for the password in clear, which may be anybody. */
class WithoutClearPassword extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    // Before the package's own listener, which finds a stream that takes nothing any more.
    this.connection.on('authenticationCleartextPassword', () => {
      this.connection.stream.destroy(new Error(CLEAR_PASSWORD));
    });
  }
}

function openPool(
  settings: ServerSettings,
  { connectionsMax, connectTimeoutMs }: PoolOptions,
  Client: typeof pg.Client,
  rules: AddressRules | undefined,
): ConnectionPool<PostgresSession> {
  const { host, port, user, password, database } = settings;
  const known = new WeakMap<pg.PoolClient, PooledConnection<PostgresSession>>();

  const config = (ssl: ServerSettings['ssl']): pg.ClientConfig => ({
    ...{ host, port, user, password, database, ssl },
    application_name: 'vkit',
    ...(rules && { stream: () => new GuardedSocket(rules) }),
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    // Text is lossless; what the package makes of numbers and dates is not.
    types: { getTypeParser: () => (text: string) => text },
  });
  const open = (ssl: ServerSettings['ssl']) => {
    const opened = new pg.Pool({
      ...config(ssl),
      Client,
      max: connectionsMax,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      allowExitOnIdle: true,
    });
    // Without listeners, a connection that the server closes would end the process. An idle one
    // leaves the pool by itself, one in use fails its next statement.
    opened.on('error', () => undefined);
    opened.on('connect', (client) => client.on('error', () => undefined));
    return opened;
  };
  const pool = preferTls(settings, open, isTlsRefused);

  return {
    async connect() {
      const client = await pool.use((opened) => opened.connect());
      const connection = known.get(client) ?? {
        session: sessionOf(client),
        destroy: () => client.connection.stream.destroy(),
        giveBack: (clean) => client.release(!clean),
      };
      known.set(client, connection);
      return connection;
    },
    async cancel(processId) {
      const client = new Client(config(pool.ssl()));
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.query('SELECT pg_catalog.pg_cancel_backend($1)', [processId]);
      } catch {
        // The caller closes the connection then, and the statement's own timeout ends it.
      } finally {
        await client.end().catch(() => undefined);
      }
    },
    end: () => pool.end(),
  };
}

function sessionOf(client: pg.PoolClient): PostgresSession {
  let deferred = '';
  const prepared = preparedStatements();
  return {
    async query(sql, values) {
      const before = deferred;
      deferred = '';
      // One message holds either several statements or values.
      if (values !== undefined && before !== '') await client.query(before);
      const answer: pg.QueryArrayResult<string[]> | pg.QueryArrayResult<string[]>[] =
        await client.query<string[]>({
          text: values === undefined && before !== '' ? `${before}; ${sql}` : sql,
          rowMode: 'array',
          ...(values ? { values: [...values] } : {}),
        });
      // Several statements answer a list, which the package's types do not know.
      const rows: readonly TextRow[] = Array.isArray(answer)
        ? answer.flatMap((one) => one.rows)
        : answer.rows;
      return rows;
    },
    defer(sql) {
      deferred = deferred === '' ? sql : `${deferred}; ${sql}`;
    },
    takeDeferred() {
      const taken = deferred;
      deferred = '';
      return taken;
    },
    async pipeline(statements) {
      const answer = await new Promise<PipelineAnswer>((resolve) => {
        client.query(new Pipeline(statements, prepared, serialize, resolve));
      });
      // A connection that was lost has lost its transaction too.
      if (answer.error !== undefined) await client.query('ROLLBACK').catch(() => undefined);
      return answer;
    },
    isClean: () => deferred === '' && client.getTransactionStatus() === 'I',
  };
}
