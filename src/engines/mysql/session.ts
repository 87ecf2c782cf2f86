import type { BoundValue } from '../../aql/expression.js';
import { VkitError } from '../../errors/index.js';
import type { MysqlCell } from './cell.js';
import { errorNumber } from './error.js';

export type MysqlRow = readonly MysqlCell[];

/** Which of the two products a server is. */
export interface Product {
  name: 'mysql' | 'mariadb';
  /** `8.4.0`, without what a distribution adds. */
  version: string;
}

/** What the rest of this folder sees of a connection, so that `driver.ts` alone knows the package. */
export interface MysqlSession {
  /** Known once the session is pinned. */
  product?: Product;
  /** A statement of vkit's own without values or rows, over the text protocol. */
  command(sql: string): Promise<void>;
  /** Prepares a statement in the server and executes it: values never become part of its text. */
  query(sql: string, values?: readonly BoundValue[]): Promise<readonly MysqlRow[]>;
  /** As `query`, but its rows wait in the server until `fetch` asks for them. */
  open(sql: string, values: readonly BoundValue[]): Promise<void>;
  /** The next rows of what is open; fewer than asked for at its end. */
  fetch(rows: number): Promise<readonly MysqlRow[]>;
  /** Whether rows of what was opened are still to come. */
  isStreaming(): boolean;
}

/** Older ones lack what the dialect writes. */
const OLDEST: Record<Product['name'], readonly [major: number, minor: number]> = {
  mysql: [8, 0],
  mariadb: [10, 6],
};

const SQL_MODES = [
  'ANSI_QUOTES',
  'NO_BACKSLASH_ESCAPES',
  'NO_ENGINE_SUBSTITUTION',
  'ONLY_FULL_GROUP_BY',
  'STRICT_ALL_TABLES',
  'STRICT_TRANS_TABLES',
];

/** A reader that takes longer between two batches has gone away. */
const IDLE_TIMEOUT_S = 120;
/** Longer texts are sorted by so many bytes; more would need more sorting memory than a query has. */
const SORTED_BYTES_MAX = 32 * 1024;
const SORT_MEMORY_BYTES = 8 * 1024 * 1024;
const UNKNOWN_VARIABLE = 1193;
/** Digits that a quotient has after its point, beside those of the dividend. */
const QUOTIENT_DIGITS = 20;
/** A lock that another session holds longer than this is no reason to hold a connection. */
const LOCK_TIMEOUT_MS_MAX = 10_000;

/**
 * How long the database lets a statement go on beyond its budget. The budget counts the time spent waiting for rows, the
 * database also the time in which nobody asks for the next; the driver cancels a statement when its budget is used up, and
 * this ends what the driver cannot.
 */
const READER_TIME_MS = 600_000;

/** What could change an answer is the same on every connection, whatever the server's defaults are. */
const PINS = [
  `SET NAMES utf8mb4 COLLATE utf8mb4_bin`,
  `SET SESSION sql_mode = '${SQL_MODES.join(',')}', time_zone = '+00:00', autocommit = 1,
    completion_type = 'NO_CHAIN', sql_auto_is_null = 0, sql_select_limit = 18446744073709551615,
    sql_big_selects = 1, max_sort_length = ${SORTED_BYTES_MAX}, sort_buffer_size = ${SORT_MEMORY_BYTES},
    div_precision_increment = ${QUOTIENT_DIGITS}, net_write_timeout = ${IDLE_TIMEOUT_S}`,
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY',
] as const;

/** Pins a session and answers its connection's id. Throws `unsupported` for a version vkit does not read. */
export async function pinSession(session: MysqlSession, database: string): Promise<string> {
  for (const pin of PINS) await session.command(pin);
  const [row] = await session.query('SELECT VERSION(), CONNECTION_ID()');
  const product = readProduct(textOf(row?.[0]));
  if (!isSupported(product)) {
    throw new VkitError(
      'unsupported',
      `The database "${database}" is served by ${product.name} ${product.version}; vkit reads MySQL 8 and MariaDB 10.6, or newer.`,
      { hint: 'Upgrade the server, or serve a copy of the database from a newer one.' },
    );
  }
  if (product.name === 'mariadb') await leaveQueryCache(session);
  session.product = product;
  return textOf(row?.[1]);
}

/** MariaDB answers from its query cache without opening a table, and so without the lock that keeps the table as it is. */
async function leaveQueryCache(session: MysqlSession): Promise<void> {
  try {
    await session.command('SET SESSION query_cache_type = OFF');
  } catch (error) {
    // A server that was built without the cache does not know the variable.
    if (errorNumber(error) !== UNKNOWN_VARIABLE) throw error;
  }
}

/** Opens the transaction in which everything runs; it is always rolled back, never committed. */
export async function beginReadOnly(session: MysqlSession, timeoutMs: number): Promise<void> {
  const lockSeconds = Math.ceil(Math.min(timeoutMs, LOCK_TIMEOUT_MS_MAX) / 1000);
  const limitMs = Math.ceil(timeoutMs) + READER_TIME_MS;
  const limit =
    session.product?.name === 'mariadb'
      ? `max_statement_time = ${limitMs / 1000}`
      : `max_execution_time = ${limitMs}`;
  const locks = `lock_wait_timeout = ${lockSeconds}, innodb_lock_wait_timeout = ${lockSeconds}`;
  await session.command(`SET SESSION ${limit}, ${locks}`);
  await session.command('START TRANSACTION READ ONLY');
}

/** A cell of the catalog as text; absent is empty. */
export function textOf(cell: MysqlCell | undefined): string {
  if (cell === null || cell === undefined) return '';
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('utf8') : String(cell);
}

function readProduct(version: string): Product {
  // Replication clients of old made MariaDB put 5.5.5- before its own version.
  const number = /^(?:5\.5\.5-)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? '0';
  return { name: /mariadb/i.test(version) ? 'mariadb' : 'mysql', version: number };
}

function isSupported({ name, version }: Product): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST[name];
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
