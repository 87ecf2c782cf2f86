import { closeSync, fsyncSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { databasePath, prepareDataDirectory } from './data-directory.js';
import { type DurableLog, openDurableLog } from './durable-log.js';
import { isBusy, storeError } from './sqlite-error.js';

/** The part of `node:sqlite`'s DatabaseSync that the store uses. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteStatement {
  all(...parameters: SqliteValue[]): unknown[];
  run(...parameters: SqliteValue[]): { changes: number | bigint };
}

export type SqliteValue = string | number | bigint | null | Uint8Array;

/** Long enough for a process that is just ending, short enough to be no wait for a person. */
const BUSY_TIMEOUT_MS = 250;

/** Pages that a backup copies in one step: a transaction waits for no more than these. */
const BACKUP_PAGES = 256;

/** Says who holds the database; the lock itself is SQLite's. */
const HOLDER_FILE = 'vkit.lock';

/**
 * Opens `<dataDir>/vkit.db` for this process alone. A commit is durable once `log.durable()` has resolved. The lock is the one SQLite takes on the file with
 * `locking_mode=EXCLUSIVE`: the kernel drops it when the process ends, however it ends, so a lock is never stale, and
 * nobody gets around it by deleting a file. `<dataDir>/vkit.lock` only names the holder. Throws `conflict` when another
 * process has it, `unavailable` when the file cannot be used.
 *
 * Nothing in this process may open vkit.db by other means: closing any descriptor of a file drops the process's POSIX
 * locks on it.
 */
export async function openSqlite(
  dataDir: string,
  now: () => number,
): Promise<{
  database: SqliteDatabase;
  log: DurableLog;
  backUp: (path: string) => Promise<void>;
  close: () => Promise<void>;
}> {
  await prepareDataDirectory(dataDir);
  const { DatabaseSync: Database, backup } = await loadSqlite();
  const path = databasePath(dataDir);
  let database: SqliteDatabase | undefined;
  try {
    createPrivateFile(path, dataDir);
    database = new Database(path);
    configure(database);
  } catch (error) {
    database?.close();
    throw isBusy(error) ? await heldByAnother(dataDir) : storeError(error);
  }
  const opened = database;
  // Its locks are on vkit.db alone, so this descriptor takes none of them with it.
  const log = openDurableLog(`${path}-wal`);
  const holder = join(dataDir, HOLDER_FILE);
  const since = new Date(now()).toISOString();
  await atomicWrite(holder, `${JSON.stringify({ pid: process.pid, since })}\n`, { mode: 0o600 });
  return {
    database: opened,
    log,
    // Over this connection, whose transactions it waits for: the file itself must not be opened once more.
    async backUp(target) {
      await backup(opened, target, { rate: BACKUP_PAGES });
    },
    async close() {
      await log.close();
      // Before the lock is dropped: afterwards the file may be the next holder's.
      await rm(holder, { force: true });
      dropLock(opened);
      opened.close();
    },
  };
}

interface SqliteModule {
  DatabaseSync: new (path: string) => SqliteDatabase;
  backup(source: SqliteDatabase, target: string, options: { rate: number }): Promise<number>;
}

async function loadSqlite(): Promise<SqliteModule> {
  // Node's own where it has it; the package has the same interface and runs on Node 20.
  const own = process.getBuiltinModule('node:sqlite') as Partial<SqliteModule> | undefined;
  // Early ones cannot make backups.
  const isWhole = own?.DatabaseSync !== undefined && own.backup !== undefined;
  return (isWhole ? own : await import('@photostructure/sqlite')) as SqliteModule;
}

/** SQLite gives its journal the mode of the database, so the file is private before SQLite sees it. */
function createPrivateFile(path: string, dataDir: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    // One that exists must not be opened here: closing it would drop the lock of a store in this process.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw new VkitError('unavailable', `The database ${path} cannot be created.`, { cause: error });
  }
  if (process.platform === 'win32') return;
  const folder = openSync(dataDir, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function configure(database: SqliteDatabase): void {
  database.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
  // Before the first access in WAL mode, which then keeps its index in memory and takes the lock for good.
  database.exec('pragma locking_mode = exclusive');
  const [mode] = database.prepare('pragma journal_mode = wal').all() as { journal_mode: string }[];
  if (mode?.journal_mode !== 'wal') {
    throw new VkitError('unavailable', 'The file system does not take a database in WAL mode.');
  }
  // The log is synced by `DurableLog`, which does not stop the whole process for it; SQLite itself syncs when it writes the
  // log back into the database, on macOS not to the drive's cache alone.
  database.exec('pragma synchronous = normal');
  database.exec('pragma fullfsync = on; pragma checkpoint_fullfsync = on');
  database.exec(
    'pragma foreign_keys = on; pragma trusted_schema = off; pragma temp_store = memory',
  );
  database.exec('begin immediate; commit');
}

/**
 * @photostructure/sqlite 1.2 leaves statements to the garbage collector, and until it has come `close` closes nothing
 * (Node's own ends the statements). The lock must not stay that long; leaving WAL mode, which writes all of it into the
 * database, is what lets a connection give it up.
 */
function dropLock(database: SqliteDatabase): void {
  try {
    database.exec('pragma journal_mode = delete; pragma locking_mode = normal');
    database.exec('select 1 from sqlite_schema limit 1');
  } catch {
    // On a broken disk there is nothing more to do: the journal stays for the next start to recover.
  }
}

async function heldByAnother(dataDir: string): Promise<VkitError> {
  const holder = await readHolder(join(dataDir, HOLDER_FILE));
  const who = holder ? `process ${holder.pid}, since ${holder.since}` : 'another process';
  return new VkitError('conflict', `The data directory ${dataDir} is in use by ${who}.`, {
    hint: 'Stop that server first, or give this one a directory of its own: --data-dir DIR',
    ...(holder ? { details: { ...holder } } : {}),
  });
}

async function readHolder(path: string): Promise<{ pid: number; since: string } | null> {
  try {
    const { pid, since } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    return Number.isSafeInteger(pid) && typeof since === 'string' && /^[\d:.TZ-]{1,40}$/.test(since)
      ? { pid: pid as number, since }
      : null;
  } catch {
    // The holder is just starting, or somebody removed the file: the lock holds without it.
    return null;
  }
}
