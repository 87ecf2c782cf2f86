import { createServer } from 'node:http';
import { performance } from 'node:perf_hooks';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { engineByName } from '../../src/engines/index.js';
import { VkitError } from '../../src/errors/index.js';
import { createExecutorServer } from '../../src/server/create-executor-server.js';
import { controlLink } from '../../src/services/executor/control-link.js';
import { createExecutor, type Executor } from '../../src/services/executor/executor.js';
import type { ExecuteBody } from '../../src/services/executor/wire.js';
import { readTrustedBundleKeys } from '../../src/services/trusted-bundle-keys.js';
import { askGrant } from '../helpers/ask.js';
import { freePort } from '../helpers/free-port.js';
import { EXECUTOR_TOKEN, type Governed, governed } from '../helpers/governed.js';
import { findPostgres, type PostgresServer } from '../helpers/postgres.js';
import { postgresShop, SHOP_REGISTRY, sqliteShop } from '../helpers/shop.js';

const ALLOW = `id: analysts_read
match: {dataset: customers}
action: {allow: true}
`;
const MASKED = `id: emails_are_masked
match: {fields: {any: [email]}}
action: {mask: true, mask_type: full}
`;
const QUERY = { source_table: 'customers', columns: ['id', 'email'], order_by: { column: 'id' } };

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await findPostgres();
});

interface World {
  g: Governed;
  control: string;
  executor: string;
  token: string;
  own: Executor;
  /** Stops answering the executor, as a network that is cut. */
  cut: { isCut: boolean };
}

type Ground = Parameters<typeof governed>[0];

/** A control plane and one executor, each behind its own port. */
async function world(ground: Ground, policies: string[], urls: string[] = []): Promise<World> {
  const executor = `http://127.0.0.1:${await freePort()}`;
  const g = await governed(ground, { role: 'control', executor_urls: [...urls, executor] });
  const deployed = await g.deploy(policies);
  expect(deployed.status).toBe(201);
  const control = await g.server.listen({ host: '127.0.0.1', port: 0 });
  const cut = { isCut: false };
  const link = controlLink({
    url: control,
    token: EXECUTOR_TOKEN,
    fetch: (input, init) =>
      cut.isCut
        ? new Promise((_resolve, reject) =>
            init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
          )
        : fetch(input, init),
  });
  const own = createExecutor({
    trust: {
      org: 'acme',
      trustedBundleKeys: async () =>
        (await readTrustedBundleKeys(g.config.trusted_bundle_keys)).keys,
      settings: { allowUnsignedBundles: false, allowDirtyBundles: false },
    },
    audiences: [executor],
    grantKeys: async () => g.app.context.verifiedGrants.keys,
    control: link,
    engine: (name) => engineByName(name) ?? expect.unreachable(),
    connections: {
      baseDirectory: g.folder,
      fileDirectories: ['/'],
      forbiddenDirectories: [],
      clearPasswordHosts: [],
    },
    now: () => g.clock.now,
    clock: () => performance.now(),
  });
  const server = createExecutorServer(own, {
    token: EXECUTOR_TOKEN,
    version: '0.0.0',
    logLevel: 'silent',
  });
  await server.listen({ host: '127.0.0.1', port: Number(new URL(executor).port) });
  onTestFinished(async () => {
    cut.isCut = false;
    await own.close();
    await server.close();
  });
  const token = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
  return { g, control, executor, token, own, cut };
}

function fetchAt({ control, token }: World, ref: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${control}/api/v1/orgs/acme/grants/${ref}/fetch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' },
    ...(signal ? { signal } : {}),
  });
}

/** Another executor, which keeps what it is sent and answers nothing. */
async function thief(): Promise<{ url: string; taken: ExecuteBody[] }> {
  const taken: ExecuteBody[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      taken.push(JSON.parse(body));
      response.writeHead(503).end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${port}`, taken };
}

function redeem({ control }: World, ticket: string, token = EXECUTOR_TOKEN): Promise<Response> {
  return fetch(`${control}/api/v1/executor/redeem`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ticket }),
  });
}

describe('an executor of its own', () => {
  it('answers with the rows, the masks and the records of one process', async () => {
    const w = await world(await sqliteShop(), [ALLOW, MASKED]);
    const ref = await askGrant(w.g, w.token, QUERY);
    const answer = await w.g.call<{ rows: object[]; meta: object }>(
      w.token,
      'POST',
      `/orgs/acme/grants/${ref}/fetch`,
    );
    expect(answer.status).toBe(200);
    expect(answer.body.rows.map((row) => Object.values(row)[0])).toEqual([1, 2, 3, 4]);
    expect(JSON.stringify(answer.body.rows)).not.toContain('zoe@example.com');
    expect(answer.body.meta).toMatchObject({ masked_fields: ['email'], row_count: 4 });
    const log = await w.g.app.context.store.audit.list({ order: 'desc', limit: 2 });
    expect(log.map(({ event }) => event)).toEqual(['query.executed', 'query.started']);
    expect(log[0]?.execution?.rows_returned).toBe(4);
  });

  it('gets nothing for a ticket that was redeemed, expired, changed, or is another executor’s', async () => {
    const { url, taken } = await thief();
    const w = await world(await sqliteShop(), [ALLOW], [url]);
    const ref = await askGrant(w.g, w.token, QUERY);
    // The first executor refuses to work; the next one does it.
    while (taken.length === 0) expect((await fetchAt(w, ref)).status).toBe(200);
    const { ticket, grant, aql } = taken[0] as ExecuteBody;

    const execute = (body: object, token = EXECUTOR_TOKEN) =>
      fetch(`${w.executor}/v1/execute`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await execute({ ticket, grant, aql })).status).toBe(403);
    expect((await execute({ ticket, grant, aql }, 'a guess')).status).toBe(401);
    expect((await execute({ ticket, grant, aql: { source_table: { a: 1 } } })).status).toBe(403);
    expect((await redeem(w, ticket, 'a guess')).status).toBe(401);
    const at = ticket.lastIndexOf('.') + 5;
    const other = ticket[at] === 'A' ? 'B' : 'A';
    const changed = ticket.slice(0, at) + other + ticket.slice(at + 1);
    expect((await redeem(w, changed)).status).toBe(403);

    const redeemed = await redeem(w, ticket);
    expect(redeemed.status).toBe(200);
    const again = await redeem(w, ticket);
    expect([again.status, ((await again.json()) as { type: string }).type]).toEqual([
      403,
      'grant_invalid',
    ]);
    const [refused] = await w.g.app.context.store.audit.list({
      event: 'ticket.refused',
      order: 'desc',
      limit: 1,
    });
    expect(refused?.metadata).toMatchObject({ type: 'grant_invalid' });

    taken.length = 0;
    while (taken.length === 0) expect((await fetchAt(w, ref)).status).toBe(200);
    w.g.clock.now += 61_000;
    expect((await redeem(w, (taken[0] as ExecuteBody).ticket)).status).toBe(403);
  });

  it('is not believed what a grant does not say, and gets nothing once it was revoked', async () => {
    const { url, taken } = await thief();
    const w = await world(await sqliteShop(), [ALLOW], [url]);
    const ref = await askGrant(w.g, w.token, QUERY);
    while (taken.length === 0) await fetchAt(w, ref);
    const { ticket } = taken[0] as ExecuteBody;
    await w.g.call(w.token, 'POST', `/orgs/acme/grants/${ref}/revoke`, {});
    expect((await redeem(w, ticket)).status).toBe(410);
  });

  it('logs of a failed query its code, and nothing that the database said', async () => {
    const failure = new VkitError('datasource_error', 'The database answered with an error.', {
      cause: new Error('value "kestrel-9137" is out of range'),
    });
    const failing = async function* () {
      yield* [[['1']]];
      throw failure;
    };
    let calls = 0;
    const executor: Executor = {
      async execute() {
        calls += 1;
        if (calls === 1) throw failure;
        return { columns: [], rowsMax: 1, truncatable: false, batches: failing() };
      },
      running: () => 0,
      close: async () => {},
    };
    const lines: string[] = [];
    const logStream = new Writable({
      write(line: Buffer, _encoding, done) {
        lines.push(line.toString());
        done();
      },
    });
    const server = createExecutorServer(executor, {
      token: EXECUTOR_TOKEN,
      version: '0.0.0',
      logLevel: 'debug',
      logStream,
    });
    onTestFinished(() => server.close());
    const execute = () =>
      server.inject({
        method: 'POST',
        url: '/v1/execute',
        headers: { authorization: `Bearer ${EXECUTOR_TOKEN}` },
        payload: { ticket: 't', grant: 'g', aql: {} },
      });
    const answers = [await execute(), await execute()];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([502, 200]);
    const log = lines.join('');
    expect(log.match(/datasource_error/g)?.length).toBeGreaterThanOrEqual(2);
    for (const text of [log, ...answers.map(({ body }) => body)])
      expect(text).not.toContain('kestrel');
  });

  it('is not believed rows that are none', async () => {
    const lines = (rows: unknown) =>
      [
        { columns: [{ name: 'id', type: 'integer' }], rows_max: 10, truncatable: false },
        { rows },
        { done: true },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join('');
    let rows: unknown;
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(lines(rows));
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
    onTestFinished(() => void server.close());
    const w = await world(await sqliteShop(), [ALLOW], [`http://127.0.0.1:${port}`]);
    const ref = await askGrant(w.g, w.token, { source_table: 'customers', columns: ['id'] });
    for (const junk of [[['<script>']], [[]], [['1', '2']], ['1'], [[1, 2]]]) {
      rows = junk;
      const answers = [await fetchAt(w, ref), await fetchAt(w, ref)];
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 503]);
    }
  });

  it('that cannot be reached is a denial, also where all cannot', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const w = await world(await sqliteShop(), [ALLOW], [dead]);
    const ref = await askGrant(w.g, w.token, QUERY);
    for (let turn = 0; turn < 4; turn += 1) expect((await fetchAt(w, ref)).status).toBe(200);
    await w.own.close();
    w.cut.isCut = true;
    const answer = await fetchAt(w, ref, AbortSignal.timeout(20_000));
    expect([answer.status, ((await answer.json()) as { type: string }).type]).toEqual([
      503,
      'unavailable',
    ]);
  });

  describe('while it streams', () => {
    const VIEW = `create view slow as select n, pg_sleep(0.1)::text as waited from generate_series(1, 1000) n;`;
    const REGISTRY = `${SHOP_REGISTRY}
slow:
  datasource: shop
  fields:
    n: {type: integer, sensitivity: low, category: internal}
`;
    async function streaming(context: TestContext) {
      if (postgres.url === null) return context.skip(postgres.reason);
      const shop = await postgresShop(postgres.url, { sql: VIEW, registryText: REGISTRY });
      const w = await world(shop, ['id: all\naction: {allow: true}\n']);
      const query = { source_table: 'slow', columns: ['n'] };
      const ref = await askGrant(w.g, w.token, query);
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      onTestFinished(() => client.end());
      const busy = async () => {
        const { rows } = await client.query(
          `select count(distinct l.pid)::int as busy from pg_locks l
           join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = $1 and l.pid <> pg_backend_pid()`,
          [shop.config.schema],
        );
        return rows[0]?.busy ?? 0;
      };
      const gone = new AbortController();
      const answer = fetchAt(w, ref, gone.signal).catch(() => null);
      await vi.waitFor(async () => expect(await busy()).toBe(1), { timeout: 5_000 });
      const ended = () =>
        vi.waitFor(async () => expect([await busy(), w.own.running()]).toEqual([0, 0]), {
          timeout: 3_000,
        });
      return { w, ref, answer, gone, ended };
    }

    it('stops when its client goes away', async (context) => {
      const { gone, ended } = await streaming(context);
      gone.abort();
      await ended();
    });

    it('stops when the grant is revoked', async (context) => {
      const { w, ref, answer, ended } = await streaming(context);
      await w.g.call(w.token, 'POST', `/orgs/acme/grants/${ref}/revoke`, {});
      await ended();
      expect((await answer)?.status).toBe(410);
    });

    it('stops by itself when nothing is heard of the control plane', async (context) => {
      const { w, answer, ended } = await streaming(context);
      await delay(500);
      w.cut.isCut = true;
      const cutAt = performance.now();
      await ended();
      expect(performance.now() - cutAt).toBeLessThan(3_000);
      expect((await answer)?.status).toBe(503);
    });
  });
});
