import type { CompiledQuery } from '../aql/plan.js';
import { VkitError } from '../errors/index.js';
import type { LoginAbility, ScannedTable } from '../schema/model.js';
import type { ConnectionOptions, Connector, RunOptions, ScanOptions } from './contract.js';
import type { DriverErrors } from './driver-error.js';
import type { LeaseOptions, LeaseProtocol } from './lease.js';
import { type ConnectionPool, createLeasePool } from './lease-pool.js';
import { isOfFewRows, type QueryProtocol, runQuery } from './run-query.js';

const CONNECTIONS_MAX = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const SCAN_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = 10_000;

/** One engine of servers, as far as its connector needs it. */
export interface ServerProtocol<Session, Cell>
  extends LeaseProtocol<Session>,
    QueryProtocol<Session, Cell> {
  /** One statement that does nothing, for its round trip. */
  ping(session: Session): Promise<void>;
  /** Product and version: `postgres 15.4`. */
  readServer(session: Session): Promise<string>;
  readTables(session: Session, options: ScanOptions): Promise<ScannedTable[]>;
  /** What the login could do beyond reading these tables; absent where an engine is not asked, or does not tell. */
  readLogin?(
    session: Session,
    tables: readonly ScannedTable[],
  ): Promise<LoginAbility[] | undefined>;
}

export interface PoolOptions {
  connectionsMax: number;
  connectTimeoutMs: number;
}

/** The bounds of a pool: what the caller says, else the datasource's configuration, else the defaults. */
export function poolOptions(
  options: ConnectionOptions,
  configuredTimeoutMs: number | undefined,
): PoolOptions {
  return {
    connectionsMax: options.poolMax ?? CONNECTIONS_MAX,
    connectTimeoutMs: options.connectTimeoutMs ?? configuredTimeoutMs ?? CONNECT_TIMEOUT_MS,
  };
}

/** A connector over a pool; each of its methods uses a connection under its own time budget. */
export function createServerConnector<Session, Cell>(
  connections: ConnectionPool<Session>,
  protocol: ServerProtocol<Session, Cell>,
  errors: DriverErrors,
  { defaultSchema, ...options }: PoolOptions & { defaultSchema: string },
): Connector {
  const pool = createLeasePool(connections, protocol, errors, options);

  const withLease = async <T>(
    lease: LeaseOptions,
    use: (session: Session) => Promise<T>,
  ): Promise<T> => {
    const held = await pool.lease(lease);
    return await held.run(use).finally(() => held.end());
  };

  /** Nothing of the query has run yet: a connection that was lost unnoticed is replaced by one that is sure to stand. */
  const leaseOfChecked = async (query: CompiledQuery, run: RunOptions) => {
    // Without a table there is no check that would notice.
    for (let proven = query.tables.length === 0; ; proven = true) {
      const lease = await pool.lease({ timeoutMs: run.timeoutMs, signal: run.signal, proven });
      try {
        const rows = isOfFewRows(query, run)
          ? await lease.run(async (session, ms) => protocol.readChecked?.(session, query, ms))
          : undefined;
        if (rows !== undefined) return { lease, rows };
        const checkLater = await lease.run((session) =>
          protocol.checkTables(session, query.tables, errors),
        );
        return { lease, checkLater };
      } catch (error) {
        await lease.end();
        const isLost = error instanceof VkitError && error.code === 'datasource_unreachable';
        if (proven || !isLost) throw error;
      }
    }
  };

  return {
    test: () =>
      withLease({ timeoutMs: TEST_TIMEOUT_MS }, async (session) => {
        const startedAt = performance.now();
        await protocol.ping(session);
        const latencyMs = performance.now() - startedAt;
        return { server: await protocol.readServer(session), latencyMs };
      }),
    introspect: (scan = {}) =>
      withLease({ timeoutMs: scan.timeoutMs ?? SCAN_TIMEOUT_MS }, async (session) => {
        const server = await protocol.readServer(session);
        const tables = await protocol.readTables(session, scan);
        const login = await protocol.readLogin?.(session, tables);
        return { server, defaultSchema, tables, ...(login && { login }) };
      }),
    async *run(query, run) {
      const { lease, ...checked } = await leaseOfChecked(query, run);
      yield* runQuery(lease, protocol, errors, query, { ...run, ...checked });
    },
    use: pool.use,
    close: () => pool.close(),
  };
}
