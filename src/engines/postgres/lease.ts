import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { VkitError } from '../../errors/index.js';
import type { DriverErrors } from '../driver-error.js';
import { isConnectionError, translateError } from './error.js';
import type { PostgresSession } from './session.js';

/** The database stops a statement by itself; the driver steps in when it has not so much later. */
const DRIVER_GRACE_MS = 1_000;
/** A cancel that arrives between two statements hits nothing, so it is repeated while one runs. */
const CANCEL_ATTEMPTS_MAX = 10;
const CANCEL_INTERVAL_MS = 200;
const ROLLBACK_WAIT_MS = 3_000;

/** A connection in its transaction, as the driver hands it out. */
export interface Connection {
  readonly session: PostgresSession;
  /** Cancels what runs on this connection, from a second one; never fails. */
  cancel(): Promise<void>;
  /** Closes the socket: whatever waits on it fails. */
  destroy(): void;
  /** Back to the pool, or closed where it is not clean. */
  giveBack(clean: boolean): void;
}

/** The use of a connection by one operation, under its time budget and its signal. */
export interface Lease {
  /**
   * Runs statements. The budget counts only the time spent in here, so a slow reader does not use it
   * up. Throws VkitError, `query_timeout` or `interrupted` once the statement was cancelled.
   */
  run<T>(work: (session: PostgresSession, remainingMs: number) => Promise<T>): Promise<T>;
  /** Rolls back and gives the connection back; once, however often it is called. */
  end(): Promise<void>;
  /** Cancels what runs, which fails with `interrupted`, and ends. */
  interrupt(): Promise<void>;
}

export interface LeaseOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export function createLease(
  connection: Connection,
  errors: DriverErrors,
  { timeoutMs, signal }: LeaseOptions,
): Lease {
  let spentMs = 0;
  let busy = false;
  let clean = true;
  let cancelling: Promise<void> | undefined;
  let ended: Promise<void> | undefined;

  const end = () => {
    ended ??= finish();
    return ended;
  };

  const finish = async () => {
    signal?.removeEventListener('abort', onAbort);
    // A cancel that is still on its way must not meet the process id's next owner.
    await cancelling;
    if (clean) clean = await rollBack(connection);
    connection.giveBack(clean);
  };

  const cancel = async () => {
    for (let attempt = 0; busy && attempt < CANCEL_ATTEMPTS_MAX; attempt += 1) {
      await connection.cancel();
      if (busy) await setTimeoutPromise(CANCEL_INTERVAL_MS);
    }
    // What cannot be cancelled is left behind with its connection; its own timeout ends it.
    if (busy) connection.destroy();
  };

  const stop = () => {
    // A connection that was cancelled is closed: the cancel may arrive late and hit the next query.
    clean = false;
    cancelling ??= cancel();
  };

  let isInterrupted = false;
  const onAbort = () => {
    isInterrupted = true;
    if (busy) stop();
    else void end();
  };
  signal?.addEventListener('abort', onAbort, { once: true });

  const session: PostgresSession = {
    query: async (sql, values) => {
      if (cancelling) throw errors.interrupted();
      return connection.session.query(sql, values);
    },
  };

  return {
    end,
    interrupt() {
      onAbort();
      return end();
    },
    async run(work) {
      if (signal?.aborted) onAbort();
      if (isInterrupted || cancelling || ended) throw errors.interrupted();
      const budgetMs = timeoutMs - spentMs;
      if (budgetMs <= 0) throw errors.timeout(timeoutMs);
      const startedAt = performance.now();
      let isOvertime = false;
      const timer = setTimeout(() => {
        isOvertime = true;
        stop();
      }, budgetMs + DRIVER_GRACE_MS);
      busy = true;
      try {
        const result = await work(session, budgetMs);
        if (isInterrupted) throw errors.interrupted();
        return result;
      } catch (error) {
        if (isOvertime) throw errors.timeout(timeoutMs, error);
        if (isInterrupted) throw errors.interrupted();
        if (error instanceof VkitError) throw error;
        if (isConnectionError(error)) clean = false;
        const elapsedMs = performance.now() - startedAt;
        throw translateError(error, errors, { elapsedMs, budgetMs, timeoutMs });
      } finally {
        busy = false;
        spentMs += performance.now() - startedAt;
        clearTimeout(timer);
      }
    },
  };
}

/** Whether the connection is as it was before the transaction. */
async function rollBack(connection: Connection): Promise<boolean> {
  const timer = setTimeout(() => connection.destroy(), ROLLBACK_WAIT_MS);
  try {
    // Also undoes what a view may have set with set_config(): a commit would keep it.
    await connection.session.query('ROLLBACK');
    return true;
  } catch {
    // The connection is lost, and with it the transaction.
    return false;
  } finally {
    clearTimeout(timer);
  }
}
