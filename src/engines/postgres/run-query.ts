import type { CompiledQuery } from '../../aql/plan.js';
import type { EncodedRow, RunOptions } from '../contract.js';
import type { DriverErrors } from '../driver-error.js';
import { postgresEncoder } from './cell.js';
import { checkTables } from './check-tables.js';
import type { Lease } from './lease.js';
import { milliseconds, type PostgresSession, type TextRow } from './session.js';

const BATCH_ROWS = 1_000;
/** How wide rows are shows in the first batch, which is small for that reason. */
const FIRST_BATCH_ROWS_MAX = 100;
const BATCH_CHARACTERS_MAX = 4 * 1024 * 1024;

/**
 * Streams a query's rows through a cursor, one FETCH per batch that is asked for. The lease is ended
 * before the last batch is handed over, and when the iteration ends early.
 */
export async function* runQuery(
  lease: Lease,
  errors: DriverErrors,
  query: CompiledQuery,
  options: Pick<RunOptions, 'batchRows'>,
): AsyncGenerator<readonly EncodedRow[]> {
  const encoders = query.columns.map(({ type }) => postgresEncoder(type));
  const rowsMax = Math.max(1, options.batchRows ?? BATCH_ROWS);
  let rows = Math.min(rowsMax, FIRST_BATCH_ROWS_MAX);
  try {
    await lease.run((session) => checkTables(session, query.tables, errors));
    await lease.run((session, remainingMs) => openCursor(session, query, remainingMs));
    for (let done = false; !done; ) {
      const fetched = await lease.run((session, remainingMs) => fetch(session, rows, remainingMs));
      done = fetched.length < rows;
      if (done) await lease.end();
      if (fetched.some((row) => row.length !== encoders.length)) {
        throw errors.failed('The rows have other columns than the query.');
      }
      const batch = fetched.map((row) => row.map((cell, at) => encoders[at]?.(cell) ?? 'null'));
      rows = nextBatchRows(batch, rowsMax);
      if (batch.length > 0) yield batch;
    }
  } finally {
    await lease.end();
  }
}

async function openCursor(
  session: PostgresSession,
  query: CompiledQuery,
  remainingMs: number,
): Promise<void> {
  await session.query(`SET LOCAL statement_timeout = ${milliseconds(remainingMs)}`);
  await session.query(`DECLARE vkit NO SCROLL CURSOR FOR ${query.sql}`, query.params);
}

function fetch(
  session: PostgresSession,
  rows: number,
  remainingMs: number,
): Promise<readonly TextRow[]> {
  const timeout = `SET LOCAL statement_timeout = ${milliseconds(remainingMs)}`;
  return session.query(`${timeout}; FETCH FORWARD ${rows} FROM vkit`);
}

/** As many rows as would have kept this batch below the bound on its characters. */
function nextBatchRows(batch: readonly EncodedRow[], rowsMax: number): number {
  let characters = 1;
  for (const row of batch) for (const cell of row) characters += cell.length;
  const fitting = Math.floor((batch.length * BATCH_CHARACTERS_MAX) / characters);
  return Math.max(1, Math.min(rowsMax, fitting));
}
