import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type pg from 'pg';
import { VkitError } from '../../errors/index.js';
import { turnQueue } from '../../util/turn-queue.js';
import type { Changes } from '../changes.js';
import type { SharedSync } from '../shared-sync.js';
import { type Change, changeOf, type OnDisk, type StoreDriver } from '../store-driver.js';
import { postgresError } from './postgres-error.js';
import { type Marks, mergeChanges, SELECT_MARKS, type ViewOfChanges } from './view-of-changes.js';

/** Transactions that may wait for their turn in this process. */
const WAITING_MAX = 10_000;

/** The lock of all writers: numbers of audit records, and whatever else is read to be written, are one writer's at a time. */
export const LOCK_CLASS = 0x766b6974;
const WRITERS_LOCK = 1;

/**
 * The commit does not wait for the disk while others wait for the lock: `sync` does, once for all who committed meanwhile. A
 * later commit that is on disk has all earlier ones with it, so nobody builds on what is lost.
 */
const BEGIN = `begin; set local synchronous_commit = off; select pg_advisory_xact_lock(${LOCK_CLASS}, ${WRITERS_LOCK})`;

export interface PostgresDriverOptions {
  pool: pg.Pool;
  /** Makes what was committed durable. */
  sync: SharedSync;
  view: ViewOfChanges;
  changes: Changes;
  clock: () => number;
  /** Called before a wait for a connection; throws where that wait could not end. */
  beforeWaiting: () => void;
}

/** Kysely over one driver of `postgresDriver`. */
export function postgresDialect(driver: Driver): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/** One caller of the store: without a connection until it has something to say. */
interface Caller extends DatabaseConnection {
  client: pg.PoolClient | null;
  change: Change | null;
  wrote: boolean;
  /** Nothing of it runs any more: what comes late would run outside of its transaction. */
  isOver: boolean;
  /** Whether its connection failed, or answers nothing. */
  isLost: boolean;
}

export interface PostgresDriver extends StoreDriver {
  /** From now on transactions look at the marks, whose table is there. */
  useMarks(): void;
}

/**
 * Transactions, and statements that write outside of one, are serialised over all processes by one lock, and queue in this
 * process before they take a connection. Whoever wrote hears of it once it is on disk. What only reads takes any connection,
 * and sees what is committed.
 */
export function postgresDriver(options: PostgresDriverOptions): PostgresDriver {
  const { pool, sync, view, changes, clock, beforeWaiting } = options;
  const turns = turnQueue({
    atOnce: 1,
    waitingMax: WAITING_MAX,
    whenFull: () => new VkitError('unavailable', 'Too many callers wait for the database.'),
  });
  let isClosed = false;
  let hasMarks = false;

  const begin = async (caller: Caller): Promise<void> => {
    await turns.take();
    try {
      if (isClosed) throw new VkitError('unavailable', 'The store is closed.');
      caller.client = await pool.connect();
      const startedAt = clock();
      const answers = await caller.client.query(hasMarks ? `${BEGIN}; ${SELECT_MARKS}` : BEGIN);
      const marks = (answers as unknown as { rows: Marks[] }[]).at(-1)?.rows[0];
      if (hasMarks && marks) view.seen(marks, startedAt);
    } catch (error) {
      letGo(caller, error);
      throw postgresError(error);
    }
  };
  /** Ends the caller's transaction and turn. */
  const letGo = (caller: Caller, error?: unknown): void => {
    const { client } = caller;
    caller.client = null;
    // In doubt the connection is closed, which rolls back what is open.
    client?.release(error !== undefined);
    turns.give();
  };
  const commit = async (caller: Caller): Promise<void> => {
    const { client, change } = caller;
    if (!client) throw new VkitError('internal', 'There is no transaction to commit.');
    caller.isOver = true;
    const marks = change && hasMarks ? view.marksFor(change) : {};
    const set = Object.entries(marks).map(([name, mark]) => `${name} = ${mark}`);
    const update = set.length > 0 ? `update changes set ${set.join(', ')}; ` : '';
    try {
      await client.query(`${update}commit`);
      view.wrote(marks);
    } catch (error) {
      // What became of it is not known: whoever read meanwhile reads again.
      letGo(caller, error);
      changes.note();
      throw postgresError(error);
    }
    letGo(caller);
    // Noted when it was written too; but whoever read since then has read what was before.
    if (change) changes.note(change);
  };
  const rollback = async (caller: Caller): Promise<void> => {
    caller.wrote = false;
    caller.isOver = true;
    const { client } = caller;
    if (!client) return;
    changes.note();
    // It is closed, which rolls back: to ask it would be to wait for it once more.
    if (caller.isLost) return letGo(caller, new Error('lost'));
    const failed = await client.query('rollback').then(
      () => undefined,
      (error: unknown) => error,
    );
    letGo(caller, failed);
  };
  const run = async <R>(caller: Caller, query: CompiledQuery): Promise<QueryResult<R>> => {
    const { client } = caller;
    if (!client) throw new VkitError('internal', 'The transaction is over.');
    if (query.query.kind !== 'SelectQueryNode') {
      caller.wrote = true;
      const change = changeOf(query.query);
      if (change) {
        caller.change = mergeChanges(caller.change, change);
        changes.note(change);
      }
    }
    try {
      return await execute<R>(client, query);
    } catch (error) {
      caller.isLost ||= error instanceof VkitError && error.code === 'unavailable';
      throw error;
    }
  };

  return {
    useMarks() {
      hasMarks = true;
    },
    async init() {},
    async acquireConnection() {
      beforeWaiting();
      if (isClosed) throw new VkitError('unavailable', 'The store is closed.');
      const caller: Caller = {
        client: null,
        change: null,
        wrote: false,
        isOver: false,
        isLost: false,
        async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
          if (caller.isOver) throw new VkitError('internal', 'The transaction is over.');
          if (caller.client) return run<R>(caller, query);
          if (query.query.kind === 'SelectQueryNode') return read<R>(pool, query);
          await begin(caller);
          try {
            const result = await run<R>(caller, query);
            await commit(caller);
            return result;
          } catch (error) {
            await rollback(caller);
            throw error;
          }
        },
        // biome-ignore lint/correctness/useYield: the interface asks for a generator, and the store streams nothing.
        async *streamQuery() {
          throw new VkitError('internal', 'The store does not stream.');
        },
      };
      return caller;
    },
    async releaseConnection(connection) {
      await this.endTurn(connection)();
    },
    endTurn(connection): OnDisk {
      const caller = connection as Caller;
      caller.isOver = true;
      // Left open by whoever failed in between.
      if (caller.client) letGo(caller, new Error('left open'));
      return caller.wrote ? () => sync.durable() : async () => {};
    },
    beginTransaction: (connection) => begin(connection as Caller),
    commitTransaction: (connection) => commit(connection as Caller),
    rollbackTransaction: (connection) => rollback(connection as Caller),
    async destroy() {
      isClosed = true;
      await turns.take();
      turns.give();
      await sync.syncing()?.catch(() => undefined);
    },
  };
}

async function read<R>(pool: pg.Pool, query: CompiledQuery): Promise<QueryResult<R>> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw postgresError(error);
  }
  let failure: unknown;
  try {
    return await execute<R>(client, query);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    client.release(failure instanceof VkitError && failure.code === 'unavailable');
  }
}

/** Statements that a connection keeps prepared: some hundred are all there are, since values are never part of them. */
const STATEMENTS_MAX = 500;
const names = new Map<string, string>();

function nameOf(sql: string): string | undefined {
  const known = names.get(sql);
  if (known !== undefined || names.size >= STATEMENTS_MAX) return known;
  const name = `vkit_${names.size}`;
  names.set(sql, name);
  return name;
}

async function execute<R>(client: pg.PoolClient, query: CompiledQuery): Promise<QueryResult<R>> {
  const { sql, parameters } = query;
  const name = nameOf(sql);
  try {
    const { rows, rowCount } = await client.query<R & pg.QueryResultRow>({
      text: sql,
      values: [...parameters],
      ...(name === undefined ? {} : { name }),
    });
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) };
  } catch (error) {
    throw postgresError(error);
  }
}
