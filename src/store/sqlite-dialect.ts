import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  TableNode,
} from 'kysely';
import { VkitError } from '../errors/index.js';
import { turnQueue } from '../util/turn-queue.js';
import type { DurableLog } from './durable-log.js';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite.js';
import { storeError } from './sqlite-error.js';
import { type OnDisk, type TransactionGroup, transactionGroup } from './transaction-group.js';

/** Statements and transactions that may wait for the one connection. */
const WAITING_MAX = 10_000;

/** Prepared statements that are kept: some hundred are all there are, since values are never part of them. */
const STATEMENTS_MAX = 500;

export interface SqliteDriverOptions {
  database: SqliteDatabase;
  log: Pick<DurableLog, 'durable' | 'syncing'>;
  /** Called before a wait for the connection; throws where that wait could not end. */
  beforeWaiting: () => void;
  /** Called with every statement that changes something other than the audit log, and where changes are taken back. */
  onChange: () => void;
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
 * begin as writers (BEGIN IMMEDIATE); those that stand in line behind one another are committed together. Whoever wrote hears
 * of it once it is on disk; the next in line need not wait for that, so that one commit and one sync serve all who came
 * meanwhile. `destroy` waits for those in line; whoever comes later gets `unavailable`.
 */
export interface SqliteDriver extends Driver {
  /**
   * As `releaseConnection`, for whoever has something else to do before what the turn has written must be on disk; whoever
   * has the next turn sees it.
   */
  endTurn(): OnDisk;
}

export function sqliteDriver({
  database,
  log,
  beforeWaiting,
  onChange,
}: SqliteDriverOptions): SqliteDriver {
  const turns = turnQueue({
    atOnce: 1,
    waitingMax: WAITING_MAX,
    whenFull: () => new VkitError('unavailable', 'Too many callers wait for the database.'),
  });
  // Set by what leaves unclear what is on disk: until it is opened anew, the store answers nothing.
  let broken: VkitError | null = null;
  const breakWith = (cause: unknown): VkitError => {
    broken ??= new VkitError('unavailable', "The server's database could not be written.", {
      hint: 'See that the disk of the data directory is not full and not broken, then start the server anew.',
      cause,
    });
    return broken;
  };
  const group = transactionGroup({ database, log, onLost: breakWith });
  // Whether the turn that is running has written.
  let wrote = false;
  const connection = sqliteConnection(database, group, (query) => {
    wrote = true;
    if (!isOfAuditLog(query)) onChange();
  });
  const takeTurn = async (): Promise<void> => {
    await turns.take();
    group.startTurn();
  };
  const giveTurn = (): OnDisk | undefined => {
    const onDisk = group.endTurn(turns.waiting() > 0);
    turns.give();
    return onDisk;
  };
  const endTurn = (): OnDisk => {
    const toSync = wrote;
    wrote = false;
    // A statement outside of a transaction is committed when it ends.
    const onDisk = giveTurn() ?? (() => log.durable());
    if (!toSync) return async () => {};
    return () =>
      onDisk().catch((cause) => {
        throw breakWith(cause);
      });
  };
  return {
    async init() {},
    async acquireConnection() {
      beforeWaiting();
      await takeTurn();
      if (broken === null) return connection;
      giveTurn();
      throw broken;
    },
    async releaseConnection() {
      await endTurn()();
    },
    endTurn,
    async beginTransaction() {
      group.begin();
    },
    async commitTransaction() {
      group.keep();
    },
    async rollbackTransaction() {
      onChange();
      try {
        group.drop();
        wrote = false;
      } catch (error) {
        throw breakWith(error);
      }
    },
    async destroy() {
      await takeTurn();
      broken ??= new VkitError('unavailable', 'The store is closed.');
      const onDisk = group.endTurn(false);
      turns.give();
      await onDisk?.().catch(() => undefined);
    },
  };
}

function sqliteConnection(
  database: SqliteDatabase,
  group: TransactionGroup,
  onWrite: (query: CompiledQuery['query']) => void,
): DatabaseConnection {
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
        if (compiled.query.kind !== 'SelectQueryNode') onWrite(compiled.query);
        if (givesRows(compiled.query)) return { rows: statement.all(...parameters) as R[] };
        const { changes } = statement.run(...parameters);
        return { rows: [], numAffectedRows: BigInt(changes) };
      } catch (error) {
        group.notice(error);
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

const AUDIT_TABLES: readonly (string | undefined)[] = [
  'audit_records',
  'audit_index',
  'audit_checkpoints',
  'audit_sinks',
];

/** A change of the audit log and of what is kept beside it, by which nothing that is decided changes. */
function isOfAuditLog(query: CompiledQuery['query']): boolean {
  return AUDIT_TABLES.includes(changedTable(query));
}

function changedTable(query: CompiledQuery['query']): string | undefined {
  if (query.kind === 'InsertQueryNode') return query.into?.table.identifier.name;
  const from =
    query.kind === 'UpdateQueryNode'
      ? query.table
      : query.kind === 'DeleteQueryNode'
        ? query.from.froms[0]
        : undefined;
  return from !== undefined && TableNode.is(from) ? from.table.identifier.name : undefined;
}
