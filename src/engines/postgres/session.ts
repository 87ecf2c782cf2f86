import type { BoundValue } from '../../aql/expression.js';

/** A row as PostgreSQL's text format writes it. */
export type TextRow = readonly (string | null)[];

/** What the rest of this folder sees of a connection, so that `driver.ts` alone knows the package. */
export interface PostgresSession {
  /** Runs one statement with bound values, or several without; the rows are those of all of them. */
  query(
    sql: string,
    values?: readonly (BoundValue | readonly string[])[],
  ): Promise<readonly TextRow[]>;
  /** Sends statements without values together with the next one: their round trip is saved. */
  defer(sql: string): void;
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

/** Opens the transaction in which everything runs; it is always rolled back, never committed. */
export function beginReadOnly(timeoutMs: number): string {
  return [
    'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY',
    `SET LOCAL statement_timeout = ${milliseconds(timeoutMs)}`,
    `SET LOCAL lock_timeout = ${milliseconds(Math.min(timeoutMs, LOCK_TIMEOUT_MS_MAX))}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`,
    // A cursor is read to its end: plan for all rows, not for the first tenth.
    'SET LOCAL cursor_tuple_fraction = 1',
  ].join('; ');
}

/** Zero would mean no timeout at all. */
export function milliseconds(value: number): number {
  return Math.max(1, Math.min(2_147_483_647, Math.ceil(value)));
}
