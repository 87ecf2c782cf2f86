import { fileURLToPath } from 'node:url';
import type snowflake from 'snowflake-sdk';
import type { BoundValue } from '../../aql/expression.js';
import type { ConnectionOptions, ConnectionTarget, Connector } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import type { ConnectionPool, PooledConnection } from '../lease-pool.js';
import { loadDriver } from '../load-driver.js';
import { createServerConnector, poolOptions } from '../server-connector.js';
import { plainError } from './error.js';
import { snowflakeProtocol } from './protocol.js';
import { createRowReader, type RowReader } from './row-reader.js';
import type { SnowflakeRow, SnowflakeSession } from './session.js';
import { readSnowflakeSettings, type SnowflakeSettings } from './settings.js';

type Sdk = typeof snowflake;

/** Nobody else uses a connection for so long: its session ends. */
const IDLE_TIMEOUT_MS = 300_000;
const LOGOUT_WAIT_MS = 3_000;
const CANCEL_WAIT_MS = 3_000;
/** The service answers a statement that still runs after 45 s, and is asked again. */
const REQUEST_TIMEOUT_MS = 60_000;
/** How often a request is sent again after a failure of the network; the package's own bound is 1,000. */
const RETRIES_MAX = 2;
/** Rows that the package holds ready, and chunks of the result that it loads ahead. */
const ROWS_AHEAD = 1_000;
const CHUNKS_AHEAD = 1;

/** The package's types leave out some of its own names. */
const TEXTS: readonly string[] = ['String', 'Number', 'Date', 'JSON', 'Object', 'Array', 'Map'];

/** Statements that the driver ever sends: they read, or pin the session. */
const READS = /^(?:SELECT|SHOW|ALTER SESSION SET) /;

/** Opens a pool to one account and database. Nothing is connected before the first use. */
export async function connectSnowflake(
  target: ConnectionTarget,
  options: ConnectionOptions = {},
): Promise<Connector> {
  const settings = await readSnowflakeSettings(target);
  const sdk = await loadDriver('snowflake-sdk', loadSdk);
  const errors = driverErrors(target.id, settings.secrets);
  const bounds = poolOptions(options, settings.connectTimeoutMs);
  const pool = openPool(sdk, settings, bounds.connectTimeoutMs);
  return createServerConnector(pool, snowflakeProtocol(settings.database), errors, {
    ...bounds,
    defaultSchema: settings.schema,
  });
}

/**
 * Loads the package so that it asks no metadata service what machine it is on, loads no native code, tells nobody how it is
 * configured, and writes neither logs nor caches. All of that it takes from the environment alone, while it is loaded.
 */
async function loadSdk(): Promise<Sdk> {
  // Nothing can lie below a file.
  const nowhere = `${fileURLToPath(import.meta.url)}/none`;
  process.env.SNOWFLAKE_DISABLE_PLATFORM_DETECTION = 'true';
  process.env.SNOWFLAKE_DISABLE_MINICORE = 'true';
  process.env.SF_TELEMETRY_DISABLE_CONNECTION_SHAPE = 'true';
  process.env.SF_OCSP_RESPONSE_CACHE_DIR = nowhere;
  const { default: sdk } = await import('snowflake-sdk');
  sdk.configure({ logLevel: 'OFF', additionalLogToConsole: false });
  await boundRetries();
  return sdk;
}

/** The package sends a request again up to 1,000 times and offers no setting for it. */
async function boundRetries(): Promise<void> {
  const path = 'snowflake-sdk/dist/lib/connection/connection_config.js';
  // A version that has it elsewhere keeps its own bound, and is still a driver.
  const loaded: { default?: { prototype?: Record<string, unknown> } } = await import(path).catch(
    () => ({}),
  );
  const prototype = loaded.default?.prototype;
  for (const name of ['getRetrySfMaxNumRetries', 'getRetryLargeResultSetMaxNumRetries']) {
    if (prototype && typeof prototype[name] === 'function') prototype[name] = () => RETRIES_MAX;
  }
}

function connectionOptions(settings: SnowflakeSettings): snowflake.ConnectionOptions {
  const { account, username, authenticator, proof, address, database, schema, warehouse, role } =
    settings;
  return {
    account,
    username,
    authenticator: authenticator.toUpperCase(),
    ...proof,
    ...(address === undefined
      ? {}
      : {
          host: address.host,
          protocol: address.protocol,
          ...(address.port === undefined ? {} : { port: address.port }),
        }),
    database,
    schema,
    ...(warehouse === undefined ? {} : { warehouse }),
    ...(role === undefined ? {} : { role }),
    application: 'vkit',
    queryTag: 'vkit',
    // No configuration that lies in a home directory; it could switch logs on.
    clientConfigFile: '',
    clientSessionKeepAlive: false,
    clientRequestMFAToken: false,
    clientStoreTemporaryCredential: false,
    crlOnDiskCache: false,
    timeout: REQUEST_TIMEOUT_MS,
    sfRetryMaxLoginRetries: 0,
    resultPrefetch: CHUNKS_AHEAD,
    rowStreamHighWaterMark: ROWS_AHEAD,
    streamResult: true,
    rowMode: 'array',
    // Text is lossless; what the package makes of numbers, moments and JSON is not.
    fetchAsString: TEXTS as snowflake.DataType[],
    representNullAsStringNull: false,
  };
}

/** A connection of the pool, and what is done to it from outside its session. */
interface Opened extends PooledConnection<SnowflakeSession> {
  cancel(): Promise<void>;
  /** Ends what runs, and the session in the service. */
  end(): Promise<void>;
}

function openPool(
  sdk: Sdk,
  settings: SnowflakeSettings,
  connectTimeoutMs: number,
): ConnectionPool<SnowflakeSession> {
  const all = new Set<Opened>();
  const idle = new Map<Opened, NodeJS.Timeout>();
  const ending = new Set<Promise<void>>();
  let isEnded = false;

  const remove = (opened: Opened): void => {
    if (!all.delete(opened)) return;
    clearTimeout(idle.get(opened));
    idle.delete(opened);
    const end = opened.end().finally(() => ending.delete(end));
    ending.add(end);
  };

  const open = async (): Promise<Opened> => {
    const connection = await logIn(sdk, settings, connectTimeoutMs);
    const { session, cancel, close } = sessionOf(connection);
    const opened: Opened = {
      session,
      cancel,
      destroy: () => remove(opened),
      giveBack(clean) {
        if (!clean || isEnded || !all.has(opened)) return remove(opened);
        const timer = setTimeout(() => remove(opened), IDLE_TIMEOUT_MS);
        timer.unref();
        idle.set(opened, timer);
      },
      end: close,
    };
    all.add(opened);
    return opened;
  };

  return {
    async connect() {
      const [known] = idle.keys();
      if (known === undefined) return open();
      clearTimeout(idle.get(known));
      idle.delete(known);
      return known;
    },
    async cancel(id) {
      for (const opened of all) if (opened.id === id) await opened.cancel();
    },
    async end() {
      isEnded = true;
      for (const opened of all) remove(opened);
      await Promise.all(ending);
    },
  };
}

/** A connection that is logged in. The package's promise is kept for bad credentials too; its callback has the error. */
function logIn(
  sdk: Sdk,
  settings: SnowflakeSettings,
  timeoutMs: number,
): Promise<snowflake.Connection> {
  return new Promise((resolve, reject) => {
    const connection = sdk.createConnection(connectionOptions(settings));
    const fail = (error: unknown) => {
      clearTimeout(timer);
      void logOut(connection);
      reject(plainError(error));
    };
    const timer = setTimeout(() => {
      fail(Object.assign(new Error('The login took too long.'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    connection.connect((error) => {
      if (error) return fail(error);
      clearTimeout(timer);
      resolve(connection);
    });
  });
}

/** Ends the session in the service, as far as it answers. */
function logOut(connection: snowflake.Connection): Promise<void> {
  return answerWithin(LOGOUT_WAIT_MS, (done) => connection.destroy(done));
}

function answerWithin(waitMs: number, ask: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMs);
    ask(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function sessionOf(connection: snowflake.Connection) {
  const waiting = new Set<(error: Error) => void>();
  let statement: snowflake.RowStatement | undefined;
  let reader: RowReader | undefined;
  let closing: Promise<void> | undefined;

  /** Answers a statement once its result is there, of which no row has been read. */
  const execute = (
    sqlText: string,
    values: readonly BoundValue[],
  ): Promise<snowflake.RowStatement> =>
    new Promise((resolve, reject) => {
      if (closing) throw closedError();
      if (!READS.test(sqlText)) throw new Error('Only statements that read are sent.');
      waiting.add(reject);
      statement = connection.execute({
        sqlText,
        binds: values.map(bound),
        complete(error, answered) {
          waiting.delete(reject);
          if (error) reject(plainError(error));
          else resolve(answered as snowflake.RowStatement);
        },
      }) as snowflake.RowStatement;
    });

  const readAll = async (answered: snowflake.RowStatement): Promise<readonly SnowflakeRow[]> => {
    reader = createRowReader(answered.streamRows());
    return reader.fetch(Number.POSITIVE_INFINITY);
  };

  const cancel = (): Promise<void> => {
    const running = statement;
    if (running === undefined) return Promise.resolve();
    return answerWithin(CANCEL_WAIT_MS, (done) => running.cancel(done));
  };

  const session: SnowflakeSession = {
    query: async (sql, values = []) => readAll(await execute(sql, values)),
    async show(sql) {
      const answered = await execute(sql, []);
      const names = (answered.getColumns() ?? []).map((column) => column.getName());
      const rows = await readAll(answered);
      return rows.map((row) => new Map(names.map((name, at) => [name, row[at] ?? null])));
    },
    async open(sql, values) {
      reader = createRowReader((await execute(sql, values)).streamRows());
    },
    fetch: async (rows) => (await reader?.fetch(rows)) ?? [],
    async abandon() {
      const left = reader;
      reader = undefined;
      if (left === undefined || left.isDone()) return;
      left.close(closedError());
      await cancel();
    },
  };

  return {
    session,
    cancel,
    close() {
      closing ??= logOut(connection);
      for (const reject of waiting) reject(closedError());
      waiting.clear();
      reader?.close(closedError());
      return closing;
    },
  };
}

function closedError(): Error {
  return Object.assign(new Error('The connection was closed.'), { code: 'ECONNRESET' });
}

/** The dialect binds texts and booleans alone; bytes are texts of it too. */
function bound(value: BoundValue): string | number | boolean {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}
