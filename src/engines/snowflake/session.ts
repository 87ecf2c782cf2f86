import type { BoundValue } from '../../aql/expression.js';
import { VkitError } from '../../errors/index.js';
import type { SnowflakeCell } from './cell.js';

export type SnowflakeRow = readonly SnowflakeCell[];

/** What the rest of this folder sees of a connection, so that `driver.ts` alone knows the package. */
export interface SnowflakeSession {
  /** Known once the session is pinned. */
  database?: string;
  version?: string;
  /** The limit of a statement's time, in seconds, that the session has now. */
  limitS?: number;
  /** Runs one statement of vkit's own to its end. */
  query(sql: string, values?: readonly BoundValue[]): Promise<readonly SnowflakeRow[]>;
  /** As `query`, each row by the names of its columns. */
  show(sql: string): Promise<readonly ReadonlyMap<string, SnowflakeCell>[]>;
  /** As `query`, but its rows wait until `fetch` asks for them. */
  open(sql: string, values: readonly BoundValue[]): Promise<void>;
  /** The next rows of what is open; fewer than asked for at its end. */
  fetch(rows: number): Promise<readonly SnowflakeRow[]>;
  /** Leaves what is open, and cancels it where its rows were not all read. */
  abandon(): Promise<void>;
}

/** Between its digits nothing is lost; the driver writes what no reader of a moment takes as it is. */
const MOMENT = 'YYYY-MM-DD HH24:MI:SS.FF9';

/**
 * What could change an answer is the same in every session, whatever account, user and database say. Each is in "Parameters"
 * of Snowflake's documentation.
 */
const PARAMETERS: Readonly<Record<string, string | number | boolean>> = {
  TIMEZONE: 'UTC',
  DATE_OUTPUT_FORMAT: 'YYYY-MM-DD',
  TIME_OUTPUT_FORMAT: 'HH24:MI:SS.FF9',
  TIMESTAMP_OUTPUT_FORMAT: `${MOMENT} TZHTZM`,
  TIMESTAMP_NTZ_OUTPUT_FORMAT: MOMENT,
  TIMESTAMP_LTZ_OUTPUT_FORMAT: `${MOMENT} TZHTZM`,
  TIMESTAMP_TZ_OUTPUT_FORMAT: `${MOMENT} TZHTZM`,
  BINARY_OUTPUT_FORMAT: 'HEX',
  GEOGRAPHY_OUTPUT_FORMAT: 'GeoJSON',
  GEOMETRY_OUTPUT_FORMAT: 'GeoJSON',
  STRICT_JSON_OUTPUT: true,
  JSON_INDENT: 0,
  QUOTED_IDENTIFIERS_IGNORE_CASE: false,
  ROWS_PER_RESULTSET: 0,
  MULTI_STATEMENT_COUNT: 1,
  AUTOCOMMIT: true,
  // A client that is gone leaves nothing running.
  ABORT_DETACHED_QUERY: true,
  CLIENT_SESSION_KEEP_ALIVE: false,
  JS_TREAT_INTEGER_AS_BIGINT: false,
  QUERY_TAG: 'vkit',
};

const SECONDS_MAX = 604_800;

export function alterSession(parameters: typeof PARAMETERS): string {
  const settings = Object.entries(parameters).map(
    ([name, value]) =>
      `${name} = ${typeof value === 'string' ? `'${value}'` : String(value).toUpperCase()}`,
  );
  return `ALTER SESSION SET ${settings.join(' ')}`;
}

/**
 * Pins a session and answers its id. Throws `config_invalid` where the session is in another database than the one that was
 * reviewed, or has no warehouse to run a query.
 */
export async function pinSession(session: SnowflakeSession, wanted: string): Promise<string> {
  await session.query(alterSession(PARAMETERS));
  const [row] = await session.query(
    'SELECT CURRENT_SESSION(), CURRENT_VERSION(), CURRENT_DATABASE(), CURRENT_WAREHOUSE()',
  );
  const [id, version, database, warehouse] = (row ?? []).map(textOf);
  // Snowflake writes names without quotes in capital letters.
  if (database !== wanted && database !== wanted.toUpperCase()) {
    throw new VkitError(
      'config_invalid',
      `The database "${wanted}" does not exist in the Snowflake account, or the role may not use it.`,
      { hint: 'Correct the name of the database or the role, or grant the role USAGE on it.' },
    );
  }
  if (!warehouse) {
    throw new VkitError('config_invalid', 'The Snowflake session has no warehouse.', {
      hint: 'Name one as warehouse, and grant the role USAGE on it.',
    });
  }
  session.database = database ?? '';
  session.version = version ?? '';
  return id ?? '';
}

/**
 * Gives statements their limit, and shows that the session is still there. There is no transaction to open: a query is one
 * SELECT, which reads one state of its tables.
 */
export async function limitStatements(
  session: SnowflakeSession,
  timeoutMs: number,
  isSurelyAlive: boolean,
): Promise<void> {
  const seconds = Math.max(1, Math.min(SECONDS_MAX, Math.ceil(timeoutMs / 1000)));
  if (isSurelyAlive && session.limitS === seconds) return;
  await session.query(
    alterSession({
      STATEMENT_TIMEOUT_IN_SECONDS: seconds,
      STATEMENT_QUEUED_TIMEOUT_IN_SECONDS: seconds,
    }),
  );
  session.limitS = seconds;
}

/** A cell of the catalog as text; absent is empty. */
export function textOf(cell: SnowflakeCell | undefined): string {
  if (cell === null || cell === undefined) return '';
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : String(cell);
}
