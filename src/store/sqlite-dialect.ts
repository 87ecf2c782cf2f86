import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { VkitError } from '../errors/index.js';
import { turnQueue } from '../util/turn-queue.js';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite.js';
import { storeError } from './sqlite-error.js';

/** Statements and transactions that may wait for the one connection. */
const WAITING_MAX = 10_000;

/** Prepared statements that are kept: some hundred are all there are, since values are never part of them. */
const STATEMENTS_MAX = 500;

export interface SqliteDriverOptions {
  database: SqliteDatabase;
  /** Resolves when every commit so far is on disk. */
  durable: () => Promise<void>;
  /** Called before a wait for the connection; throws where that wait could not end. */
  beforeWaiting: () => void;
}

/** Kysely over one driver of `sqliteDriver`. */
export function sqliteDialect(driver: Driver): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/**
 * One `node:sqlite` connection, which one transaction or statement has at a time, first come first served. Transactions
 * begin as writers (BEGIN IMMEDIATE). Whoever wrote hears of it once it is on disk; the next in line need not wait for
 * that, so that one sync serves all who came meanwhile. `destroy` waits for those in line; whoever comes later gets `unavailable`.
 */
export function sqliteDriver({ database, durable, beforeWaiting }: SqliteDriverOptions): Driver {
  // Whether the turn that is running has written.
  let wrote = false;
  const connection = sqliteConnection(database, () => {
    wrote = true;
  });
  // Set by what leaves unclear what is on disk: until it is opened anew, the store answers nothing.
  let broken: VkitError | null = null;
  const turns = turnQueue({
    atOnce: 1,
    waitingMax: WAITING_MAX,
    whenFull: () => new VkitError('unavailable', 'Too many callers wait for the database.'),
  });
  return {
    async init() {},
    async acquireConnection() {
      beforeWaiting();
      await turns.take();
      if (broken === null) return connection;
      turns.give();
      throw broken;
    },
    async releaseConnection() {
      const toSync = wrote;
      wrote = false;
      turns.give();
      if (!toSync) return;
      try {
        await durable();
      } catch (cause) {
        broken ??= new VkitError('unavailable', "The server's database could not be written.", {
          hint: 'See that the disk of the data directory is not full and not broken, then start the server anew.',
          cause,
        });
        throw broken;
      }
    },
    async beginTransaction() {
      execute(database, 'begin immediate');
    },
    async commitTransaction() {
      try {
        execute(database, 'commit');
      } catch (error) {
        broken = error as VkitError;
        throw error;
      }
    },
    async rollbackTransaction() {
      try {
        database.exec('rollback');
        wrote = false;
      } catch (error) {
        // SQLite has rolled back already after some errors, a full disk among them.
        if (/no transaction is active/.test(String(error))) return;
        broken = storeError(error);
        throw broken;
      }
    },
    async destroy() {
      await turns.take();
      broken = new VkitError('unavailable', 'The store is closed.');
      turns.give();
    },
  };
}

function sqliteConnection(database: SqliteDatabase, onWrite: () => void): DatabaseConnection {
  const prepared = new Map<string, SqliteStatement>();
  const prepare = (sql: string): SqliteStatement => {
    const known = prepared.get(sql);
    if (known) return known;
    if (prepared.size >= STATEMENTS_MAX) prepared.clear();
    const statement = database.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
  return {
    async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
      const parameters = compiled.parameters as SqliteValue[];
      try {
        const statement = prepare(compiled.sql);
        if (compiled.query.kind !== 'SelectQueryNode') onWrite();
        if (givesRows(compiled.query)) return { rows: statement.all(...parameters) as R[] };
        const { changes } = statement.run(...parameters);
        return { rows: [], numAffectedRows: BigInt(changes) };
      } catch (error) {
        throw storeError(error);
      }
    },
    // biome-ignore lint/correctness/useYield: the interface asks for a generator, and the store streams nothing.
    async *streamQuery() {
      throw new VkitError('internal', 'The store does not stream.');
    },
  };
}

function givesRows(query: CompiledQuery['query']): boolean {
  if (query.kind === 'SelectQueryNode') return true;
  return 'returning' in query && query.returning !== undefined;
}

function execute(database: SqliteDatabase, statement: string): void {
  try {
    database.exec(statement);
  } catch (error) {
    throw storeError(error);
  }
}
