import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import type { ServerConfig } from '../../src/config/server-config.js';
import { type Governed, governed } from '../helpers/governed.js';
import { findPostgres, type PostgresServer } from '../helpers/postgres.js';
import { postgresShop, SHOP_REGISTRY } from '../helpers/shop.js';

/** A view whose rows each take a while, and a table too large for any buffer on the way. */
const TABLES = `
create view slow as select n, pg_sleep(0.2)::text as waited from generate_series(1, 1000) n;
create table wide as select n, repeat('x', 1000) as filler from generate_series(1, 50000) n;
`;
const REGISTRY = `${SHOP_REGISTRY}
slow:
  datasource: shop
  fields:
    n: {type: integer, sensitivity: low, category: internal}
    waited: {type: text, sensitivity: low, category: internal}
wide:
  datasource: shop
  fields:
    n: {type: integer, sensitivity: low, category: internal}
    filler: {type: text, sensitivity: low, category: internal}
`;

let server: PostgresServer;
beforeAll(async () => {
  server = await findPostgres();
});

interface World {
  g: Governed;
  url: string;
  token: string;
  grant(aql: object): Promise<string>;
  /** Sessions of vkit in the database that hold this world's tables or work on them. */
  busy(): Promise<number>;
}

async function world(
  context: TestContext,
  settings: Partial<ServerConfig> = {},
  config: object = {},
): Promise<World> {
  if (server.url === null) context.skip(server.reason);
  const shop = await postgresShop(server.url ?? '', { sql: TABLES, registryText: REGISTRY });
  const ground = { ...shop, config: { ...shop.config, ...config } };
  const g = await governed(ground, { queries_per_requester: 100, row_cap: 100_000, ...settings });
  await g.deploy(['id: allow_all\naction: {allow: true}\n']);
  const token = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
  const url = await g.server.listen({ host: '127.0.0.1', port: 0 });
  const client = new pg.Client({ connectionString: server.url ?? '' });
  await client.connect();
  onTestFinished(() => client.end());
  return {
    g,
    url,
    token,
    async grant(aql) {
      const { body } = await g.call<{ grant_ref?: string }>(token, 'POST', '/orgs/acme/requests', {
        aql,
      });
      if (body.grant_ref === undefined) throw new Error(JSON.stringify(body));
      return `/api/v1/orgs/acme/grants/${body.grant_ref}/fetch`;
    },
    async busy() {
      const { rows } = await client.query(
        `select count(distinct l.pid)::int as busy from pg_locks l
         join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = $1 and l.pid <> pg_backend_pid()`,
        [ground.config.schema],
      );
      return rows[0]?.busy ?? 0;
    },
  };
}

function ask({ url, token }: World, path: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' },
    ...(signal && { signal }),
  });
}

/** A client that sends its request, reads as much as `reads` says and then no more. */
async function stalled(
  { url, token }: World,
  path: string,
): Promise<{ socket: Socket; closed: Promise<void> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\naccept: application/x-ndjson\r\ncontent-length: 0\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('readable', resolve));
  return { socket, closed };
}

async function outcomes(g: Governed): Promise<{ event: string; error?: string | undefined }[]> {
  const { store } = g.app.context;
  const records = await store.audit.list({ order: 'asc', limit: 1_000 });
  return records
    .filter(({ event }) => event === 'query.executed' || event === 'query.failed')
    .map(({ event, execution }) => ({ event, error: execution?.error }));
}

const SLOW = { source_table: 'slow', columns: ['n', 'waited'] };
const WIDE = { source_table: 'wide', columns: ['n', 'filler'] };

describe('a client that goes away', () => {
  it('ends its query in the database before the first row has come', async (context) => {
    const w = await world(context);
    const path = await w.grant(SLOW);
    const leaving = new AbortController();
    const answer = ask(w, path, leaving.signal).catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await w.busy()).toBe(1), 5_000);
    leaving.abort();
    await answer;
    await vi.waitFor(async () => expect(await w.busy()).toBe(0), 5_000);
    await w.g.app.context.running.idle();
    expect(await outcomes(w.g)).toEqual([{ event: 'query.failed', error: 'interrupted' }]);
  });

  it('ends its query while it reads', async (context) => {
    const w = await world(context);
    const answer = await ask(w, await w.grant(WIDE));
    const reader = answer.body?.getReader();
    await reader?.read();
    expect(await w.busy()).toBe(1);
    await reader?.cancel();
    await vi.waitFor(async () => expect(await w.busy()).toBe(0), 5_000);
    await w.g.app.context.running.idle();
    expect(await outcomes(w.g)).toEqual([{ event: 'query.failed', error: 'interrupted' }]);
  });

  it('leaves nothing that is held, at whatever moment it goes', async (context) => {
    const w = await world(context);
    const path = await w.grant({ ...WIDE, limit: 100 });
    const leave = async (afterMs: number): Promise<void> => {
      const leaving = new AbortController();
      const answer = ask(w, path, leaving.signal).then((response) => response.text());
      await delay(afterMs);
      leaving.abort();
      await answer.catch(() => undefined);
    };
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(Array.from({ length: 12 }, (_, index) => leave(index * 5 + round)));
    }
    await w.g.app.context.running.idle();
    expect(await w.busy()).toBe(0);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(w, path)));
    for (const answer of answers) expect((await answer.text()).split('\n')).toHaveLength(101);
    await w.g.app.context.running.idle();
    const { store } = w.g.app.context;
    const records = await store.audit.list({ order: 'asc', limit: 1_000 });
    const started = records.filter(({ event }) => event === 'query.started').length;
    expect(await outcomes(w.g)).toHaveLength(started);
  });
});

describe('a client that does not read on', () => {
  it('is cut off, and its query with it', async (context) => {
    const w = await world(context, { stream_stall_seconds: 1, stream_bytes_per_second_min: 1e9 });
    const { closed, socket } = await stalled(w, await w.grant(WIDE));
    expect(await w.busy()).toBe(1);
    await vi.waitFor(async () => expect(await w.busy()).toBe(0), 10_000);
    socket.resume();
    await closed;
    await w.g.app.context.running.idle();
    expect(await outcomes(w.g)).toEqual([{ event: 'query.failed', error: 'query_timeout' }]);
  });

  it('is not cut off while it reads slowly and fast enough', async (context) => {
    const w = await world(context, { stream_stall_seconds: 1 });
    const answer = await ask(w, await w.grant({ ...WIDE, limit: 3_000 }));
    let bytes = 0;
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.length;
      if (bytes < 1_000_000) await delay(50);
    }
    expect(bytes).toBeGreaterThan(3_000_000);
  });
});

it('an answer that takes longer than the deadline is cut off', async (context) => {
  const w = await world(context, { stream_deadline_seconds: 1 });
  const { closed, socket } = await stalled(w, await w.grant(WIDE));
  await vi.waitFor(async () => expect(await w.busy()).toBe(0), 10_000);
  socket.resume();
  await closed;
  await w.g.app.context.running.idle();
  expect(await outcomes(w.g)).toEqual([{ event: 'query.failed', error: 'query_timeout' }]);
});

it('a query that takes longer than its datasource allows is ended in the database', async (context) => {
  const w = await world(context, {}, { statement_timeout: 1 });
  const answer = await ask(w, await w.grant({ ...SLOW, limit: 100 }));
  expect(await answer.json()).toMatchObject({ type: 'query_timeout' });
  await w.g.app.context.running.idle();
  expect(await w.busy()).toBe(0);
  expect(await outcomes(w.g)).toEqual([{ event: 'query.failed', error: 'query_timeout' }]);
});
