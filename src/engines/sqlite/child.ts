// The process in which SQLite runs: started by worker.ts, killed when a query must stop.
import { Worker } from 'node:worker_threads';
import type { BoundValue } from '../../aql/expression.js';
import type { ScanOptions } from '../contract.js';
import { type CellEncoder, cellEncoder } from '../encode-cell.js';
import { tableDifference } from '../table-difference.js';
import { tableFilter } from '../table-filter.js';
import { findTable, MAIN_SCHEMA, readTables } from './catalog.js';
import { type Database, type DatabaseModule, readRows, type StoredValue } from './database.js';
import { openDatabase } from './open-database.js';
import type { ChildReply, ChildRequest } from './protocol.js';

const BATCH_CHARACTERS_MAX = 4 * 1024 * 1024;
const WATCH_INTERVAL_MS = 500;

/** SQLite's primary result codes (sqlite.org/rescode.html) that say more than that a query failed. */
const RESULT_CODES: Readonly<Record<number, { cause: 'locked' | 'unreachable'; code: string }>> = {
  5: { cause: 'locked', code: 'SQLITE_BUSY' },
  6: { cause: 'locked', code: 'SQLITE_LOCKED' },
  10: { cause: 'unreachable', code: 'SQLITE_IOERR' },
  14: { cause: 'unreachable', code: 'SQLITE_CANTOPEN' },
  23: { cause: 'unreachable', code: 'SQLITE_AUTH' },
  26: { cause: 'unreachable', code: 'SQLITE_NOTADB' },
};

/** A run between two batches. */
interface Run {
  /** What the garbage collector must not close while only an iterator of it is in use. */
  holds: readonly unknown[];
  next(): ChildReply;
  end(): void;
}

const databaseModule = await loadDatabaseModule();
let run: Run | undefined;

process.on('message', (request: ChildRequest) => send(answer(request)));
process.on('disconnect', () => process.exit());
// Ctrl-C goes to the whole group of processes; what happens then is for the parent to say.
process.on('SIGINT', () => undefined);
watchParent();
send({ type: 'ready' });

function send(reply: ChildReply): void {
  process.send?.(reply);
}

/** Node's own module where it is complete: before 22.16 its rows were objects only. */
async function loadDatabaseModule(): Promise<DatabaseModule> {
  const own = process.getBuiltinModule('node:sqlite') as DatabaseModule | undefined;
  if (own?.StatementSync && 'setReturnArrays' in own.StatementSync.prototype) return own;
  return (await import('@photostructure/sqlite')) as unknown as DatabaseModule;
}

/**
 * Ends this process when the parent is gone: in the middle of a query no event is handled, so a
 * thread of its own looks.
 */
function watchParent(): void {
  const code = `
    const parent = ${process.ppid};
    const isAlive = () => {
      try { return process.ppid === parent && process.kill(parent, 0); } catch { return false; }
    };
    setInterval(() => { if (!isAlive()) process.kill(process.pid, 'SIGKILL'); }, ${WATCH_INTERVAL_MS});
  `;
  new Worker(code, { eval: true, env: {} }).unref();
}

function answer(request: ChildRequest): ChildReply {
  try {
    switch (request.type) {
      case 'test':
        return withDatabase(request.path, test);
      case 'introspect':
        return withDatabase(request.path, (database) => introspect(database, request));
      case 'run':
        return start(request);
      case 'next':
        return run?.next() ?? { type: 'stopped' };
      case 'stop':
        run?.end();
        return { type: 'stopped' };
    }
  } catch (error) {
    run?.end();
    return failure(error);
  }
}

function failure(error: unknown): ChildReply {
  const reason = error instanceof Error ? error.message : String(error);
  const { errcode, fileCode }: { errcode?: unknown; fileCode?: unknown } = Object(error);
  const known = RESULT_CODES[Number(errcode) & 0xff];
  if (known === undefined) return { type: 'failed', cause: 'error', reason };
  const code = typeof fileCode === 'string' ? fileCode : known.code;
  return { type: 'failed', cause: known.cause, reason, code };
}

/** A connection per request, so that a file that was replaced is not read any longer. */
function open(path: string): Database {
  return openDatabase(databaseModule, path);
}

function withDatabase<T>(path: string, use: (database: Database) => T): T {
  const database = open(path);
  try {
    return use(database);
  } finally {
    letGo(database);
  }
}

/**
 * Gives the file back to other programs at once. What `close` leaves open (an iterator that did not
 * come to its end, a transaction) would keep its lock on the file until it is garbage collected.
 */
function letGo(database: Database, rows?: Iterator<unknown>): void {
  try {
    rows?.return?.();
    if (database.isTransaction) database.exec('ROLLBACK');
    database.close();
  } catch {
    // A lock that cannot be given back ends with its process; the pool starts another.
    process.exit(1);
  }
}

function test(database: Database): ChildReply {
  const startedAt = performance.now();
  readRows(database, 'SELECT count(*) FROM sqlite_schema');
  return {
    type: 'tested',
    server: serverOf(database),
    latencyMs: performance.now() - startedAt,
  };
}

function serverOf(database: Database): string {
  return `sqlite ${readRows(database, 'SELECT sqlite_version()')[0]?.[0]}`;
}

function introspect(
  database: Database,
  { withDefinitions, ...filter }: Pick<ScanOptions, 'include' | 'exclude' | 'withDefinitions'>,
): ChildReply {
  database.exec('BEGIN');
  const tables = readTables(database, tableFilter(filter), withDefinitions);
  const schema = { server: serverOf(database), defaultSchema: MAIN_SCHEMA, tables };
  return { type: 'schema', schema };
}

function start(request: ChildRequest & { type: 'run' }): ChildReply {
  const database = open(request.path);
  let rows: Iterator<unknown> | undefined;
  const end = () => {
    run = undefined;
    letGo(database, rows);
  };
  run = { holds: [database], end, next: () => ({ type: 'stopped' }) };
  // The first read of the transaction fixes what all others in it see.
  database.exec('BEGIN');
  for (const expected of request.tables) {
    const { schema, name } = expected.table;
    const isHere = schema === MAIN_SCHEMA || schema === '';
    const difference = tableDifference(expected, isHere ? findTable(database, name) : undefined);
    if (difference !== undefined) {
      end();
      return { type: 'changed', dataset: expected.dataset, difference };
    }
  }
  const statement = database.prepare(request.sql);
  statement.setReturnArrays(true);
  statement.setReadBigInts(true);
  const iterator = statement.iterate(...request.params.map(bound));
  rows = iterator;
  const encoders = request.types.map(cellEncoder);
  const next = () => readBatch(iterator, encoders, request.batchRows, end);
  run = { holds: [database, statement], end, next };
  return next();
}

/** The module binds every number as a float; a whole one is an integer here. */
function bound(value: BoundValue): unknown {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

function readBatch(
  rows: Iterator<unknown>,
  encoders: readonly CellEncoder[],
  rowsMax: number,
  end: () => void,
): ChildReply {
  const batch: string[][] = [];
  let characters = 0;
  while (batch.length < rowsMax && characters < BATCH_CHARACTERS_MAX) {
    const { done, value } = rows.next();
    if (done) {
      end();
      return { type: 'batch', rows: batch, done: true };
    }
    const stored = value as StoredValue[];
    if (stored.length !== encoders.length) {
      throw new Error('The rows have other columns than the query.');
    }
    const row = stored.map((cell, at) => encoders[at]?.(cell) ?? 'null');
    for (const cell of row) characters += cell.length;
    batch.push(row);
  }
  return { type: 'batch', rows: batch, done: false };
}
