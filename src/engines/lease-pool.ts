import { VkitError } from '../errors/index.js';
import type { DriverErrors } from './driver-error.js';
import {
  type Connection,
  createLease,
  type Lease,
  type LeaseOptions,
  type LeaseProtocol,
} from './lease.js';
import { createSlots, type PoolUse } from './slots.js';

/** A connection that was in use so lately is not asked whether it still stands. */
const SURELY_ALIVE_MS = 1_000;

/** A connection of the pool; it is the same object whenever it is handed out. */
export interface PooledConnection<Session> {
  readonly session: Session;
  /** By which the database knows it; absent until the session is pinned. */
  id?: string;
  /** When it was given back, by the monotonic clock. */
  givenBackAt?: number;
  destroy(): void;
  giveBack(clean: boolean): void;
}

/** What the package's pool does for `createLeasePool`; errors are the package's own. */
export interface ConnectionPool<Session> {
  connect(): Promise<PooledConnection<Session>>;
  /** Cancels what runs on the connection of an id, from one outside the pool; never fails. */
  cancel(id: string): Promise<void>;
  end(): Promise<void>;
}

export interface LeasePool<Session> {
  /** A connection with its read-only transaction open. Throws VkitError. */
  lease(options: LeaseOptions): Promise<Lease<Session>>;
  use(): PoolUse;
  /** Ends what is running and closes every connection. */
  close(): Promise<void>;
}

export interface LeasePoolOptions {
  connectionsMax: number;
  connectTimeoutMs: number;
}

export function createLeasePool<Session>(
  pool: ConnectionPool<Session>,
  protocol: LeaseProtocol<Session>,
  errors: DriverErrors,
  { connectionsMax, connectTimeoutMs }: LeasePoolOptions,
): LeasePool<Session> {
  const slots = createSlots(connectionsMax);
  const running = new Set<Lease<Session>>();
  let closing: Promise<void> | undefined;

  /** One that the server closed while it was idle, unnoticed, is replaced. */
  const open = async ({
    timeoutMs,
    proven = false,
  }: LeaseOptions): Promise<PooledConnection<Session>> => {
    for (let attempt = 0; ; attempt += 1) {
      const connection = await pool.connect();
      const isReused = connection.id !== undefined;
      const timer = setTimeout(() => connection.destroy(), connectTimeoutMs);
      try {
        connection.id ??= await protocol.pin(connection.session);
        const idleMs = performance.now() - (connection.givenBackAt ?? Number.NEGATIVE_INFINITY);
        const isSurelyAlive = !proven && idleMs < SURELY_ALIVE_MS;
        await protocol.begin(connection.session, timeoutMs, isSurelyAlive);
        return connection;
      } catch (error) {
        connection.giveBack(false);
        const isWorthAnother =
          isReused && attempt < connectionsMax && protocol.isConnectionError(error);
        if (!isWorthAnother) throw error;
      } finally {
        clearTimeout(timer);
      }
    }
  };

  const close = async () => {
    await Promise.all([...running].map((lease) => lease.interrupt()));
    await pool.end();
  };

  return {
    async lease(options) {
      if (closing) throw errors.unreachable(new Error('The connector is closed.'));
      const slot = await slots.acquire(options.timeoutMs, options.signal);
      if (slot === 'aborted') throw errors.interrupted();
      if (slot === 'busy') throw errors.busy(options.timeoutMs);
      try {
        const pooled = await open(options);
        if (closing) {
          // It was closed meanwhile.
          pooled.giveBack(false);
          throw errors.interrupted();
        }
        const connection: Connection<Session> = {
          session: pooled.session,
          cancel: () => pool.cancel(pooled.id ?? ''),
          destroy: () => pooled.destroy(),
          giveBack(clean) {
            running.delete(lease);
            pooled.givenBackAt = performance.now();
            pooled.giveBack(clean);
            slot();
          },
        };
        const lease: Lease<Session> = createLease(connection, protocol, errors, options);
        running.add(lease);
        return lease;
      } catch (error) {
        slot();
        if (error instanceof VkitError) throw error;
        const time = { elapsedMs: 0, budgetMs: 1, timeoutMs: 0 };
        throw protocol.translateError(error, errors, time);
      }
    },
    use: slots.use,
    close() {
      closing ??= close();
      return closing;
    },
  };
}
