import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { VkitError } from '../errors/index.js';
import type { DriverErrors } from './driver-error.js';

/** A cancel that arrives between two statements hits nothing, so it is repeated while one runs. */
const CANCEL_ATTEMPTS_MAX = 10;
const CANCEL_INTERVAL_MS = 200;
const ROLLBACK_WAIT_MS = 3_000;

/** How an engine of servers speaks on a connection; `Session` is what its own code sees of one. */
export interface LeaseProtocol<Session> {
  /** The database stops a statement by itself; the driver steps in when it has not so much later. */
  readonly driverGraceMs: number;
  /**
   * Pins what could change an answer, and answers the id under which the database knows the connection. Throws
   * `unsupported` for a database vkit does not read.
   */
  pin(session: Session): Promise<string>;
  /**
   * Opens the read-only transaction in which everything runs; where the connection is surely alive, an engine may send
   * that together with the first statement.
   */
  begin(session: Session, timeoutMs: number, isSurelyAlive: boolean): Promise<void>;
  rollBack(session: Session): Promise<void>;
  /** The session, `check` called before each of its statements: it throws once none may run any more. */
  guard(session: Session, check: () => void): Session;
  /** Whether the database is still sending the rows of a statement, or working on them. */
  isStreaming(session: Session): boolean;
  isConnectionError(error: unknown): boolean;
  /** The typed error of what a statement threw `elapsedMs` after it was given `budgetMs`. */
  translateError(error: unknown, errors: DriverErrors, time: StatementTime): VkitError;
}

export interface StatementTime {
  elapsedMs: number;
  budgetMs: number;
  /** Of the whole query, for the message. */
  timeoutMs: number;
}

/** A connection in its transaction, as the driver hands it out. */
export interface Connection<Session> {
  readonly session: Session;
  /** Cancels what runs on this connection, from a second one; never fails. */
  cancel(): Promise<void>;
  /** Closes the socket: whatever waits on it fails. */
  destroy(): void;
  /** Back to the pool, or closed where it is not clean. */
  giveBack(clean: boolean): void;
}

/** The use of a connection by one operation, under its time budget and its signal. */
export interface Lease<Session> {
  /**
   * Runs statements. The budget counts only the time spent in here, so a slow reader does not use it
   * up. Throws VkitError, `query_timeout` or `interrupted` once the statement was cancelled.
   */
  run<T>(work: (session: Session, remainingMs: number) => Promise<T>): Promise<T>;
  /** Rolls back and gives the connection back; once, however often it is called. */
  end(): Promise<void>;
  /** Cancels what runs, which fails with `interrupted`, and ends. */
  interrupt(): Promise<void>;
}

export interface LeaseOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Whether the connection is asked whether it still stands, however lately it was in use. */
  proven?: boolean;
}

export function createLease<Session>(
  connection: Connection<Session>,
  protocol: LeaseProtocol<Session>,
  errors: DriverErrors,
  { timeoutMs, signal }: LeaseOptions,
): Lease<Session> {
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
    if (clean && protocol.isStreaming(connection.session)) {
      // Whoever reads has gone before the last row.
      clean = false;
      await connection.cancel();
    }
    if (clean) clean = await rollBack(connection, protocol);
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

  const session = protocol.guard(connection.session, () => {
    if (cancelling) throw errors.interrupted();
  });

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
      }, budgetMs + protocol.driverGraceMs);
      busy = true;
      try {
        const result = await work(session, budgetMs);
        if (isInterrupted) throw errors.interrupted();
        // What was cancelled may still answer: the rows that it had, or what SLEEP has for a cancel.
        if (isOvertime) throw errors.timeout(timeoutMs);
        return result;
      } catch (error) {
        if (isOvertime) throw errors.timeout(timeoutMs, error);
        if (isInterrupted) throw errors.interrupted();
        if (error instanceof VkitError) throw error;
        if (protocol.isConnectionError(error)) clean = false;
        const elapsedMs = performance.now() - startedAt;
        throw protocol.translateError(error, errors, { elapsedMs, budgetMs, timeoutMs });
      } finally {
        busy = false;
        spentMs += performance.now() - startedAt;
        clearTimeout(timer);
        // Rows that were read ahead are waited for by nobody who would end the lease.
        if (isInterrupted) void end();
      }
    },
  };
}

/** Whether the connection is as it was before the transaction. */
async function rollBack<Session>(
  connection: Connection<Session>,
  protocol: LeaseProtocol<Session>,
): Promise<boolean> {
  const timer = setTimeout(() => connection.destroy(), ROLLBACK_WAIT_MS);
  try {
    await protocol.rollBack(connection.session);
    return true;
  } catch {
    // The connection is lost, and with it the transaction.
    return false;
  } finally {
    clearTimeout(timer);
  }
}
