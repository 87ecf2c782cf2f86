import { Kysely } from 'kysely';
import type { AuditSigner } from '../audit/seal-record.js';
import { buildStore, checkUse } from './build-store.js';
import { countChanges } from './changes.js';
import { migrate } from './migrate.js';
import type { Store } from './model.js';
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
  /** Whether a transaction that waits for itself is told so at once; without, it ends after TRANSACTION_MS_MAX. For tests. */
  checkUse?: boolean;
}

/**
 * Opens the embedded store: one SQLite database that this process has for itself, its schema brought to the newest
 * version. Throws `conflict` when another process serves the directory, `unsupported` when a newer vkit wrote it.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { dataDir, signer, now } = options;
  const sqlite = await openSqlite(dataDir, now);
  const use = checkUse(options.checkUse ?? false);
  const changes = countChanges();
  const driver = sqliteDriver({
    database: sqlite.database,
    log: sqlite.log,
    beforeWaiting: use.beforeWaiting,
    onChange: changes.note,
  });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(driver) });
  try {
    await migrate(db, { now });
  } catch (error) {
    await sqlite.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  const atWork = new Set<string>();
  return {
    ...buildStore({ db, driver, signer, changes, use }),
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
    // Nobody else changes anything.
    renew: () => undefined,
    watch: () => () => {},
    backUp: sqlite.backUp,
    close() {
      // Not Kysely's own destroy, after which it throws errors without a code.
      closing ??= driver.destroy().then(() => sqlite.close());
      return closing;
    },
  };
}
