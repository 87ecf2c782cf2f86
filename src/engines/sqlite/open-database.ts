import { type Stats, statSync } from 'node:fs';
import type { Database, DatabaseModule } from './database.js';
import { SQLITE_AGGREGATES, SQLITE_FUNCTIONS } from './functions.js';

/** Another process's write lock is waited for so long. */
const BUSY_TIMEOUT_MS = 5_000;

/** SQLite's result code for a file that cannot be opened. */
const CANTOPEN = 14;

/**
 * Opens a file read-only with vkit's functions on the connection. Throws errors with SQLite's result
 * code as `errcode`, and the system's as `fileCode` where there is no file; none is created.
 */
export function openDatabase({ DatabaseSync }: DatabaseModule, path: string): Database {
  checkFile(path);
  const database = new DatabaseSync(path, { readOnly: true, allowExtension: false });
  try {
    database.exec(`
      PRAGMA query_only = ON;
      PRAGMA trusted_schema = OFF;
      PRAGMA cell_size_check = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS};
    `);
    registerFunctions(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkFile(path: string): void {
  const fail = (message: string, fileCode?: string) => {
    throw Object.assign(new Error(message), { errcode: CANTOPEN, fileCode });
  };
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    fail('The file may not be looked at.');
  }
  if (found === undefined) fail('There is no such file.', 'ENOENT');
  else if (!found.isFile()) fail('This is no file.', 'EISDIR');
}

/** Bigints keep every integer exact; direct only means that no view or trigger of the file calls them. */
function registerFunctions(database: Database): void {
  const common = { directOnly: true, useBigIntArguments: true };
  for (const { name, arity, deterministic, run } of SQLITE_FUNCTIONS) {
    const options = { ...common, deterministic, varargs: arity < 0 };
    database.function(name, options, withLength(arity, run));
  }
  for (const { name, arity, deterministic, start, step, result } of SQLITE_AGGREGATES) {
    const options = { ...common, deterministic, varargs: arity < 0 };
    database.aggregate(name, { ...options, start, step: withLength(arity + 1, step), result });
  }
}

/** The same function, whose `length` tells SQLite how many arguments it takes. */
function withLength<A extends unknown[], R>(
  length: number,
  run: (...values: A) => R,
): (...values: A) => R {
  const counted = (...values: A) => run(...values);
  return Object.defineProperty(counted, 'length', { value: Math.max(0, length) });
}
