import { VkitError } from '../../errors/index.js';
import type { DriverErrors } from '../driver-error.js';
import { createSlots } from '../slots.js';
import { isConnectionError, translateError } from './error.js';
import { type Connection, createLease, type Lease, type LeaseOptions } from './lease.js';
import { beginReadOnly, PIN_SESSION, type PostgresSession } from './session.js';

/** A connection of the pool; it is the same object whenever it is handed out. */
export interface PooledConnection {
  readonly session: PostgresSession;
  /** Of its process in the database; absent until the session is pinned. */
  processId?: string;
  destroy(): void;
  giveBack(clean: boolean): void;
}

/** What the package's pool does for `createLeasePool`; errors are the package's own. */
export interface ConnectionPool {
  connect(): Promise<PooledConnection>;
  /** Cancels what the process runs, from a connection outside the pool; never fails. */
  cancel(processId: string): Promise<void>;
  end(): Promise<void>;
}

export interface LeasePool {
  /** A connection with its read-only transaction open. Throws VkitError. */
  lease(options: LeaseOptions): Promise<Lease>;
  /** Ends what is running and closes every connection. */
  close(): Promise<void>;
}

export interface LeasePoolOptions {
  connectionsMax: number;
  connectTimeoutMs: number;
  /** For messages. */
  database: string;
}

export function createLeasePool(
  pool: ConnectionPool,
  errors: DriverErrors,
  { connectionsMax, connectTimeoutMs, database }: LeasePoolOptions,
): LeasePool {
  const slots = createSlots(connectionsMax);
  const running = new Set<Lease>();
  let closing: Promise<void> | undefined;

  /** One that the server closed while it was idle, unnoticed, is replaced. */
  const open = async (timeoutMs: number): Promise<PooledConnection> => {
    for (let attempt = 0; ; attempt += 1) {
      const connection = await pool.connect();
      const isReused = connection.processId !== undefined;
      const timer = setTimeout(() => connection.destroy(), connectTimeoutMs);
      try {
        connection.processId ??= await pin(connection.session, database);
        await connection.session.query(beginReadOnly(timeoutMs));
        return connection;
      } catch (error) {
        connection.giveBack(false);
        const isWorthAnother = isReused && attempt < connectionsMax && isConnectionError(error);
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
        const pooled = await open(options.timeoutMs);
        if (closing) {
          // It was closed meanwhile.
          pooled.giveBack(false);
          throw errors.interrupted();
        }
        const connection: Connection = {
          session: pooled.session,
          cancel: () => pool.cancel(pooled.processId ?? ''),
          destroy: () => pooled.destroy(),
          giveBack(clean) {
            running.delete(lease);
            pooled.giveBack(clean);
            slot();
          },
        };
        const lease: Lease = createLease(connection, errors, options);
        running.add(lease);
        return lease;
      } catch (error) {
        slot();
        if (error instanceof VkitError) throw error;
        throw translateError(error, errors, { elapsedMs: 0, budgetMs: 1, timeoutMs: 0 });
      }
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Pins the session and answers its process id. */
async function pin(session: PostgresSession, database: string): Promise<string> {
  const [row] = await session.query(PIN_SESSION);
  const [encoding, processId] = row ?? [];
  if (encoding !== 'UTF8') {
    throw new VkitError(
      'unsupported',
      `The database "${database}" is encoded in ${encoding}; vkit reads UTF8 alone.`,
      { hint: 'Copy it into a database with the encoding UTF8.' },
    );
  }
  return processId ?? '';
}
