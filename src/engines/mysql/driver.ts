import mysql from 'mysql2';
import type { BoundValue } from '../../aql/expression.js';
import type { ConnectionOptions, ConnectionTarget, Connector } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import type { ConnectionPool, PooledConnection } from '../lease-pool.js';
import { preferTls } from '../prefer-tls.js';
import { createServerConnector, poolOptions } from '../server-connector.js';
import { takesClearPassword } from '../server-options.js';
import { connectionOptions, type DialOptions } from './connection-options.js';
import { isTlsRefused } from './error.js';
import { mysqlProtocol } from './protocol.js';
import { createRowReader, type PausableConnection, type RowReader } from './row-reader.js';
import type { MysqlRow, MysqlSession } from './session.js';
import { type MysqlSettings, readMysqlSettings } from './settings.js';

const IDLE_TIMEOUT_MS = 30_000;

/** What the package's types leave out of a connection. */
type RawConnection = mysql.Connection & PausableConnection & { stream: { destroy(): void } };

/** Opens a pool to one database. Nothing is connected before the first use. */
export async function connectMysql(
  target: ConnectionTarget,
  options: ConnectionOptions = {},
): Promise<Connector> {
  const settings = await readMysqlSettings(target);
  const errors = driverErrors(target.id, [target.credentials.password]);
  const bounds = poolOptions(options, settings.connectTimeoutMs);
  const pool = openPool(settings, bounds.connectionsMax, {
    connectTimeoutMs: bounds.connectTimeoutMs,
    takesClear: takesClearPassword(target.config, options.clearPasswordHosts),
    rules: options.addressRules,
  });
  return createServerConnector(pool, mysqlProtocol(settings.database), errors, {
    ...bounds,
    defaultSchema: settings.database,
  });
}

function openPool(
  settings: MysqlSettings,
  connectionsMax: number,
  dialling: DialOptions,
): ConnectionPool<MysqlSession> {
  const known = new WeakMap<mysql.PoolConnection, PooledConnection<MysqlSession>>();
  const pool = preferTls(
    settings,
    (ssl) => {
      const opened = mysql.createPool({
        ...connectionOptions(settings, ssl, dialling),
        connectionLimit: connectionsMax,
        maxIdle: 0,
        idleTimeout: IDLE_TIMEOUT_MS,
      });
      return {
        connect: () => getConnection(opened),
        end: () => new Promise<void>((resolve) => opened.end(() => resolve())),
      };
    },
    isTlsRefused,
  );

  return {
    async connect() {
      const client = await pool.use((opened) => opened.connect());
      const pooled = known.get(client) ?? pooledConnection(client);
      known.set(client, pooled);
      return pooled;
    },
    async cancel(id) {
      if (!/^\d+$/.test(id)) return;
      const options = connectionOptions(settings, pool.ssl(), dialling);
      const client = mysql.createConnection(options);
      client.on('error', () => undefined);
      try {
        await command(client, `KILL QUERY ${id}`);
        client.end();
      } catch {
        // The caller closes the connection then, and the statement's own timeout ends it.
        client.destroy();
      }
    },
    end: () => pool.end(),
  };
}

function getConnection(pool: mysql.Pool): Promise<mysql.PoolConnection> {
  return new Promise((resolve, reject) => {
    pool.getConnection((error, client) => (error ? reject(error) : resolve(client)));
  });
}

function pooledConnection(client: mysql.PoolConnection): PooledConnection<MysqlSession> {
  const raw = client as unknown as RawConnection;
  // Without a listener, a connection that the server closes would end the process.
  raw.on('error', () => undefined);
  // The package's own way to destroy a connection leaves those waiting who have a statement running.
  const destroy = () => raw.stream.destroy();
  return {
    session: sessionOf(raw),
    destroy,
    giveBack(clean) {
      if (clean) return client.release();
      destroy();
      client.destroy();
    },
  };
}

function sessionOf(client: RawConnection): MysqlSession {
  let reader: RowReader | undefined;
  return {
    command: (sql) => command(client, sql),
    query: (sql, values = []) =>
      new Promise((resolve, reject) => {
        client.execute(sql, bound(values), (error, rows) =>
          error ? reject(error) : resolve(rows as unknown as readonly MysqlRow[]),
        );
      }),
    async open(sql, values) {
      // The package keeps statements prepared, and MariaDB does not always answer one that is executed again as it does
      // one that is new. The statements of `query` are vkit's own and simple.
      client.unprepare(sql);
      reader = createRowReader(client, client.execute(sql, bound(values)));
      await reader.opened;
    },
    fetch: async (rows) => (await reader?.fetch(rows)) ?? [],
    isStreaming: () => reader !== undefined && !reader.isDone(),
  };
}

function command(client: mysql.Connection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(sql, (error) => (error ? reject(error) : resolve()));
  });
}

/** Bytes as a Buffer, which alone the package sends as bytes. */
function bound(values: readonly BoundValue[]): (string | number | boolean | Buffer)[] {
  return values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
}
