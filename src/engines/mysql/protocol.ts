import type { CompiledQuery } from '../../aql/plan.js';
import type { ServerProtocol } from '../server-connector.js';
import { type MysqlCell, mysqlEncoder } from './cell.js';
import { checkTables } from './check-tables.js';
import { isCollationMix, isConnectionError, translateError } from './error.js';
import { readTables } from './introspect.js';
import { readLogin } from './login.js';
import { inOneCollation } from './one-collation.js';
import { beginReadOnly, type MysqlSession, pinSession } from './session.js';

/** What MySQL and MariaDB are asked, and how. */
export function mysqlProtocol(database: string): ServerProtocol<MysqlSession, MysqlCell> {
  return {
    // The database counts the reader's time as well, so its own limit is only the last resort.
    driverGraceMs: 0,
    pin: (session) => pinSession(session, database),
    begin: beginReadOnly,
    rollBack: (session) => session.command('ROLLBACK'),
    guard,
    isStreaming: (session) => session.isStreaming(),
    isConnectionError,
    translateError,
    encoder: mysqlEncoder,
    checkTables,
    open,
    fetch: (session, rows) => session.fetch(rows),
    ping: (session) => session.command('SELECT 1'),
    async readServer({ product }) {
      return `mysql ${product?.version ?? ''}${product?.name === 'mariadb' ? ' (MariaDB)' : ''}`;
    },
    readTables,
    readLogin,
  };
}

/** Which collations and character sets meet in a query shows when the server compares them. */
async function open(session: MysqlSession, { sql, params }: CompiledQuery): Promise<void> {
  try {
    await session.open(sql, params);
  } catch (error) {
    if (!isCollationMix(error)) throw error;
    await session.open(inOneCollation(sql), params);
  }
}

function guard(session: MysqlSession, check: () => void): MysqlSession {
  return {
    ...(session.product ? { product: session.product } : {}),
    async command(sql) {
      check();
      return session.command(sql);
    },
    async query(sql, values) {
      check();
      return session.query(sql, values);
    },
    async open(sql, values) {
      check();
      return session.open(sql, values);
    },
    async fetch(rows) {
      check();
      return session.fetch(rows);
    },
    isStreaming: () => session.isStreaming(),
  };
}
