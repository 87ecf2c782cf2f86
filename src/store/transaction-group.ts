import { VkitError } from '../errors/index.js';
import type { DurableLog } from './durable-log.js';
import type { SqliteDatabase } from './sqlite.js';
import { storeError } from './sqlite-error.js';
import type { OnDisk } from './store-driver.js';

/** Transactions that are committed together at most. */
export const GROUP_TRANSACTIONS_MAX = 64;
/** No transaction waits longer for others to join it. */
const GROUP_MS_MAX = 20;

/**
 * Transactions of one SQLite connection that are committed together: each but the first is a savepoint, so that each can be
 * rolled back alone. A group stays open while somebody is in line who could join it, and while the log is being synced,
 * since what is committed then has to wait for the next sync anyway. They run one after the other, each in a turn of its
 * caller.
 */
export interface TransactionGroup {
  startTurn(): void;
  /** Begins a transaction, as the first of a group or the next in the one that is open. Throws a VkitError. */
  begin(): void;
  /** The transaction that is running is to be committed with its group. Throws where SQLite has given the group up. */
  keep(): void;
  /** Rolls the transaction that is running back, alone. Throws where it is unclear what became of the others. */
  drop(): void;
  /** To be called after a statement that failed: some failures, a full disk among them, make SQLite roll all of it back. */
  notice(error: unknown): void;
  /** Ends a turn; `undefined` where no group is open. */
  endTurn(isAnotherWaiting: boolean): OnDisk | undefined;
}

export interface TransactionGroupOptions {
  database: SqliteDatabase;
  log: Pick<DurableLog, 'durable' | 'syncing'>;
  /** Told at once when a commit fails, before anybody else has a turn. */
  onLost: (cause: unknown) => void;
}

interface OpenGroup {
  openedAt: number;
  /** Transactions that are to be committed. */
  kept: number;
  /** Whether the one that is running is a savepoint. */
  hasSavepoint: boolean;
  /** Whether the sync that it stayed open for has ended. */
  isDue: boolean;
  lost: unknown;
  onDisk: OnDisk;
  resolve: () => void;
  reject: (error: unknown) => void;
}

export function transactionGroup({
  database,
  log,
  onLost,
}: TransactionGroupOptions): TransactionGroup {
  let open: OpenGroup | undefined;
  let isInTurn = false;

  const close = ({ lost, resolve, reject }: OpenGroup): void => {
    open = undefined;
    try {
      if (lost !== undefined) throw lost;
      execute(database, 'commit');
      resolve();
    } catch (error) {
      onLost(error);
      reject(error);
    }
  };

  /** Whether there is a reason to leave the group open for others. */
  const isWorthWaiting = (group: OpenGroup, isAnotherWaiting: boolean): boolean => {
    if (group.isDue || group.lost !== undefined || group.kept >= GROUP_TRANSACTIONS_MAX)
      return false;
    if (performance.now() - group.openedAt >= GROUP_MS_MAX) return false;
    const syncing = log.syncing();
    if (syncing === undefined) return isAnotherWaiting;
    const due = (): void => {
      if (open !== group) return;
      group.isDue = true;
      if (!isInTurn) close(group);
    };
    syncing.then(due, due);
    return true;
  };

  return {
    startTurn() {
      isInTurn = true;
    },
    begin() {
      if (open === undefined) {
        execute(database, 'begin immediate');
        open = openGroup(log);
        return;
      }
      execute(database, 'savepoint member');
      open.hasSavepoint = true;
    },
    keep() {
      if (open === undefined) throw new VkitError('internal', 'There is no transaction to commit.');
      if (open.lost !== undefined) throw open.lost;
      if (open.hasSavepoint) execute(database, 'release member');
      open.hasSavepoint = false;
      open.kept += 1;
    },
    drop() {
      if (open === undefined || open.lost !== undefined) return;
      if (open.hasSavepoint) {
        execute(database, 'rollback to member; release member');
        open.hasSavepoint = false;
        return;
      }
      const { resolve } = open;
      open = undefined;
      rollBack(database);
      resolve();
    },
    notice(error) {
      // Alone in its group, a transaction loses nothing but itself.
      if (open === undefined || open.kept === 0 || open.lost !== undefined) return;
      if (!isInTransaction(database)) open.lost = storeError(error);
    },
    endTurn(isAnotherWaiting) {
      isInTurn = false;
      if (open === undefined) return undefined;
      const { onDisk } = open;
      if (!isWorthWaiting(open, isAnotherWaiting)) close(open);
      return onDisk;
    },
  };
}

function openGroup(log: TransactionGroupOptions['log']): OpenGroup {
  let resolve: OpenGroup['resolve'] = () => undefined;
  let reject: OpenGroup['reject'] = () => undefined;
  const committed = new Promise<void>((onCommitted, onFailed) => {
    resolve = onCommitted;
    reject = onFailed;
  });
  // Whoever wrote waits for it; a group in which nobody did has nobody to tell.
  committed.catch(() => undefined);
  let synced: Promise<void> | undefined;
  const onDisk = () => {
    synced ??= committed.then(() => log.durable());
    return synced;
  };
  return {
    openedAt: performance.now(),
    kept: 0,
    hasSavepoint: false,
    isDue: false,
    lost: undefined,
    onDisk,
    resolve,
    reject,
  };
}

/** `isTransaction` of `node:sqlite` is younger than Node 22; that a transaction cannot begin in another says the same. */
function isInTransaction(database: SqliteDatabase): boolean {
  try {
    database.exec('begin');
  } catch {
    return true;
  }
  database.exec('rollback');
  return false;
}

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('rollback');
  } catch (error) {
    // SQLite has rolled back already after some errors, a full disk among them.
    if (!/no transaction is active/.test(String(error))) throw storeError(error);
  }
}

function execute(database: SqliteDatabase, statement: string): void {
  try {
    database.exec(statement);
  } catch (error) {
    throw storeError(error);
  }
}
