import pg from 'pg';
import type { ConnectionOptions, ConnectionTarget, Connector } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import { NO_TLS } from './error.js';
import { readTables } from './introspect.js';
import type { Lease, LeaseOptions } from './lease.js';
import { type ConnectionPool, createLeasePool, type PooledConnection } from './lease-pool.js';
import { runQuery } from './run-query.js';
import type { PostgresSession, TextRow } from './session.js';
import { type PostgresSettings, readSettings } from './settings.js';

const CONNECTIONS_MAX = 4;
const CONNECT_TIMEOUT_MS = 10_000;
const SCAN_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;

/** Opens a pool to one database. Nothing is connected before the first use. */
export async function connectPostgres(
  target: ConnectionTarget,
  options: ConnectionOptions = {},
): Promise<Connector> {
  const settings = await readSettings(target);
  const errors = driverErrors(target.id, [target.credentials.password]);
  const connectionsMax = options.poolMax ?? CONNECTIONS_MAX;
  const connectTimeoutMs =
    options.connectTimeoutMs ?? settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const connections = openPool(settings, connectionsMax, connectTimeoutMs);
  const pool = createLeasePool(connections, errors, {
    connectionsMax,
    connectTimeoutMs,
    database: settings.database,
  });

  const withLease = async <T>(
    lease: LeaseOptions,
    use: (session: PostgresSession) => Promise<T>,
  ): Promise<T> => {
    const held = await pool.lease(lease);
    return await held.run(use).finally(() => held.end());
  };

  return {
    test: () =>
      withLease({ timeoutMs: TEST_TIMEOUT_MS }, async (session) => {
        const startedAt = performance.now();
        await session.query('SELECT 1');
        const latencyMs = performance.now() - startedAt;
        return { server: await readServer(session), latencyMs };
      }),
    introspect: (scan = {}) =>
      withLease({ timeoutMs: scan.timeoutMs ?? SCAN_TIMEOUT_MS }, async (session) => ({
        server: await readServer(session),
        defaultSchema: settings.schema,
        tables: await readTables(session, scan),
      })),
    async *run(query, run) {
      const lease: Lease = await pool.lease(run);
      yield* runQuery(lease, errors, query, run);
    },
    close: () => pool.close(),
  };
}

async function readServer(session: PostgresSession): Promise<string> {
  const [row] = await session.query("SELECT pg_catalog.current_setting('server_version')");
  // Distributions add their package's version in brackets: `15.4 (Debian 15.4-1)`.
  return `postgres ${row?.[0]?.split(' ')[0] ?? ''}`.trim();
}

function openPool(
  settings: PostgresSettings,
  connectionsMax: number,
  connectTimeoutMs: number,
): ConnectionPool {
  const { host, port, user, password, database } = settings;
  let ssl = settings.ssl;
  const known = new WeakMap<pg.PoolClient, PooledConnection>();

  const config = (): pg.ClientConfig => ({
    ...{ host, port, user, password, database, ssl },
    application_name: 'vkit',
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    // Text is lossless; what the package makes of numbers and dates is not.
    types: { getTypeParser: () => (text: string) => text },
  });
  const open = () => {
    const opened = new pg.Pool({
      ...config(),
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
  let pool = open();

  const connectClient = async (): Promise<pg.PoolClient> => {
    const used = pool;
    try {
      return await used.connect();
    } catch (error) {
      const isRefused = error instanceof Error && error.message === NO_TLS;
      if (settings.sslMode !== 'prefer' || !isRefused) throw error;
      if (used === pool) {
        ssl = false;
        pool = open();
        await used.end();
      }
      return await pool.connect();
    }
  };

  return {
    async connect() {
      const client = await connectClient();
      const connection = known.get(client) ?? {
        session: sessionOf(client),
        destroy: () => client.connection.stream.destroy(),
        giveBack: (clean) => client.release(!clean),
      };
      known.set(client, connection);
      return connection;
    },
    async cancel(processId) {
      const client = new pg.Client(config());
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
  return {
    async query(sql, values) {
      const answer: pg.QueryArrayResult<string[]> | pg.QueryArrayResult<string[]>[] =
        await client.query<string[]>({
          text: sql,
          rowMode: 'array',
          ...(values ? { values: [...values] } : {}),
        });
      // Several statements answer a list, which the package's types do not know.
      const last = Array.isArray(answer) ? answer.at(-1) : answer;
      const rows: readonly TextRow[] = last?.rows ?? [];
      return rows;
    },
  };
}
