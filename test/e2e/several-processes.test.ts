import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { signBundle } from '../../src/bundle/sign-bundle.js';
import { freePort } from '../helpers/free-port.js';
import { compileGround, type Ground } from '../helpers/governed.js';
import { type HeldProxy, withHeldProxy } from '../helpers/held-proxy.js';
import { emptyState, findPostgres } from '../helpers/postgres.js';
import { jsonOf, runCli } from '../helpers/run-cli.js';
import { postgresShop, SHOP_REGISTRY } from '../helpers/shop.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { auditKeys } from './audit-keys.js';
import { type ServeProcess, startServe } from './serve-process.js';

const postgres = await findPostgres();
const PASSWORD = 'correct horse battery staple';
const MASTER_KEY = 'the master secret of both';
const EXECUTOR_TOKEN = 'a secret that executors and control planes share';

const TABLES = `create view slow as select n, pg_sleep(0.05)::text as waited from generate_series(1, 2000) n;`;
const REGISTRY = `${SHOP_REGISTRY}
slow:
  datasource: shop
  fields:
    n: {type: integer, sensitivity: low, category: internal}
`;

describe.skipIf(postgres.url === null)(
  `two control planes and two executors${postgres.reason ? `: ${postgres.reason}` : ''}`,
  () => {
    let w: World;
    beforeAll(async () => {
      w = await start(postgres.url ?? '');
    }, 120_000);

    it('know of each other’s requests, and run each other’s grants', async () => {
      const ref = await grant(w.a, w.agent);
      for (const control of [w.b, w.a]) {
        const { status, body } = await call(control, w.agent, `grants/${ref}/fetch`, {});
        expect([status, (body.rows as unknown[]).length]).toEqual([200, 4]);
      }
    });

    it('refuse within two seconds what the other one has taken away, and stop it where it runs', async () => {
      const ref = await grant(w.a, w.agent, { source_table: 'slow', columns: ['n'] });
      const rows = stream(w.b, w.agent, ref);
      await w.running(1);
      const revokedAt = performance.now();
      await call(w.a, w.admin, `grants/${ref}/revoke`, { reason: 'not any more' });
      await rows;
      expect(performance.now() - revokedAt).toBeLessThan(2_000);
      expect((await call(w.b, w.agent, `grants/${ref}/fetch`, {})).status).toBe(410);

      const made = await call(w.a, w.admin, 'agent_tokens', { name: 'short lived' });
      const { id, token } = made.body as { id: string; token: string };
      expect((await call(w.b, token, 'requests')).status).toBe(200);
      await call(w.a, w.admin, `agent_tokens/${id}/revoke`, {});
      await vi.waitFor(async () => expect((await call(w.b, token, 'requests')).status).toBe(401), {
        timeout: 2_000,
      });
    });

    it('go on without an executor that was killed while it streamed', async () => {
      const ref = await grant(w.a, w.agent, { source_table: 'slow', columns: ['n'] });
      const rows = [stream(w.a, w.agent, ref), stream(w.a, w.agent, ref)];
      await w.running(2);
      await w.executors[0]?.kill();
      // One of the two went to each of them.
      await Promise.race(rows);
      const small = await grant(w.a, w.agent);
      for (let turn = 0; turn < 3; turn += 1) {
        expect((await call(w.a, w.agent, `grants/${small}/fetch`, {})).status).toBe(200);
      }
      await call(w.a, w.admin, `grants/${ref}/revoke`, {});
      await Promise.all(rows);
    });

    it('that is cut off from the database refuses within its lease, and is back when it is not', async () => {
      const ref = await grant(w.b, w.agent, { source_table: 'slow', columns: ['n'] });
      const rows = stream(w.b, w.agent, ref);
      await w.running(1);
      const cutAt = performance.now();
      await w.line.stop();
      await rows;
      expect(performance.now() - cutAt).toBeLessThan(3_500);
      expect((await call(w.b, w.agent, `grants/${ref}/fetch`, {})).status).toBe(503);
      expect((await call(w.b, w.agent, 'requests')).status).toBe(503);
      expect((await call(w.a, w.agent, 'requests')).status).toBe(200);
      await w.line.start();
      await vi.waitFor(
        async () => expect((await call(w.b, w.agent, 'requests')).status).toBe(200),
        {
          timeout: 10_000,
        },
      );
    });

    it('end at once, and say why, with another master secret or for another organisation', async () => {
      const start = (env: object, org = 'acme') =>
        runCli(['serve', '--json', '--port', '0', '--org', org, '--data-dir', w.dataDir], {
          env: { DATABASE_URL: w.state, ...env },
        });
      const wrong = await Promise.all([
        start({ VKIT_MASTER_KEY: 'another master secret' }),
        start({ VKIT_MASTER_KEY: MASTER_KEY }, 'other'),
        start({}),
      ]);
      for (const result of wrong) {
        expect([result.code, jsonOf<{ error: object }>(result).error]).toMatchObject([
          2,
          { code: 'key_invalid', hint: expect.stringContaining('VKIT_MASTER_KEY') },
        ]);
      }
    });

    it('lose nothing that was acknowledged when one of them is killed', async () => {
      const acknowledged: string[] = [];
      let isOver = false;
      const client = async (control: ServeProcess) => {
        while (!isOver) {
          const made = await call(control, w.agent, 'requests', QUERY).catch(() => null);
          // Of the one that is gone, nobody asks any more.
          if (made === null) return;
          if (made.status === 200) acknowledged.push(made.body.request_id as string);
        }
      };
      const clients = [w.a, w.a, w.a, w.a, w.b, w.b, w.b, w.b].map(client);
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(40), { timeout: 20_000 });
      await w.b.kill();
      isOver = true;
      await Promise.all(clients);
      for (const id of acknowledged) {
        expect((await call(w.a, w.agent, `requests/${id}`)).status).toBe(200);
      }
      const log: AuditRecord[] = [];
      for (let cursor = '0'; ; ) {
        const page = await call(w.a, w.admin, `audit?order=asc&limit=500&cursor=${cursor}`);
        log.push(...(page.body.records as AuditRecord[]));
        if (!page.body.next_cursor) break;
        cursor = page.body.next_cursor as string;
      }
      const recorded = new Set(log.map(({ request }) => request?.request_id));
      expect(acknowledged.filter((id) => !recorded.has(id))).toEqual([]);
      expect(await verifyChain(log, { keys: await auditKeys(w.a.url) })).toMatchObject({
        ok: true,
      });
      w.a.child.kill('SIGTERM');
      expect((await w.a.exited).code).toBe(0);
    });
  },
);

interface World {
  a: ServeProcess;
  b: ServeProcess;
  executors: ServeProcess[];
  /** Between the second control plane and the database. */
  line: HeldProxy;
  admin: string;
  agent: string;
  state: string;
  dataDir: string;
  /** Resolves once as many queries are running in the database. */
  running(count: number): Promise<void>;
}

const QUERY = { aql: { source_table: 'customers', columns: ['id', 'country'] } };

type Body = Record<string, unknown>;

async function call(
  { url }: ServeProcess,
  token: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${url}/api/v1/orgs/acme/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(15_000),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

async function grant(
  control: ServeProcess,
  token: string,
  aql: object = QUERY.aql,
): Promise<string> {
  const { body } = await call(control, token, 'requests', { aql });
  expect(body.status).toBe('granted');
  return body.grant_ref as string;
}

/** Resolves when the answer has ended, however it has. */
async function stream({ url }: ServeProcess, token: string, ref: string): Promise<void> {
  await fetch(`${url}/api/v1/orgs/acme/grants/${ref}/fetch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' },
  })
    .then((response) => response.text())
    .catch(() => undefined);
}

async function logIn({ url }: ServeProcess): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@acme.test', password: PASSWORD }),
  });
  return ((await response.json()) as { token: string }).token;
}

/** Both control planes start at the same moment, over an empty database. */
async function start(server: string): Promise<World> {
  const ground: Ground = await postgresShop(
    server,
    { sql: TABLES, registryText: REGISTRY },
    afterAll,
  );
  const folder = await temporaryFolder(afterAll);
  const state = await emptyState(server);
  afterAll(state.discard);
  const publicKeyFile = join(folder, 'vkit_pub.pem');
  const keys = generateKeyPairSync('ed25519');
  await writeFile(publicKeyFile, keys.publicKey.export({ format: 'pem', type: 'spki' }));

  const { hostname, port } = new URL(server);
  const line = await new Promise<HeldProxy>((resolve) => {
    const held = withHeldProxy({ host: hostname, port: Number(port || 5432) }, (proxy) => {
      resolve(proxy);
      return new Promise<void>((end) => afterAll(async () => end()));
    });
    held.catch(() => undefined);
  });
  const over = new URL(state.url);
  over.port = String(line.port);

  const urls = [await freePort(), await freePort()].map((free) => `http://127.0.0.1:${free}`);
  const own = { cwd: folder, publicKeyFile, adminPassword: PASSWORD };
  const control = (name: string, databaseUrl: string) =>
    startServe({
      ...own,
      dataDir: join(folder, name),
      databaseUrl,
      args: ['--role', 'control'],
      env: {
        FUNL_URL: urls.join(','),
        VKIT_EXECUTOR_TOKEN: EXECUTOR_TOKEN,
        VKIT_MASTER_KEY: MASTER_KEY,
        VKIT_DS_SHOP_USERNAME: ground.variables.username ?? '',
        ...(ground.variables.password ? { VKIT_DS_SHOP_PASSWORD: ground.variables.password } : {}),
      },
    });
  const [a, b] = await Promise.all([control('a', state.url), control('b', over.href)]);

  const grantKeys = join(folder, 'grants.json');
  await writeFile(grantKeys, await (await fetch(`${a.url}/.well-known/jwks.json`)).text());
  const executors = await Promise.all(
    urls.map((url) =>
      startServe({
        ...own,
        dataDir: join(folder, 'none'),
        port: new URL(url).port,
        args: ['--role', 'executor'],
        env: {
          FUNL_URL: url,
          FUNL_PUBLIC_KEY: grantKeys,
          VKIT_API_URL: a.url,
          VKIT_EXECUTOR_TOKEN: EXECUTOR_TOKEN,
        },
      }),
    ),
  );
  for (const one of [a, b, ...executors]) afterAll(one.kill);

  const admin = await logIn(a);
  const policies = ['id: all\naction: {allow: true}\n'];
  const bundle = await compileGround(ground, policies, 1);
  const signed = await signBundle(bundle, keys.privateKey, keys.publicKey);
  expect(await call(a, admin, 'policy_bundles', { bundle: signed })).toMatchObject({ status: 201 });
  const made = await call(a, admin, 'agent_tokens', { name: 'reader' });
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  afterAll(() => client.end());
  const running = (count: number) =>
    vi.waitFor(
      async () => {
        const { rows } = await client.query(
          `select count(distinct l.pid)::int as busy from pg_locks l
           join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = $1 and c.relname = 'slow' and l.pid <> pg_backend_pid()`,
          [ground.config.schema],
        );
        expect(rows[0]?.busy).toBe(count);
      },
      { timeout: 10_000 },
    );
  return {
    a,
    b,
    executors,
    line,
    admin,
    agent: made.body.token as string,
    running,
    state: state.url,
    dataDir: join(folder, 'other'),
  };
}
