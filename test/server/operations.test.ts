import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createServer } from '../../src/server/create-server.js';
import type { ServerOptions } from '../../src/server/server-context.js';
import { ask, askGrant, fetchRows } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = [
  'id: analysts_read\nmatch: {dataset: customers}\ncontext: {requester_role: analyst}\naction: {allow: true}\n',
  'id: orders_wait\nmatch: {dataset: orders}\naction: {require_approval: true, approver_role: finance, reason: Money}\n',
];
const CUSTOMERS = { source_table: 'customers', columns: ['id'] };

interface World {
  g: Governed;
  ana: string;
}

const world = shared<World>(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  await g.deploy(POLICIES);
  return { g, ana: await g.user({ email: 'ana@acme.test', roles: ['analyst'] }) };
});

/** Another listener over the same app, with other options; its log is kept. */
async function withServer<T>(
  more: Partial<ServerOptions>,
  use: (server: Awaited<ReturnType<typeof createServer>>, log: () => string) => Promise<T>,
): Promise<T> {
  const { app } = world().g;
  let log = '';
  const logStream = new Writable({
    write(chunk, _encoding, done) {
      log += chunk;
      done();
    },
  });
  const server = await createServer(app.context, {
    version: '0.0.0',
    logLevel: 'debug',
    requestsPerMinuteMax: 1_000_000,
    jwks: app.jwks,
    logStream,
    ...more,
  });
  try {
    return await use(server, () => log);
  } finally {
    await server.close();
  }
}

async function metric(text: string, line: string): Promise<number> {
  const found = text.split('\n').find((one) => one.startsWith(`${line} `));
  return Number(found?.split(' ').at(-1) ?? Number.NaN);
}

describe('/metrics', () => {
  it('counts decisions, grants, fetches and rows, and names routes by their patterns', async () => {
    const { g, ana } = world();
    const read = async () => (await g.server.inject('/metrics')).body;
    const before = await read();
    await ask(g, ana, { source_table: 'orders', columns: ['id'] });
    await ask(g, ana, { source_table: 'no such', columns: ['id'] });
    const ref = await askGrant(g, ana, CUSTOMERS);
    const { body } = await fetchRows(g, ana, ref);
    await fetchRows(g, ana, 'gr_made_up_by_a_requester');
    await g.server.inject('/made/up/by/a/requester');
    const after = await read();
    const grown = async (line: string) =>
      (await metric(after, line)) - (await metric(before, line));
    expect(await grown('vkit_decisions_total{outcome="granted"}')).toBe(1);
    expect(await grown('vkit_decisions_total{outcome="pending"}')).toBe(1);
    expect(await grown('vkit_decisions_total{outcome="denied"}')).toBe(1);
    expect(await grown('vkit_grants_total')).toBe(1);
    expect(await grown('vkit_fetches_total{outcome="executed"}')).toBe(1);
    expect(await grown('vkit_rows_total')).toBe(body.rows.length);
    expect(await grown('vkit_audit_head_seq')).toBeGreaterThan(3);
    expect(after).toContain('vkit_running_queries 0');
    expect(after).toContain('vkit_event_loop_lag_seconds{quantile="0.99"}');
    expect(after).toContain('vkit_datasource_connections{datasource="shop",state="max"} 4');
    expect(after).toContain(
      'vkit_http_request_duration_seconds_count{method="POST",route="/api/v1/orgs/:org/grants/:id/fetch",status="200"} 1',
    );
    expect(after).toContain('{method="none",route="none",status="404"}');
    expect(after).not.toContain('made_up');
    expect(after).not.toContain('/made/up');
  });

  it('wants its token where it has one, and takes gauges whose values come and go', async () => {
    let sinks = ['archive', 'siem'];
    const gauge = {
      name: 'vkit_audit_sink_lag_records',
      help: 'Records that a sink has not taken yet.',
      labels: ['sink'],
      collect: async () => sinks.map((sink) => ({ labels: { sink }, value: 3 })),
    };
    await withServer({ metricsToken: 'a token for metrics', gauges: [gauge] }, async (server) => {
      const get = (authorization?: string) =>
        server.inject({ url: '/metrics', headers: authorization ? { authorization } : {} });
      expect((await get()).statusCode).toBe(401);
      expect((await get('Bearer another')).statusCode).toBe(401);
      expect((await get('Bearer a token for metrics')).body).toContain('{sink="siem"} 3');
      sinks = ['archive'];
      const { body } = await get('Bearer a token for metrics');
      expect(body).toContain('{sink="archive"} 3');
      expect(body).not.toContain('siem');
    });
  });
});

describe('the log', () => {
  it('has one line for each request, with who, what, how it ended and how long it took', async () => {
    const { ana } = world();
    await withServer({ logLevel: 'info' }, async (server, log) => {
      const headers = { authorization: `Bearer ${ana}`, 'x-correlation-id': 'one-of-mine' };
      await server.inject({ url: '/api/v1/orgs/acme/requests?state=denied', headers });
      await server.inject('/health');
      const lines = log()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines).toEqual([
        {
          level: 'info',
          time: expect.stringMatching(/^\d{4}-.*Z$/),
          correlation_id: 'one-of-mine',
          method: 'GET',
          route: '/api/v1/orgs/:org/requests',
          status: 200,
          ms: expect.any(Number),
          requester: expect.stringMatching(/^usr_/),
          msg: 'request',
        },
      ]);
    });
  });

  it('holds no token, password, filter or row, whatever is sent', async () => {
    const { ana } = world();
    const SECRET = 'hunter2-zoe@example.com';
    await withServer({}, async (server, log) => {
      const aql = { ...CUSTOMERS, filters: [{ operator: 'eq', field: 'email', value: SECRET }] };
      const bodies = [
        { aql },
        { aql: { ...aql, filters: [{ operator: SECRET, field: SECRET, value: SECRET }] } },
        { aql: { source_table: SECRET, columns: [SECRET] } },
        { aql, [SECRET]: SECRET, purpose: SECRET, reason: SECRET, metadata: { ticket: SECRET } },
        { aql, role: SECRET, requester_clearance: SECRET },
        { request: { dataset: SECRET, filters: { email: SECRET } } },
        { email: SECRET, password: SECRET },
        `{"aql": "${SECRET}`,
        `"${SECRET}"`,
      ];
      const paths = [
        '/api/v1/orgs/acme/requests',
        '/api/v1/orgs/acme/intent/requests',
        '/api/v1/auth/login',
        `/api/v1/orgs/acme/grants/${SECRET}/fetch`,
        `/api/v1/orgs/${SECRET}/requests?token=${SECRET}`,
        `/${SECRET}?password=${SECRET}`,
        `/%zz${SECRET}`,
      ];
      const tokens = [ana, SECRET, `${ana}x`];
      for (const [turn, payload] of bodies.entries()) {
        for (const [place, url] of paths.entries()) {
          const token = tokens[(turn + place) % tokens.length];
          const headers = {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'user-agent': SECRET,
            cookie: SECRET,
            'idempotency-key': `${SECRET}${url}`.slice(0, 40),
          };
          await server.inject({ method: 'POST', url, headers, payload });
        }
      }
      const { authorization } = { authorization: `Bearer ${ana}` };
      await server.inject({
        url: `/api/v1/orgs/acme/audit?user=${SECRET}`,
        headers: { authorization },
      });
      expect(log().trim().split('\n').length).toBeGreaterThan(bodies.length * paths.length);
      for (const told of ['hunter2', 'zoe@', ana]) expect(log()).not.toContain(told);
    });
  });

  it('says of a failure inside where it was and not what was said', async () => {
    await withServer({}, async (server, log) => {
      server.get('/broken', () => {
        const cause = new Error('invalid input syntax for type integer: "zoe@example.com"');
        throw Object.assign(new SyntaxError('Unexpected token, "hunter2" is not JSON', { cause }), {
          detail: 'Key (email)=(zoe@example.com)',
        });
      });
      expect((await server.inject('/broken')).statusCode).toBe(500);
      expect(log()).toContain('"level":"error"');
      expect(log()).toContain('operations.test.ts');
      expect(log()).not.toMatch(/zoe@|hunter2/);
    });
  });
});

describe('limits and headers', () => {
  it('counts requests by requester, whichever token they use, and says when to come back', async () => {
    const { g, ana } = world();
    await withServer({ requestsPerMinuteMax: 3 }, async (server) => {
      const get = (token: string) =>
        server.inject({
          url: '/api/v1/orgs/acme/aql/datasets',
          headers: { authorization: `Bearer ${token}` },
        });
      for (let asked = 0; asked < 3; asked += 1) expect((await get(ana)).statusCode).toBe(200);
      const refused = await get(ana);
      expect(refused.statusCode).toBe(429);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(1);
      expect(JSON.parse(refused.body)).toMatchObject({ type: 'rate_limited' });
      // Another requester is none the poorer; guesses at tokens are all of one address.
      expect((await get(g.admin)).statusCode).toBe(200);
      const guesses = [];
      for (let guess = 0; guess < 4; guess += 1)
        guesses.push((await get(`vks_${guess}`)).statusCode);
      expect(guesses).toEqual([401, 401, 401, 429]);
    });
  });

  it('believes a proxy about an address only where it is trusted', async () => {
    const addressSeen = async (trustedProxies: string[]) =>
      withServer({ trustedProxies, requestsPerMinuteMax: 1 }, async (server) => {
        const get = (forwarded: string) =>
          server.inject({ url: '/up', headers: { 'x-forwarded-for': forwarded } });
        await get('203.0.113.7');
        return (await get('203.0.113.8')).statusCode === 200 ? 'forwarded' : 'own';
      });
    expect(await addressSeen([])).toBe('own');
    expect(await addressSeen(['127.0.0.1'])).toBe('forwarded');
    expect(await addressSeen(['10.0.0.0/8'])).toBe('own');
  });

  it('sends the headers that keep a browser from doing anything with an answer', async () => {
    const { headers } = await world().g.server.inject('/up');
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': expect.stringContaining('max-age='),
      'cache-control': 'no-store',
    });
    expect(headers['x-powered-by']).toBeUndefined();
  });
});
