import type { CompiledQuery, TableExpectation } from '../aql/plan.js';
import type { EncodedRow, RunOptions } from './contract.js';
import type { DriverErrors } from './driver-error.js';
import type { Lease } from './lease.js';

const BATCH_ROWS = 1_000;
/** How wide rows are shows in the first batch, which is small for that reason. */
const FIRST_BATCH_ROWS_MAX = 100;
const BATCH_CHARACTERS_MAX = 4 * 1024 * 1024;

/**
 * Asks, once a query is open, whether its names still mean the tables that were compared. Throws `schema_changed`. Where
 * `isLast`, the transaction may end with it.
 */
export type LaterCheck<Session> = (session: Session, isLast: boolean) => Promise<void>;

/**
 * Locks the tables until the transaction ends, and compares them. Throws `schema_changed`. Answers what is still to be
 * asked, of the transaction, before a row is handed out: where the lock does not hold everything that names go by.
 */
export type TableCheck<Session> = (
  session: Session,
  expected: readonly TableExpectation[],
  errors: DriverErrors,
) => Promise<LaterCheck<Session> | undefined>;

/** How an engine checks, opens and reads a query; `Cell` is a value as its driver hands it over. */
export interface QueryProtocol<Session, Cell> {
  encoder(type: string): (cell: Cell) => string;
  checkTables: TableCheck<Session>;
  /**
   * Does all of it for a query of few rows whose tables have passed before: in one round trip, with which the transaction
   * ends. `undefined` where they have not, or where anything is not as it was: then nothing has been handed out, and the
   * transaction is as `begin` left it.
   */
  readChecked?(
    session: Session,
    query: CompiledQuery,
    timeoutMs: number,
  ): Promise<readonly (readonly Cell[])[] | undefined>;
  /** Runs a query of few rows at once, where that takes fewer round trips than `open` and `fetch`. */
  readAll?(session: Session, query: CompiledQuery): Promise<readonly (readonly Cell[])[]>;
  open(session: Session, query: CompiledQuery, remainingMs: number): Promise<void>;
  /** The next rows of the query that is open: fewer than asked for when there are no more. */
  fetch(session: Session, rows: number, remainingMs: number): Promise<readonly (readonly Cell[])[]>;
}

/** What has been found of a query, and of its tables, before it is run. */
export interface Checked<Session, Cell> extends Pick<RunOptions, 'batchRows'> {
  checkLater?: LaterCheck<Session> | undefined;
  /** All rows, where they have been read with the check. */
  rows?: readonly (readonly Cell[])[];
}

/** Whether all rows fit in the first batch. */
export function isOfFewRows(
  { rowsMax }: CompiledQuery,
  { batchRows }: Pick<RunOptions, 'batchRows'>,
): boolean {
  return rowsMax !== undefined && rowsMax <= firstBatchRows(batchRows);
}

function firstBatchRows(batchRows = BATCH_ROWS): number {
  return Math.max(1, Math.min(batchRows, FIRST_BATCH_ROWS_MAX));
}

/**
 * Streams the rows of a query whose tables were checked, one `fetch` per batch. The next batch is on its way while one is
 * read; nothing beyond that is. The lease ends with the last batch, and when the iteration ends early.
 */
export async function* runQuery<Session, Cell>(
  lease: Lease<Session>,
  protocol: QueryProtocol<Session, Cell>,
  errors: DriverErrors,
  query: CompiledQuery,
  { batchRows, checkLater, rows: read }: Checked<Session, Cell>,
): AsyncGenerator<readonly EncodedRow[]> {
  const encoders = query.columns.map(({ type }) => protocol.encoder(type));
  const encode = (fetched: readonly (readonly Cell[])[]): EncodedRow[] => {
    if (fetched.some((row) => row.length !== encoders.length)) {
      throw errors.failed('The rows have other columns than the query.');
    }
    return fetched.map((row) => row.map((cell, at) => encoders[at]?.(cell) ?? 'null'));
  };
  const rowsMax = Math.max(1, batchRows ?? BATCH_ROWS);
  let rows = firstBatchRows(batchRows);
  let coming: { wanted: number; rows: Promise<readonly (readonly Cell[])[]> } | undefined;
  const fetch = (): void => {
    const wanted = rows;
    const fetched = lease.run((session, remainingMs) =>
      protocol.fetch(session, wanted, remainingMs),
    );
    // Whoever ends the iteration meanwhile hears of no failure any more.
    fetched.catch(() => undefined);
    coming = { wanted, rows: fetched };
  };
  try {
    if (read !== undefined) {
      void lease.end();
      if (read.length > 0) yield encode(read);
      return;
    }
    const { readAll } = protocol;
    if (readAll !== undefined && isOfFewRows(query, { batchRows })) {
      const all = await lease.run(async (session) => {
        const read = await readAll(session, query);
        await checkLater?.(session, true);
        return read;
      });
      void lease.end();
      if (all.length > 0) yield encode(all);
      return;
    }
    await lease.run(async (session, remainingMs) => {
      await protocol.open(session, query, remainingMs);
      await checkLater?.(session, false);
    });
    // How wide rows are is known after the first batch: until then nothing is read ahead.
    for (let isFirst = true; ; isFirst = false) {
      if (coming === undefined) fetch();
      const { wanted, rows: promised } = coming as NonNullable<typeof coming>;
      const fetched = await promised;
      coming = undefined;
      const isLast = fetched.length < wanted;
      if (isLast) void lease.end();
      else if (!isFirst) fetch();
      const batch = encode(fetched);
      rows = nextBatchRows(batch, rowsMax);
      if (isFirst && !isLast) fetch();
      if (batch.length > 0) yield batch;
      if (isLast) return;
    }
  } finally {
    if (coming === undefined) await lease.end();
    else await lease.interrupt();
  }
}

/** As many rows as would have kept this batch below the bound on its characters. */
function nextBatchRows(batch: readonly EncodedRow[], rowsMax: number): number {
  let characters = 1;
  for (const row of batch) for (const cell of row) characters += cell.length;
  const fitting = Math.floor((batch.length * BATCH_CHARACTERS_MAX) / characters);
  return Math.max(1, Math.min(rowsMax, fitting));
}
