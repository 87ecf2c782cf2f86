import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { almostAql } from '../aql/arbitrary-aql.js';
import { ask, askGrant, askPending } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';
import { anyJson, broken, type JsonSchema, valueFor } from './json-schema-values.js';

/** Printed with a failure; the same seed makes the same bodies. */
const SEED = Number(process.env.VKIT_FUZZ_SEED ?? 20260302);
const PER_ROUTE = Number(process.env.VKIT_FUZZ_RUNS ?? 25);
/** Passwords are hashed slowly on purpose. */
const PER_SLOW_ROUTE = 4;
const SLOW = ['/auth/login', '/users', '/password', '/datasources'];
const ANSWER_MS_MAX = 5_000;

const POLICIES = [
  'id: allow_customers\nmatch: {dataset: customers}\naction: {allow: true}\n',
  `
id: amounts_wait
match: {fields: {any: [amount]}}
action:
  require_approval: true
  approver_role: finance
  approval_metadata_required: [ticket]
  reason: Money
`,
];

interface World {
  g: Governed;
  /** What stands for `{id}`, by the collection it belongs to. */
  ids: Record<string, string>;
  token: string;
  leaver: string;
  /** The routes that were called, as the OpenAPI document names them. */
  called: Set<string>;
}

const world = shared<World>(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  await g.deploy(POLICIES);
  // Administrator and approver in one, so that bodies get as far as they can.
  const token = await g.user({ email: 'fuzz@acme.test', roles: ['admin', 'finance', 'analyst'] });
  const asker = await g.user({ email: 'asker@acme.test' });
  await g.user({ email: 'victim@acme.test' });
  const ids = {
    users: 'victim@acme.test',
    agent_tokens: 'agt_none',
    sessions: 'ses_none',
    policy_bundles: 'v99',
    datasources: 'shop',
    requests: (await ask(g, token, { source_table: 'customers', columns: ['id'] })).body.request_id,
    approvals: await askPending(
      g,
      asker,
      { source_table: 'orders', columns: ['amount'] },
      { metadata: { ticket: 'T-1' } },
    ),
    grants: await askGrant(g, token, { source_table: 'customers', columns: ['id'] }),
  };
  return { g, ids, token, leaver: await g.user({ email: 'leaver@acme.test' }), called: new Set() };
});

interface Route {
  /** As the OpenAPI document names it. */
  name: string;
  method: string;
  path: string;
  body?: JsonSchema;
}

function routesOf({ g, ids }: World): Route[] {
  const { paths = {} } = g.server.swagger() as {
    paths?: Record<string, Record<string, { requestBody?: { content: Content } }>>;
  };
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => {
      const collection = template.split('/')[5] ?? '';
      const id = collection === 'aql' ? 'customers' : (ids[collection] ?? 'none');
      const path = template.replace('{org}', 'acme').replace('{id}', encodeURIComponent(id));
      const body = requestBody?.content['application/json']?.schema;
      const name = `${method.toUpperCase()} ${template}`;
      return { name, method: method.toUpperCase(), path, ...(body ? { body } : {}) };
    }),
  );
}

type Content = Record<string, { schema: JsonSchema }>;

interface Call {
  method: string;
  url: string;
  payload?: string | Buffer;
  headers?: Record<string, string>;
}

/** What a refused input says beside its sentence. */
const SAYS_WHAT = {
  details: {
    problems: expect.arrayContaining([
      { pointer: expect.any(String), code: expect.any(String), message: expect.any(String) },
    ]),
  },
};

async function expectAnswer({ g, token }: World, call: Call): Promise<number> {
  const shown = JSON.stringify({ ...call, payload: call.payload?.toString().slice(0, 500) });
  const started = performance.now();
  const response = await g.server.inject({
    method: call.method as 'POST',
    url: call.url,
    headers: {
      authorization: `Bearer ${token}`,
      ...(call.payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    },
    ...(call.payload === undefined ? {} : { payload: call.payload }),
  });
  const taken = performance.now() - started;
  const seen = `${response.statusCode} ${response.body.slice(0, 300)} to ${shown} (seed ${SEED})`;
  expect(response.statusCode, seen).toBeLessThan(500);
  expect(taken, seen).toBeLessThan(ANSWER_MS_MAX);
  if (response.statusCode >= 400) {
    const body = JSON.parse(response.body) as object;
    expect(body, seen).toMatchObject({
      error: expect.any(String),
      type: expect.any(String),
      correlation_id: response.headers['x-correlation-id'],
      ...(response.statusCode === 400 ? SAYS_WHAT : {}),
    });
  }
  return response.statusCode;
}

const aql = fc.oneof({ weight: 4, arbitrary: almostAql }, { weight: 1, arbitrary: anyJson });

it('answers bodies of every shape with 2xx or 4xx, and the log of it all verifies', async () => {
  const w = world();
  await w.g.server.ready();
  const statuses = new Map<number, number>();
  for (const { name, method, path, body } of routesOf(w)) {
    if (!body) continue;
    w.called.add(name);
    const slow = SLOW.some((end) => path.endsWith(end));
    const bodies = fc.sample(valueFor(body, aql).chain(broken), {
      seed: SEED,
      numRuns: slow ? PER_SLOW_ROUTE : PER_ROUTE,
    });
    for (const payload of bodies) {
      // Who logs out with a good body is out.
      const token = path.endsWith('/logout') ? w.leaver : w.token;
      const headers = { authorization: `Bearer ${token}` };
      const status = await expectAnswer(w, { method, url: path, payload, headers });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  }
  // The bodies are of use only while some of them are good.
  expect(statuses.get(200)).toBeGreaterThan(10);
  expect(statuses.get(400)).toBeGreaterThan(100);
  await expectChain(w);
}, 60_000);

it('answers paths and queries of every shape with 2xx or 4xx', async () => {
  const w = world();
  await w.g.server.ready();
  const odd = [
    '%00',
    '%ff',
    '%zz',
    '%F0%9F%92%A3',
    '..%2f..',
    'x'.repeat(200),
    '"',
    'v0',
    '__proto__',
  ];
  const queries = [
    ...['limit=0', 'limit=abc', 'limit=999', 'limit=1&limit=2', 'limit[]=1', 'surprise=1'],
    ...[
      'cursor=9999999999999999',
      'cursor=999999999999999',
      'cursor=-1',
      'state=none',
      'state=all',
    ],
    ...[
      'since=never',
      'since=%2B275760-09-13T00:00:00Z',
      'until=0000-01-01',
      'order=up',
      'order=asc',
    ],
    ...['user=%00', 'user=%ED%A0%80', 'user=a%40b', 'action=%25', 'dataset=__proto__', 'request=x'],
    ...[
      'environment=staging',
      'requester_region=EU',
      'dataset_region=%20',
      '__proto__=1',
      '&&&=',
      '%',
    ],
  ];
  for (const { name, method, path } of routesOf(w).filter((route) => !route.body)) {
    w.called.add(name);
    for (const query of queries) await expectAnswer(w, { method, url: `${path}?${query}` });
  }
  for (const collection of Object.keys(w.ids)) {
    for (const id of odd) {
      const url = `/api/v1/orgs/acme/${collection}/${id}`;
      await expectAnswer(w, { method: 'GET', url });
      await expectAnswer(w, { method: 'POST', url: `${url}/revoke`, payload: '{"reason":"x"}' });
      await expectAnswer(w, { method: 'POST', url: `${url}/cancel`, payload: '{}' });
    }
  }
  for (const org of ['other', '%00', 'x'.repeat(300), '..']) {
    await expectAnswer(w, { method: 'GET', url: `/api/v1/orgs/${org}/requests` });
  }
}, 60_000);

it('has called every route of the OpenAPI document', async () => {
  const w = world();
  expect([...w.called].sort()).toEqual(
    routesOf(w)
      .map(({ name }) => name)
      .sort(),
  );
  expect(w.called.size).toBeGreaterThan(40);
});

it('answers bodies that are no JSON, and headers that are no use, with 4xx', async () => {
  const w = world();
  const url = '/api/v1/orgs/acme/requests';
  const good = '{"aql":{"source_table":"customers","columns":["id"]}}';
  const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    expectAnswer(w, { method: 'POST', url, payload, headers });
  expect(await post(good)).toBe(200);
  const refused = [
    await post(''),
    await post('null'),
    await post('[]'),
    await post('"x"'),
    await post(good.slice(0, -1)),
    await post(Buffer.from([0xff, 0xfe, 0x00])),
    await post(`{"aql":${good},"purpose":"${'x'.repeat(300_000)}"}`),
    await post(good, { 'content-type': 'text/plain' }),
    await post(good, { 'content-type': 'application/xml' }),
    await post(good, { 'content-type': 'multipart/form-data; boundary=x' }),
    await post(good, { 'content-type': '' }),
    await post(good, { authorization: 'Basic eDp4' }),
    await post(good, { authorization: `Bearer ${'x'.repeat(5_000)}` }),
    await post(good, { authorization: 'Bearer é' }),
    await post(good, { 'idempotency-key': 'x'.repeat(256) }),
  ];
  for (const status of refused) expect(status).toBeGreaterThanOrEqual(400);
  expect(await post(good, { 'x-correlation-id': '\u00e9 "; drop' })).toBe(200);
  expect(await post(good, { 'user-agent': '\u00ff'.repeat(500) })).toBe(200);
  await expectChain(w);
});

it.each([
  ['{"aql":', 'json', ''],
  ['{"aql":{"limit":NaN}}', 'json', ''],
  ['{"aql":{"__proto__":{"limit":1}}}', 'unknown_key', ''],
  ['{"aql":{"constructor":{"prototype":{}}}}', 'unknown_key', ''],
  ['{"aql":{"constructor":1}}', 'unknown_key', '/aql/constructor'],
])('says what is wrong with %s', async (payload, code, pointer) => {
  const { g, token } = world();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const url = '/api/v1/orgs/acme/requests';
  const answer = await g.server.inject({ method: 'POST', url, headers, payload });
  expect([answer.statusCode, JSON.parse(answer.body).details.problems]).toEqual([
    400,
    expect.arrayContaining([expect.objectContaining({ code, pointer })]),
  ]);
});

it.each([
  ['a value that is no text', { ticket: 5 }],
  ['a key that is no name', { 'no name': 'x' }],
  ['an object under a key that is no name', { '1': { a: 1 } }],
])('refuses metadata with %s', async (_what, metadata) => {
  const { g, token } = world();
  const answer = await g.call(token, 'POST', '/orgs/acme/requests', {
    aql: { source_table: 'customers', columns: ['id'] },
    metadata,
  });
  expect(answer).toMatchObject({ status: 400, body: { type: 'validation' } });
});

it('refuses text that no signature or database could keep, wherever it is, and says where', async () => {
  const w = world();
  const { g, token } = w;
  const aql = { source_table: 'customers', columns: ['id'] };
  const cases: [path: string, body: object, pointer: string][] = [];
  for (const bad of ['x\ud800y', '\udfff', 'a\0b']) {
    cases.push(
      ['/requests', { aql, purpose: bad }, '/purpose'],
      ['/requests', { aql, reason: bad }, '/reason'],
      ['/requests', { aql, metadata: { ticket: bad } }, '/metadata/ticket'],
      ['/requests', { aql, metadata: { [bad]: 'x' } }, '/metadata'],
      ['/requests', { aql: { ...aql, source_table: bad } }, '/aql/source_table'],
      ['/agent_tokens', { name: bad }, '/name'],
      ['/users', { email: `a${bad}@x.test`, password: 'long enough to be one' }, '/email'],
      [`/approvals/${w.ids.approvals}/approve`, { notes: bad }, '/notes'],
      [`/approvals/${w.ids.approvals}/deny`, { reason: bad }, '/reason'],
      ['/datasources', { id: 'x', engine: 'postgres', password: bad }, '/password'],
      ['/policy_bundles', { bundle: { deep: [{ er: bad }] } }, '/bundle/deep/0/er'],
    );
  }
  for (const [path, body, pointer] of cases) {
    const answer = await g.call(token, 'POST', `/orgs/acme${path}`, body);
    expect(answer).toMatchObject({
      status: 400,
      body: { type: 'validation', details: { problems: [{ pointer, code: 'text' }] } },
    });
  }
  // Whole pairs are text like any other.
  const whole = await g.call(token, 'POST', '/orgs/acme/requests', { aql, purpose: 'a 💣' });
  expect(whole.status).toBe(200);
});

async function expectChain({ g }: World): Promise<void> {
  const log: AuditRecord[] = [];
  for (;;) {
    const filter = { order: 'asc', limit: 500, afterSeq: log.length } as const;
    const page = await g.app.context.store.audit.list(filter);
    if (page.length === 0) break;
    log.push(...page);
  }
  const { kid, publicKey } = g.app.context.keys.audit;
  const verdict = await verifyChain(log, { keys: new Map([[kid, publicKey]]) });
  expect(verdict).toMatchObject({ ok: true, count: log.length });
}
