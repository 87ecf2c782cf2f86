import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Kysely } from 'kysely';
import type { AuditSigner } from '../../audit/seal-record.js';
import { VkitError } from '../../errors/index.js';
import { describeUrl } from '../../util/describe-url.js';
import { buildStore, checkUse } from '../build-store.js';
import { countChanges } from '../changes.js';
import { migrate } from '../migrate.js';
import type { Migration } from '../migrations/migration.js';
import type { Store } from '../model.js';
import { secretsRepository } from '../repositories/secrets.js';
import { sharedSync } from '../shared-sync.js';
import type { Tables } from '../tables.js';
import { type Connections, postgresConnections, steadyClient } from './connect.js';
import { LOCK_CLASS, postgresDialect, postgresDriver } from './postgres-driver.js';
import { postgresError } from './postgres-error.js';
import {
  LEASE_MS,
  MAKE_MARKS,
  type Marks,
  SELECT_MARKS,
  viewOfChanges,
} from './view-of-changes.js';

type Secrets = ReturnType<typeof secretsRepository>;

/** The sealed secrets, before there is a store. */
export interface SecretsAccess {
  secrets: Secrets;
  /** Runs work in a transaction. */
  alone: (work: (secrets: Secrets) => Promise<void>) => Promise<void>;
}

export interface OpenPostgresStoreOptions {
  url: string;
  /** Signs the audit records, with a key that all processes find among the sealed secrets. */
  signer: (access: SecretsAccess) => Promise<AuditSigner>;
  /** Milliseconds since the epoch. */
  now: () => number;
  migrations?: readonly Migration[];
  /** As of the embedded store. */
  checkUse?: boolean;
}

/** How often what others have changed is looked at: often enough that two looks may fail within a lease. */
const LOOK_MS = 250;
/** One look; longer than this, the connection is given up for another. */
const LOOK_MS_MAX = 1_000;
const FLUSH_MS_MAX = 10_000;

/** Writes nothing but a commit, which is on disk with all before it when it is answered (function-admin, "WAL"). */
const FLUSH = `select pg_logical_emit_message(true, 'vkit', '')`;
/** A database that confirms what is not on disk would confirm this too; stricter settings than `on` are left as they are. */
const CONFIRM_ON_DISK = `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`;

/**
 * Opens the store of a team: a PostgreSQL database that several processes use together, its schema brought to the newest
 * version under a lock. Throws `unavailable` where it cannot be reached, `unsupported` when a newer vkit wrote it.
 */
export async function openPostgresStore(options: OpenPostgresStoreOptions): Promise<Store> {
  const connections = await postgresConnections(options.url);
  // What is open when opening fails keeps the process from ending.
  const opened: (() => Promise<void>)[] = [() => connections.end()];
  try {
    return await open(connections, opened, options);
  } catch (error) {
    for (const end of opened.reverse()) await end().catch(() => undefined);
    throw error instanceof VkitError && error.code === 'unavailable'
      ? unreachable(options.url, error)
      : error;
  }
}

/** What is said of the first connection, by SQLSTATE or system error; the password is in none of it. */
const WHY: readonly (readonly [sign: string, why: string])[] = [
  ['3D000', 'there is no such database'],
  ['28', 'it does not take the login'],
  ['53300', 'it takes no more connections'],
  ['ECONNREFUSED', 'nothing listens there'],
  ['ENOTFOUND', 'there is no such host'],
  ['EAI_AGAIN', 'there is no such host'],
  ['timeout', 'it does not answer'],
  ['certificate', 'its certificate is not trusted'],
];

function unreachable(url: string, error: VkitError): VkitError {
  const { cause } = error;
  const text = cause instanceof Error ? cause.message : '';
  const why = WHY.find(([sign]) => (sign === '28' ? text.startsWith(sign) : text.includes(sign)));
  const where = describeUrl(url);
  return new VkitError(
    'unavailable',
    `The server's database ${where} cannot be used${why ? `: ${why[1]}` : ''}.`,
    { hint: 'See what DATABASE_URL or --database-url names, and that it runs.', cause },
  );
}

async function open(
  connections: Connections,
  opened: (() => Promise<void>)[],
  options: OpenPostgresStoreOptions,
): Promise<Store> {
  const clock = () => performance.now();
  const changes = countChanges();
  const view = viewOfChanges(changes, clock);
  const use = checkUse(options.checkUse ?? false);
  const flusher = steadyClient(() => connections.single(FLUSH_MS_MAX));
  opened.push(() => flusher.end());
  const sync = sharedSync({
    isFailureFinal: false,
    sync: async () => void (await flusher.query(`${CONFIRM_ON_DISK}; ${FLUSH}`)),
  });
  const { pool } = connections;
  const { beforeWaiting } = use;
  const driver = postgresDriver({ pool, sync, view, changes, clock, beforeWaiting });
  const db = new Kysely<Tables>({ dialect: postgresDialect(driver) });
  const { now, migrations } = options;
  await migrate(db, {
    now,
    translate: toPostgres,
    first: MAKE_MARKS,
    ...(migrations ? { migrations } : {}),
  });
  driver.useMarks();
  const signer = await options.signer({
    secrets: secretsRepository(db),
    alone: (work) => db.transaction().execute((tx) => work(secretsRepository(tx))),
  });

  const watcher = watchChanges(connections, { view, clock });
  opened.push(() => watcher.stop());
  await watcher.start();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await watcher.stop();
    await driver.destroy();
    await flusher.end();
    await connections.end();
  };
  return {
    ...buildStore({ db, driver, signer, changes, use }),
    accountsVersion() {
      if (view.isFresh()) return changes.accounts();
      throw new VkitError(
        'unavailable',
        `For ${LEASE_MS / 1000} s this process has not heard from its database.`,
        { hint: 'Try again soon.' },
      );
    },
    renew() {
      return view.isFresh() ? undefined : watcher.look();
    },
    exclusively: (name, work) => exclusively(connections, name, work),
    watch: watcher.watch,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Text is compared by its bytes, as everywhere in vkit, and numbers have room. */
function toPostgres(statement: string): string {
  if (!/^\s*(create|alter) table/i.test(statement)) return statement;
  return statement.replace(/\btext\b/g, 'text collate "C"').replace(/\binteger\b/g, 'bigint');
}

interface Watcher {
  start(): Promise<void>;
  look(): Promise<void>;
  watch: Store['watch'];
  stop(): Promise<void>;
}

/** Looks at what others have changed, again and again, on a connection of its own. */
function watchChanges(
  connections: Connections,
  { view, clock }: { view: ReturnType<typeof viewOfChanges>; clock: () => number },
): Watcher {
  const client = steadyClient(() => connections.single(LOOK_MS_MAX));
  const lost = new Set<() => void>();
  let isStopped = false;
  let wasFresh = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  // One at a time, as a sync is: whoever asks while one is under way gets the next.
  const { durable: look } = sharedSync({
    isFailureFinal: false,
    async sync() {
      const startedAt = clock();
      const [row] = await client.query(SELECT_MARKS);
      if (row) view.seen(row as unknown as Marks, startedAt);
    },
  });
  const lookAgain = (): void => {
    looking = look()
      // The lease runs out by itself.
      .catch(() => undefined)
      .then(() => {
        if (!isStopped) timer = setTimeout(lookAgain, LOOK_MS);
      });
  };
  const guard = setInterval(() => {
    const isFresh = view.isFresh();
    if (wasFresh && !isFresh) for (const tell of lost) tell();
    wasFresh = isFresh;
  }, LOOK_MS / 2);
  return {
    async start() {
      await look();
      timer = setTimeout(lookAgain, LOOK_MS);
    },
    look,
    watch(listener) {
      const onLost = () => listener('lost');
      lost.add(onLost);
      const off = view.onRights(() => listener('changed'));
      return () => {
        lost.delete(onLost);
        off();
      };
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      clearInterval(guard);
      await looking;
      await client.end();
    },
  };
}

/** A lock of the session: the server lets it go when the connection ends, however it ends. */
async function exclusively(
  { workers }: Connections,
  name: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const key = `${LOCK_CLASS}, ${createHash('sha256').update(name).digest().readInt32BE()}`;
  const client = await workers.connect().catch((error: unknown) => {
    throw postgresError(error);
  });
  let failure: unknown;
  const ask = async (query: string): Promise<Record<string, unknown> | undefined> => {
    try {
      return (await client.query(query)).rows[0];
    } catch (error) {
      failure = error;
      throw postgresError(error);
    }
  };
  try {
    // Every type but numbers comes as text.
    const isTaken = (await ask(`select pg_try_advisory_lock(${key}) as taken`))?.taken === 't';
    if (!isTaken) return false;
    await work().finally(() => ask(`select pg_advisory_unlock(${key})`));
    return true;
  } finally {
    client.release(failure !== undefined);
  }
}
