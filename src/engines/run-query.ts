import type { CompiledQuery, TableExpectation } from '../aql/plan.js';
import type { EncodedRow, RunOptions } from './contract.js';
import type { DriverErrors } from './driver-error.js';
import type { Lease } from './lease.js';

const BATCH_ROWS = 1_000;
/** How wide rows are shows in the first batch, which is small for that reason. */
const FIRST_BATCH_ROWS_MAX = 100;
const BATCH_CHARACTERS_MAX = 4 * 1024 * 1024;

/** How an engine checks, opens and reads a query; `Cell` is a value as its driver hands it over. */
export interface QueryProtocol<Session, Cell> {
  encoder(type: string): (cell: Cell) => string;
  /** Locks the tables until the transaction ends, and compares them. Throws `schema_changed`. */
  checkTables(
    session: Session,
    expected: readonly TableExpectation[],
    errors: DriverErrors,
  ): Promise<void>;
  open(session: Session, query: CompiledQuery, remainingMs: number): Promise<void>;
  /** The next rows of the query that is open: fewer than asked for when there are no more. */
  fetch(session: Session, rows: number, remainingMs: number): Promise<readonly (readonly Cell[])[]>;
}

/**
 * Streams a query's rows, one `fetch` per batch that is asked for. The lease is ended before the last batch is handed
 * over, and when the iteration ends early.
 */
export async function* runQuery<Session, Cell>(
  lease: Lease<Session>,
  protocol: QueryProtocol<Session, Cell>,
  errors: DriverErrors,
  query: CompiledQuery,
  options: Pick<RunOptions, 'batchRows'>,
): AsyncGenerator<readonly EncodedRow[]> {
  const encoders = query.columns.map(({ type }) => protocol.encoder(type));
  const rowsMax = Math.max(1, options.batchRows ?? BATCH_ROWS);
  let rows = Math.min(rowsMax, FIRST_BATCH_ROWS_MAX);
  try {
    await lease.run((session) => protocol.checkTables(session, query.tables, errors));
    await lease.run((session, remainingMs) => protocol.open(session, query, remainingMs));
    for (let done = false; !done; ) {
      const fetched = await lease.run((session, remainingMs) =>
        protocol.fetch(session, rows, remainingMs),
      );
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

/** As many rows as would have kept this batch below the bound on its characters. */
function nextBatchRows(batch: readonly EncodedRow[], rowsMax: number): number {
  let characters = 1;
  for (const row of batch) for (const cell of row) characters += cell.length;
  const fitting = Math.floor((batch.length * BATCH_CHARACTERS_MAX) / characters);
  return Math.max(1, Math.min(rowsMax, fitting));
}
