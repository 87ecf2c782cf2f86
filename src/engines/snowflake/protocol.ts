import type { ServerProtocol } from '../server-connector.js';
import { type SnowflakeCell, snowflakeEncoder } from './cell.js';
import { createTableCheck } from './check-tables.js';
import { isConnectionError, translateError } from './error.js';
import { readTables } from './introspect.js';
import { limitStatements, pinSession, type SnowflakeSession } from './session.js';

/** The service limits a statement to whole seconds. */
const DRIVER_GRACE_MS = 1_000;

/** What Snowflake is asked, and how. */
export function snowflakeProtocol(
  database: string,
): ServerProtocol<SnowflakeSession, SnowflakeCell> {
  return {
    driverGraceMs: DRIVER_GRACE_MS,
    pin: (session) => pinSession(session, database),
    begin: limitStatements,
    rollBack: (session) => session.abandon(),
    guard,
    // Rows are there when a statement answers; `abandon` lets go of those that nobody reads.
    isStreaming: () => false,
    isConnectionError,
    translateError,
    encoder: snowflakeEncoder,
    checkTables: createTableCheck(() => performance.now()),
    open: (session, { sql, params }) => session.open(sql, params),
    fetch: (session, rows) => session.fetch(rows),
    async ping(session) {
      await session.query('SELECT 1');
    },
    async readServer({ version }) {
      return `snowflake ${version ?? ''}`.trim();
    },
    readTables,
  };
}

function guard(session: SnowflakeSession, check: () => void): SnowflakeSession {
  const { database, version } = session;
  return {
    ...(database === undefined ? {} : { database }),
    ...(version === undefined ? {} : { version }),
    async query(sql, values) {
      check();
      return session.query(sql, values);
    },
    async show(sql) {
      check();
      return session.show(sql);
    },
    async open(sql, values) {
      check();
      return session.open(sql, values);
    },
    async fetch(rows) {
      check();
      return session.fetch(rows);
    },
    abandon: () => session.abandon(),
  };
}
