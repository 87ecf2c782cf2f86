import type { BoundValue } from '../../aql/expression.js';

/** A row as PostgreSQL's text format writes it. */
export type TextRow = readonly (string | null)[];

/** One statement; the text is prepared on the connection, so that it is parsed and planned once. */
export interface PipelinedStatement {
  sql: string;
  values?: readonly BoundValue[];
}

/** What came of statements that were sent together. */
export interface PipelineAnswer {
  /** The rows of each statement that was completed. */
  rows: readonly (readonly TextRow[])[];
  /** Of the statement after those; the server runs none behind it. */
  error?: unknown;
}

/** What the rest of this folder sees of a connection, so that `driver.ts` alone knows the package. */
export interface PostgresSession {
  /** Runs one statement with bound values, or several without; the rows are those of all of them. */
  query(
    sql: string,
    values?: readonly (BoundValue | readonly string[])[],
  ): Promise<readonly TextRow[]>;
  /** Sends statements without values together with the next one: their round trip is saved. */
  defer(sql: string): void;
  /** Takes back what was deferred; `''` where nothing was. */
  takeDeferred(): string;
  /** Sends statements together; after an error, the transaction that they opened is rolled back. */
  pipeline(statements: readonly PipelinedStatement[]): Promise<PipelineAnswer>;
  /** Whether no transaction is open, and none is to be opened by what was deferred. */
  isClean(): boolean;
}

/**
 * What could change an answer is the same on every connection, whatever the server's defaults are.
 * Answers the database's encoding and the id of the connection's process.
 */
export const PIN_SESSION = [
  'SET search_path = pg_catalog',
  "SET DateStyle = 'ISO, YMD'",
  'SET IntervalStyle = iso_8601',
  "SET TimeZone = 'UTC'",
  'SET bytea_output = hex',
  'SET extra_float_digits = 1',
  "SET client_encoding = 'UTF8'",
  'SET standard_conforming_strings = on',
  'SET default_transaction_read_only = on',
  "SELECT pg_catalog.current_setting('server_encoding'), pg_catalog.pg_backend_pid()",
].join('; ');

/** A lock that another session holds longer than this is no reason to hold a connection. */
const LOCK_TIMEOUT_MS_MAX = 10_000;
/** A reader that takes longer between two batches has gone away. */
const IDLE_TIMEOUT_MS = 120_000;

const BEGIN = 'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY';

/** Opens the transaction in which everything runs; it is always rolled back, never committed. */
export function beginReadOnly(timeoutMs: number): string {
  const settings = settingsWithin(timeoutMs).map(([name, value]) => `SET LOCAL ${name} = ${value}`);
  // A cursor is read to its end: plan for all rows, not for the first tenth.
  return [BEGIN, ...settings, 'SET LOCAL cursor_tuple_fraction = 1'].join('; ');
}

/** The same for a pipeline, in which nothing is read by a cursor. */
export function pipelinedBegin(timeoutMs: number): PipelinedStatement[] {
  const settings = settingsWithin(timeoutMs);
  const calls = settings.map(([name], at) => `pg_catalog.set_config('${name}', $${at + 1}, true)`);
  return [
    { sql: BEGIN },
    { sql: `SELECT ${calls.join(', ')}`, values: settings.map(([, value]) => String(value)) },
  ];
}

function settingsWithin(timeoutMs: number): [name: string, milliseconds: number][] {
  return [
    ['statement_timeout', milliseconds(timeoutMs)],
    ['lock_timeout', milliseconds(Math.min(timeoutMs, LOCK_TIMEOUT_MS_MAX))],
    ['idle_in_transaction_session_timeout', IDLE_TIMEOUT_MS],
  ];
}

/** Zero would mean no timeout at all. */
export function milliseconds(value: number): number {
  return Math.max(1, Math.min(2_147_483_647, Math.ceil(value)));
}
