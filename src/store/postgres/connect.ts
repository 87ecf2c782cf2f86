import type pg from 'pg';
import { VkitError } from '../../errors/index.js';
import { TRANSACTION_MS_MAX } from '../build-store.js';
import { postgresError } from './postgres-error.js';

type Package = typeof pg;

/** Connections that read, and the one that writes. */
const CONNECTIONS_MAX = 10;
/** Kinds of work that one process at a time does, each on a connection of its own while it runs. */
const WORK_CONNECTIONS_MAX = 16;
const CONNECT_MS_MAX = 5_000;
/** The server gives up first, so that the connection can be used on. */
const STATEMENT_MS_MAX = TRANSACTION_MS_MAX - 2_000;
const IDLE_MS = 60_000;
/** A process that is frozen in a transaction has the lock of all writers: the server takes it away before others give up. */
const IDLE_IN_TRANSACTION_MS_MAX = 4_000;

/** Connections to the database of the state. */
export interface Connections {
  /** For readers, and for the writer. */
  pool: pg.Pool;
  /** For what holds a lock of its session. */
  workers: pg.Pool;
  /** A connection that is nobody else's, not open yet. */
  single(timeoutMs: number): pg.Client;
  end(): Promise<void>;
}

/** Throws `config_invalid` for what is no URL of a PostgreSQL, `dependency_missing` without the package. Connects to nothing. */
export async function postgresConnections(url: string): Promise<Connections> {
  const address = parseUrl(url);
  const { default: package_ } = await loadPackage();
  const Client = clientWithoutClearPassword(package_, address);
  const config = (timeoutMs: number): pg.ClientConfig => ({
    connectionString: url,
    application_name: 'vkit',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + 1_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
    types: { getTypeParser: (oid) => (oid === INT8 ? toNumber : (text: string) => text) },
  });
  const open = (max: number): pg.Pool => {
    const options = { ...config(STATEMENT_MS_MAX), Client, max, idleTimeoutMillis: IDLE_MS };
    const pool = new package_.Pool(options);
    // One that is lost is noticed by whoever uses it next.
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
    return pool;
  };
  const pool = open(CONNECTIONS_MAX);
  const workers = open(WORK_CONNECTIONS_MAX);
  return {
    pool,
    workers,
    single(timeoutMs) {
      const client = new Client(config(timeoutMs));
      client.on('error', () => {});
      return client;
    },
    async end() {
      await Promise.all([pool.end(), workers.end()]);
    },
  };
}

function parseUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed && /^postgres(ql)?:$/.test(parsed.protocol)) return parsed;
  // What was given may hold a password, and is not repeated.
  throw new VkitError('config_invalid', 'The database URL is not one of a PostgreSQL.', {
    hint: 'Give it as postgres://user:password@host:5432/database, in DATABASE_URL or with --database-url.',
  });
}

async function loadPackage(): Promise<{ default: Package }> {
  try {
    return (await import('pg')) as unknown as { default: Package };
  } catch (cause) {
    throw new VkitError('dependency_missing', 'The package pg is not installed.', {
      hint: 'npm install pg',
      cause,
    });
  }
}

/** A client that hangs up on a server elsewhere that asks for the password in clear, without TLS: it may be anybody. */
function clientWithoutClearPassword({ Client }: Package, { hostname, searchParams }: URL) {
  const mode = searchParams.get('sslmode');
  const isEncrypted = mode !== null && mode !== 'disable';
  if (isEncrypted || ['', 'localhost', '127.0.0.1', '[::1]'].includes(hostname)) return Client;
  return class extends Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      // Before the package's own listener, which finds a stream that takes nothing any more.
      this.connection.on('authenticationCleartextPassword', () => {
        this.connection.stream.destroy(new Error('The server asks for the password in clear.'));
      });
    }
  };
}

/** Connects anew after it was lost; one statement at a time. */
export interface SteadyClient {
  query(text: string): Promise<Record<string, unknown>[]>;
  end(): Promise<void>;
}

export function steadyClient(open: () => pg.Client): SteadyClient {
  let connected: Promise<pg.Client> | undefined;
  const connect = (): Promise<pg.Client> => {
    const client = open();
    const opening = client.connect().then(() => client);
    client.once('end', () => {
      if (connected === opening) connected = undefined;
    });
    return opening;
  };
  return {
    async query(text) {
      connected ??= connect();
      const opening = connected;
      let client: pg.Client;
      try {
        client = await opening;
      } catch (error) {
        if (connected === opening) connected = undefined;
        throw postgresError(error);
      }
      try {
        return (await client.query(text)).rows;
      } catch (error) {
        // It may have been given up by the client alone: what it says next would be the answer to this.
        if (connected === opening) connected = undefined;
        client.connection.stream.destroy();
        throw postgresError(error);
      }
    },
    async end() {
      const client = await connected?.catch(() => undefined);
      connected = undefined;
      await client?.end().catch(() => undefined);
    },
  };
}

/** The type of 64-bit integers (pg_type.dat). */
const INT8 = 20;

function toNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new VkitError('internal', 'A number of the database is too large.');
}
