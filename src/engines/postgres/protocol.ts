import { VkitError } from '../../errors/index.js';
import type { ServerProtocol } from '../server-connector.js';
import { postgresEncoder } from './cell.js';
import { createTableCheck, PREPARE_CHECKS } from './check-tables.js';
import { isConnectionError, translateError } from './error.js';
import { readTables } from './introspect.js';
import { readLogin } from './login.js';
import { readChecked } from './read-checked.js';
import { beginReadOnly, milliseconds, PIN_SESSION, type PostgresSession } from './session.js';

const DRIVER_GRACE_MS = 1_000;

/** What PostgreSQL is asked, and how. */
export function postgresProtocol(database: string): ServerProtocol<PostgresSession, string | null> {
  const { checkTables, passedBefore } = createTableCheck();
  return {
    driverGraceMs: DRIVER_GRACE_MS,
    pin: (session) => pin(session, database),
    async begin(session, timeoutMs, isSurelyAlive) {
      if (isSurelyAlive) session.defer(beginReadOnly(timeoutMs));
      else await session.query(beginReadOnly(timeoutMs));
    },
    async rollBack(session) {
      // Also undoes what a view may have set with set_config(): a commit would keep it.
      if (!session.isClean()) await session.query('ROLLBACK');
    },
    guard: (session, check) => ({
      async query(sql, values) {
        check();
        return session.query(sql, values);
      },
      defer: (sql) => session.defer(sql),
      takeDeferred: () => session.takeDeferred(),
      async pipeline(statements) {
        check();
        return session.pipeline(statements);
      },
      isClean: () => session.isClean(),
    }),
    // A cursor does nothing between two FETCH.
    isStreaming: () => false,
    isConnectionError,
    translateError,
    encoder: postgresEncoder,
    checkTables,
    async readChecked(session, query, timeoutMs) {
      const passed = passedBefore(query.tables);
      return passed === undefined ? undefined : readChecked(session, query, timeoutMs, passed);
    },
    // The timeout of the transaction still stands, and the driver's own clock runs for what is left of it.
    readAll: (session, query) => session.query(query.sql, query.params),
    async open(session, query, remainingMs) {
      session.defer(`SET LOCAL statement_timeout = ${milliseconds(remainingMs)}`);
      await session.query(`DECLARE vkit NO SCROLL CURSOR FOR ${query.sql}`, query.params);
    },
    fetch(session, rows, remainingMs) {
      const timeout = `SET LOCAL statement_timeout = ${milliseconds(remainingMs)}`;
      return session.query(`${timeout}; FETCH FORWARD ${rows} FROM vkit`);
    },
    async ping(session) {
      await session.query('SELECT 1');
    },
    async readServer(session) {
      const [row] = await session.query("SELECT pg_catalog.current_setting('server_version')");
      // Distributions add their package's version in brackets: `15.4 (Debian 15.4-1)`.
      return `postgres ${row?.[0]?.split(' ')[0] ?? ''}`.trim();
    },
    readTables,
    readLogin: (session, tables) =>
      readLogin(
        session,
        tables.map(({ table }) => String(table.oid)),
      ),
  };
}

/** Pins the session and answers its process id. */
async function pin(session: PostgresSession, database: string): Promise<string> {
  const [row] = await session.query(`${PIN_SESSION}; ${PREPARE_CHECKS}`);
  const [encoding, processId] = row ?? [];
  if (encoding !== 'UTF8') {
    throw new VkitError(
      'unsupported',
      `The database "${database}" is encoded in ${encoding}; vkit reads UTF8 alone.`,
      { hint: 'Copy it into a database with the encoding UTF8.' },
    );
  }
  return processId ?? '';
}
