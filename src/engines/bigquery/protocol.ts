import type { CompiledQuery } from '../../aql/plan.js';
import { VkitError } from '../../errors/index.js';
import type { DriverErrors } from '../driver-error.js';
import type { ServerProtocol } from '../server-connector.js';
import { type BigqueryCell, bigqueryEncoder } from './cell.js';
import { checkTables } from './check-tables.js';
import { isConnectionError, translateError } from './error.js';
import { readTables } from './introspect.js';
import { type BigquerySession, guardSession } from './session.js';

/** BigQuery ends a job by itself; the driver steps in when it has not so much later. */
const GRACE_MS = 500;

const QUOTED = /`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'/gs;

/**
 * What BigQuery is asked, and how, for the datasource of an id. It has no read-only transactions: that nothing is
 * written rests on every job being one SELECT.
 */
export function bigqueryProtocol(
  id: string,
  errors: DriverErrors,
): ServerProtocol<BigquerySession, BigqueryCell> {
  return {
    driverGraceMs: GRACE_MS,
    pin: (session) => session.location(),
    begin: async () => undefined,
    rollBack: async () => undefined,
    guard: guardSession,
    isStreaming: (session) => session.isRunning(),
    isConnectionError,
    translateError: (error, own, time) => translateError(id, error, own, time),
    encoder: bigqueryEncoder,
    checkTables,
    async open(session: BigquerySession, { sql, params, tables }: CompiledQuery, remainingMs) {
      if (!isSingleSelect(sql)) {
        throw new VkitError('internal', 'A statement other than one SELECT was about to be run.');
      }
      await session.open(sql, params, remainingMs);
      // The job may have waited for minutes before it read anything.
      await checkTables(session, tables, errors);
    },
    fetch: (session, rows) => session.fetch(rows),
    ping: (session) => session.ping(),
    readServer: async (session) => `bigquery (${await session.location()})`,
    readTables,
  };
}

/** Whether a statement of the dialect is one SELECT, and no script; its literals and names may hold anything. */
export function isSingleSelect(sql: string): boolean {
  const bare = sql.replace(QUOTED, "''");
  return bare.startsWith('SELECT ') && !/;|--|#|\/\*|"|`/.test(bare);
}
