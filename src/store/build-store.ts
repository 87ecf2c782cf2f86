import { AsyncLocalStorage } from 'node:async_hooks';
import type { Kysely } from 'kysely';
import type { AuditSigner } from '../audit/seal-record.js';
import { VkitError } from '../errors/index.js';
import { auditQueue } from './audit-queue.js';
import type { Changes } from './changes.js';
import type { Store, StoreRepositories } from './model.js';
import { repositories } from './repositories/index.js';
import type { StoreDriver } from './store-driver.js';
import type { Tables } from './tables.js';

/** A transaction holds up every other one; one that takes this long waits for something that is not the store. */
export const TRANSACTION_MS_MAX = 10_000;

/** Notices work in a transaction that uses the store itself and would wait for itself. */
export interface UseCheck {
  /** To be called before a wait for the database; throws `internal` where that wait could not end. */
  beforeWaiting(): void;
  inTransaction<T>(work: () => Promise<T>): Promise<T>;
}

/** With `isOn` false it checks nothing: what Node needs to know that costs every promise of the process a part. */
export function checkUse(isOn: boolean): UseCheck {
  if (!isOn) return { beforeWaiting: () => {}, inTransaction: async (work) => work() };
  const scopes = new AsyncLocalStorage<{ open: boolean }>();
  return {
    beforeWaiting() {
      if (!scopes.getStore()?.open) return;
      throw new VkitError(
        'internal',
        'Work in a transaction used the store and not the transaction.',
      );
    },
    inTransaction(work) {
      const scope = { open: true };
      return scopes
        .run(scope, async () => work())
        .finally(() => {
          scope.open = false;
        });
    },
  };
}

export interface StoreParts {
  db: Kysely<Tables>;
  driver: StoreDriver;
  signer: AuditSigner;
  changes: Changes;
  use: UseCheck;
}

/** The store over one database, without what is each database's own. */
export function buildStore({
  db,
  driver,
  signer,
  changes,
  use,
}: StoreParts): Omit<Store, 'exclusively' | 'renew' | 'watch' | 'close'> {
  const record = auditQueue({ driver, db, signer, revision: changes.revision });
  return {
    ...repositories(db, signer),
    accountsVersion: changes.accounts,
    revision: changes.revision,
    record: record as Store['record'],
    transaction<T>(work: (tx: StoreRepositories) => Promise<T>): Promise<T> {
      return db
        .transaction()
        .execute((tx) => withinTime(use.inTransaction(() => work(repositories(tx, signer)))));
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
