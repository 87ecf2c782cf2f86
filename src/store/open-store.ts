import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely } from 'kysely';
import type { AuditSigner } from '../audit/seal-record.js';
import { VkitError } from '../errors/index.js';
import { auditQueue } from './audit-queue.js';
import { migrate } from './migrate.js';
import type { Store, StoreRepositories } from './model.js';
import { repositories } from './repositories/index.js';
import { openSqlite } from './sqlite.js';
import { sqliteDialect, sqliteDriver } from './sqlite-dialect.js';
import type { Tables } from './tables.js';

export interface OpenStoreOptions {
  /** Made with mode 0700 if need be. */
  dataDir: string;
  /** Signs the audit records. */
  signer: AuditSigner;
  /** Milliseconds since the epoch. */
  now: () => number;
  /**
   * Whether work in a transaction that uses the store itself, which would wait for itself, is told so at once; without,
   * it ends after TRANSACTION_MS_MAX. For tests: what Node needs to know that costs every promise of the process a part.
   */
  checkUse?: boolean;
}

/** A transaction holds up every other one; one that takes this long waits for something that is not the store. */
export const TRANSACTION_MS_MAX = 10_000;

/**
 * Opens the embedded store: one SQLite database that this process has for itself, its schema brought to the newest
 * version. Throws `conflict` when another process serves the directory, `unsupported` when a newer vkit wrote it.
 */
export async function openStore({
  dataDir,
  signer,
  now,
  checkUse = false,
}: OpenStoreOptions): Promise<Store> {
  const sqlite = await openSqlite(dataDir, now);
  const scopes = checkUse ? new AsyncLocalStorage<{ open: boolean }>() : undefined;
  const { database } = sqlite;
  const beforeWaiting = (): void => {
    if (!scopes?.getStore()?.open) return;
    // The transaction has the connection and would wait for itself.
    throw new VkitError(
      'internal',
      'Work in a transaction used the store and not the transaction.',
    );
  };
  let revision = 0;
  const onChange = () => {
    revision += 1;
  };
  const driver = sqliteDriver({ database, log: sqlite.log, beforeWaiting, onChange });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(driver) });
  const record = auditQueue({ driver, db, signer, revision: () => revision });
  try {
    await migrate(db, now);
  } catch (error) {
    await sqlite.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  let accountsVersion = 0;
  const atWork = new Set<string>();
  const onAccounts = () => {
    accountsVersion += 1;
  };
  return {
    ...repositories(db, signer, onAccounts),
    accountsVersion: () => accountsVersion,
    revision: () => revision,
    record: record as Store['record'],
    transaction<T>(work: (tx: StoreRepositories) => Promise<T>): Promise<T> {
      return db.transaction().execute((tx) => {
        const scope = { open: true };
        const start = async () => work(repositories(tx, signer, onAccounts));
        const running = scopes ? scopes.run(scope, start) : start();
        return withinTime(running).finally(() => {
          scope.open = false;
        });
      });
    },
    async exclusively(name, work) {
      // The database is this process's alone.
      if (atWork.has(name)) return false;
      atWork.add(name);
      try {
        await work();
      } finally {
        atWork.delete(name);
      }
      return true;
    },
    backUp: sqlite.backUp,
    close() {
      // Not Kysely's own destroy, after which it throws errors without a code.
      closing ??= driver.destroy().then(() => sqlite.close());
      return closing;
    },
  };
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message = `A transaction was not done after ${TRANSACTION_MS_MAX} ms and was rolled back.`;
      reject(new VkitError('unavailable', message));
    }, TRANSACTION_MS_MAX);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
