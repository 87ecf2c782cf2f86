import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Pool, PoolConfig } from 'pg';
import { VkitError } from '../../errors/index.js';
import { canonicalHost } from '../../util/address-list.js';
import {
  type AddressRules,
  checkDialled,
  guardedLookup,
  isLoopbackHost,
} from '../../util/outbound.js';
import type { SinkBatch, SinkDependencies, SinkSettings, SinkType } from './contract.js';
import { readSecret } from './read-secret.js';

export interface PostgresSinkSettings extends SinkSettings {
  /** Without a password; the server's own database where no url is given. */
  url?: string;
  /** The variable or the file with the whole url, password and all. */
  url_env?: string;
  url_file?: string;
  password_env?: string;
  password_file?: string;
  /** PEM certificates that are trusted instead of the system's. */
  ca_file?: string;
  /** `vkit_audit_copy` if absent; checkpoints go to one with `_checkpoints` behind it. */
  table?: string;
}

const TIMEOUT_MS = 30_000;

/** Entries as rows of two tables, which the sink makes; a row that is there already stays as it is. */
export const postgresSink: SinkType<PostgresSinkSettings> = {
  batchMax: 500,
  lingerSeconds: 0,
  isKept: true,
  async open(settings, dependencies) {
    const { name, table = 'vkit_audit_copy' } = settings;
    const place = await placeOf(settings, dependencies);
    let pool: Pool | undefined;
    let isReady = false;
    return {
      async deliver(batch) {
        try {
          pool ??= await connect(place, dependencies.rules);
          if (!isReady) await prepare(pool, table);
          isReady = true;
          await write(pool, table, batch);
        } catch (cause) {
          // A name may lead elsewhere by now.
          await pool?.end().catch(() => undefined); // It is given up either way.
          pool = undefined;
          throw failed(name, cause);
        }
      },
      async close() {
        await pool?.end();
      },
    };
  },
};

interface Place {
  url: URL;
  password?: string;
  ca?: string;
  isOwn: boolean;
}

async function placeOf(
  { name, url, url_env, url_file, password_env, password_file, ca_file }: PostgresSinkSettings,
  dependencies: SinkDependencies,
): Promise<Place> {
  const label = `the sink ${name}`;
  const secret = await readSecret({ env: url_env, file: url_file }, label, dependencies);
  const text = secret ?? url ?? dependencies.databaseUrl;
  if (text === undefined) {
    throw new VkitError(
      'config_invalid',
      `${label} names no url, and the server's own state is not in PostgreSQL.`,
      { hint: 'Give it a url, or run the server with --database-url.' },
    );
  }
  const wrong = (why: string, hint: string) =>
    new VkitError('config_invalid', `The url of ${label} ${why}.`, { hint });
  if (!URL.canParse(text) || !/^postgres(ql)?:$/.test(new URL(text).protocol)) {
    throw wrong('is not one of PostgreSQL', 'Write it as postgres://USER@HOST:5432/DATABASE.');
  }
  const parsed = new URL(text);
  if (secret === undefined && text === url && parsed.password !== '') {
    throw wrong(
      'holds a password',
      'Name its place instead: password_env, password_file, url_env or url_file.',
    );
  }
  const password = await readSecret(
    { env: password_env, file: password_file },
    `the password of ${label}`,
    dependencies,
  );
  const ca = ca_file === undefined ? undefined : await readFile(ca_file, 'utf8');
  const isOwn = secret === undefined && url === undefined;
  return {
    url: parsed,
    isOwn,
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  };
}

async function connect({ url, password, ca, isOwn }: Place, rules: AddressRules): Promise<Pool> {
  const { default: pg } = await import('pg');
  const bounds = {
    max: 1,
    connectionTimeoutMillis: 10_000,
    query_timeout: TIMEOUT_MS,
    statement_timeout: TIMEOUT_MS,
    application_name: 'vkit audit',
  };
  // Where the server's state is, it has been let in already, by the same words.
  const config: PoolConfig = isOwn
    ? { connectionString: url.href, ...bounds }
    : { ...(await targetOf(url, rules, { ca, password })), ...bounds };
  const pool = new pg.Pool(config);
  // An idle connection that breaks must not end the process; the next query says so.
  pool.on('error', () => undefined);
  return pool;
}

/** The address that was checked is the one that is dialled. Elsewhere than on this machine, TLS is verified. */
async function targetOf(
  url: URL,
  rules: AddressRules,
  { ca, password }: { ca: string | undefined; password: string | undefined },
): Promise<PoolConfig> {
  const host = canonicalHost(url.hostname);
  checkDialled(host, rules);
  const trusted = ca === undefined ? {} : { ca };
  const isLocal = isLoopbackHost(host);
  const schema = url.searchParams.get('schema');
  return {
    host: isIP(host) === 0 ? await addressOf(host, rules) : host,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username) || 'postgres',
    password: password ?? decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || 'postgres',
    ...(isLocal && ca === undefined
      ? {}
      : {
          ssl: {
            rejectUnauthorized: true,
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ...trusted,
          },
        }),
    ...(schema === null ? {} : { options: `-c search_path=${schema.replace(/[^\w]/g, '')}` }),
  };
}

function addressOf(host: string, rules: AddressRules): Promise<string> {
  return new Promise((resolve, reject) => {
    guardedLookup(rules)(host, { all: false }, (error, address) => {
      if (error) reject(error);
      else resolve(String(address));
    });
  });
}

async function prepare(pool: Pool, table: string): Promise<void> {
  await pool.query(`create table if not exists ${table} (
    seq bigint primary key, hash text not null, timestamp timestamptz not null, event text not null,
    user_id text, dataset text, request_id text, record text not null)`);
  await pool.query(`create table if not exists ${table}_checkpoints (
    seq bigint primary key, hash text not null, timestamp timestamptz not null, checkpoint text not null)`);
}

/** All or nothing, and only beside what is the same log: a server that was restored from a backup writes another one. */
async function write(pool: Pool, table: string, batch: SinkBatch): Promise<void> {
  const client = await pool.connect();
  let failure: unknown;
  try {
    await client.query('begin');
    await insertRecords(
      client,
      table,
      batch.filter(({ kind }) => kind === 'record'),
    );
    await insertCheckpoints(
      client,
      table,
      batch.filter(({ kind }) => kind === 'checkpoint'),
    );
    await client.query('commit');
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    client.release(failure !== undefined);
  }
}

type Queries = { query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> };

async function insertRecords(client: Queries, table: string, records: SinkBatch): Promise<void> {
  if (records.length === 0) return;
  const parsed = records.map(({ line }) => JSON.parse(line));
  const columns = [
    records.map(({ seq }) => seq),
    records.map(({ hash }) => hash),
    records.map(({ timestamp }) => timestamp),
    parsed.map(({ event }) => event),
    parsed.map(({ requester }) => requester?.user_id ?? null),
    parsed.map(({ request }) => request?.dataset ?? null),
    parsed.map(({ request }) => request?.request_id ?? null),
    records.map(({ line }) => line),
  ];
  await client.query(
    `insert into ${table} (seq, hash, timestamp, event, user_id, dataset, request_id, record)
     select * from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
     on conflict (seq) do nothing`,
    columns,
  );
  await refuseOtherLog(client, table, records);
}

async function insertCheckpoints(
  client: Queries,
  table: string,
  checkpoints: SinkBatch,
): Promise<void> {
  if (checkpoints.length === 0) return;
  const columns = [
    checkpoints.map(({ seq }) => seq),
    checkpoints.map(({ hash }) => hash),
    checkpoints.map(({ timestamp }) => timestamp),
    checkpoints.map(({ line }) => line),
  ];
  await client.query(
    `insert into ${table}_checkpoints (seq, hash, timestamp, checkpoint)
     select * from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[])
     on conflict (seq) do nothing`,
    columns,
  );
  await refuseOtherLog(client, `${table}_checkpoints`, checkpoints);
}

async function refuseOtherLog(client: Queries, table: string, entries: SinkBatch): Promise<void> {
  const { rows } = await client.query(
    `select there.seq from ${table} there
     join unnest($1::bigint[], $2::text[]) as sent (seq, hash) on sent.seq = there.seq
     where sent.hash <> there.hash order by 1 limit 1`,
    [entries.map(({ seq }) => seq), entries.map(({ hash }) => hash)],
  );
  const [other] = rows as { seq: string }[];
  if (other === undefined) return;
  throw new VkitError(
    'conflict',
    `The table ${table} holds another record ${other.seq} than the log of this server.`,
    { hint: 'Name another table, and find out which of both logs is the right one.' },
  );
}

function failed(name: string, cause: unknown): VkitError {
  if (cause instanceof VkitError) return cause;
  const { code } = cause as { code?: unknown };
  const word = typeof code === 'string' && /^\w{1,32}$/.test(code) ? code : 'no answer';
  return new VkitError(
    'unavailable',
    `The database of the sink ${name} cannot be written (${word}).`,
    {
      cause,
    },
  );
}
