import { expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { bundleChecksum } from '../../src/bundle/canonicalise.js';
import type { ExplainBody, Explanation } from '../../src/client/wire.js';
import { explainDecision } from '../../src/services/explain-decision.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = [
  `id: analysts_read
match: {dataset: customers}
context: {requester_role: analyst, requester_clearance: {gte: medium}}
action: {allow: true}
`,
  'id: pii_is_masked\nmatch: {fields: {category: pii}}\naction: {mask: true, mask_type: full}\n',
  `id: agents_not_from_the_eu
match: {dataset: customers}
context: {requester_role: ai_agent, requester_region: EU}
action: {deny: true, reason: "Not from there."}
`,
  `id: support_reads_orders
match: {dataset: orders}
context: {purpose: support}
action: {allow: true}
`,
];

const IDS = { dataset: 'customers', fields: ['id'] };
const ANALYST = { roles: ['analyst'], clearance: 'medium', region: 'US' };

interface World {
  g: Governed;
  policyAdmin: string;
}

const world = shared<World>(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  await g.deploy(POLICIES);
  const policyAdmin = await g.user({ email: 'pam@acme.test', roles: ['policy_admin'] });
  return { g, policyAdmin };
});

type Refused = { type: string; details: { problems: { pointer: string }[] } };

function explain<T = Explanation>(body: Partial<ExplainBody>, token = world().policyAdmin) {
  return world().g.call<T>(token, 'POST', '/orgs/acme/policy_bundles/explain', body);
}

async function explained(): Promise<AuditRecord[]> {
  const { g } = world();
  const path = '/orgs/acme/audit?action=policy.explained&order=asc&limit=500';
  return (await g.call<{ records: AuditRecord[] }>(g.admin, 'GET', path)).body.records;
}

it('explains for a requester who is described as the local command does, under the active bundle', async () => {
  const { context } = world().g.app;
  const active = await context.activeBundle(context.store);
  if (!active) throw new Error('One is active.');
  const query = { dataset: 'customers', fields: ['id', 'email'] };
  const { status, body } = await explain({ ...query, requester: ANALYST });
  const local = explainDecision({ active, from: 'bundle' }, ANALYST, query, world().g.clock.now);
  const { correlation_id: id, ...explanation } = body as Explanation & { correlation_id: string };
  expect([status, explanation]).toEqual([200, JSON.parse(JSON.stringify(local))]);
  expect(id).toBeTypeOf('string');
  expect(explanation.decision).toMatchObject({
    action: 'mask',
    policy_id: 'pii_is_masked',
    bundle_checksum: active.checksum,
  });
  const engineer = await explain({ ...IDS, requester: { ...ANALYST, roles: ['engineer'] } });
  expect(engineer.body.decision).toMatchObject({ action: 'deny', policy_id: null });
  expect(engineer.body.trace.find(({ near_miss }) => near_miss)?.policy_id).toBe('analysts_read');
});

it('knows what is unknown, the moment, a purpose that is only said, and an agent', async () => {
  const at = '2026-05-01T08:00:00.000Z';
  const early = await explain({ ...IDS, requester: ANALYST, at: '2026-05-01T10:00:00+02:00' });
  expect(early.body.at).toBe(at);
  const { clearance: _clearance, ...unknown } = ANALYST;
  expect((await explain({ ...IDS, requester: unknown })).body.decision.action).toBe('deny');
  const orders = { dataset: 'orders', fields: ['id'] };
  const support = { purpose: 'support' };
  expect((await explain({ ...orders, requester: support })).body.decision.action).toBe('allow');
  const said = { ...support, purpose_assigned: false };
  expect((await explain({ ...orders, requester: said })).body.decision.action).toBe('deny');
  const agent = { ...ANALYST, region: 'EU', agent: true };
  expect((await explain({ ...IDS, requester: agent })).body).toMatchObject({
    requester: { roles: expect.arrayContaining(['ai_agent']) },
    decision: { policy_id: 'agents_not_from_the_eu' },
  });
});

it('takes the attributes that an account has now, the person it acts for included', async () => {
  const { g } = world();
  await g.user({ email: 'ana@acme.test', ...ANALYST });
  const forAna = () => explain({ ...IDS, requester: { user: 'Ana@acme.test' } });
  expect((await forAna()).body).toMatchObject({
    requester: {
      ...ANALYST,
      purpose: null,
      account: { kind: 'user', name: 'ana@acme.test', on_behalf_of: null },
    },
    decision: { action: 'allow' },
  });
  const change = (body: object) => g.call(g.admin, 'PATCH', '/orgs/acme/users/ana@acme.test', body);
  await change({ clearance: 'low' });
  expect((await forAna()).body.decision.action).toBe('deny');
  await change({ clearance: 'high' });

  // The agent alone may read; with the person it acts for it may not.
  await g.user({ email: 'eve@acme.test', roles: ['engineer'] });
  const bot = { name: 'bot', ...ANALYST };
  const make = async (on_behalf_of?: string) =>
    (
      await g.call<{ id: string }>(g.admin, 'POST', '/orgs/acme/agent_tokens', {
        ...bot,
        ...(on_behalf_of ? { on_behalf_of } : {}),
      })
    ).body.id;
  const decided = async (user: string) => (await explain({ ...IDS, requester: { user } })).body;
  expect((await decided(await make())).decision.action).toBe('allow');
  expect((await decided(await make('ana@acme.test'))).decision.action).toBe('allow');
  const forEve = await make('eve@acme.test');
  expect(await decided(forEve)).toMatchObject({
    requester: { account: { id: forEve, kind: 'agent', on_behalf_of: 'eve@acme.test' } },
    decision: { action: 'deny' },
  });
  await g.call(g.admin, 'POST', '/orgs/acme/users/eve@acme.test/disable', {});
  const gone = await explain<Refused>({ ...IDS, requester: { user: forEve } });
  expect([gone.status, gone.body.type]).toEqual([404, 'not_found']);
  const secret = 'vka_something-that-could-be-a-token';
  const none = await explain<Refused>({ ...IDS, requester: { user: secret } });
  expect([none.status, JSON.stringify(none.body).includes(secret)]).toEqual([404, false]);
});

it('finds an agent by its name, and says which there are where several live ones have it', async () => {
  const { g } = world();
  const tokens = '/orgs/acme/agent_tokens';
  const make = async (body: object) =>
    (await g.call<{ id: string }>(g.admin, 'POST', tokens, { ...ANALYST, ...body })).body.id;
  const gone = await make({ name: 'report bot' });
  await g.call(g.admin, 'POST', `${tokens}/${gone}/revoke`, {});
  const decided = (user: string) => explain<Explanation & Refused>({ ...IDS, requester: { user } });
  expect((await decided('report bot')).status).toBe(404);
  const one = await make({ name: 'report bot' });
  expect((await decided('report bot')).body).toMatchObject({
    requester: { account: { id: one, kind: 'agent', name: 'report bot' } },
    decision: { action: 'allow' },
  });
  const two = await make({ name: 'report bot' });
  const { status, body } = await decided('report bot');
  expect([status, body.type]).toEqual([400, 'validation']);
  expect(body.details.problems).toEqual([
    {
      pointer: '/requester/user',
      code: 'ambiguous',
      message: expect.stringContaining('the name of 2 agents'),
    },
  ]);
  for (const id of [one, two]) expect(JSON.stringify(body)).toContain(id);
  expect(JSON.stringify(body)).not.toContain(gone);
  expect((await decided(two)).body.requester.account?.id).toBe(two);
});

it('is for those who may read the policies, and for nobody else, not about themselves either', async () => {
  const { g } = world();
  const status = async (roles: string[]) => {
    const email = `${roles.join('.')}.x@acme.test`;
    const token = await g.user({ email, roles });
    return (await explain({ ...IDS, requester: { user: email } }, token)).status;
  };
  expect(await status(['admin'])).toBe(200);
  expect(await status(['auditor'])).toBe(200);
  expect(await status(['analyst'])).toBe(403);
  expect(await status(['user_admin', 'datasource_admin'])).toBe(403);
  const agent = await g.agent({ name: 'asker', roles: ['admin'] });
  expect((await explain({ ...IDS, requester: ANALYST }, agent)).status).toBe(403);
});

it('records who asked for whom about what, and no value', async () => {
  const { g } = world();
  await g.user({ email: 'bea@acme.test', ...ANALYST });
  const before = (await explained()).length;
  const filters = [{ field: 'country', operator: 'eq', value: 'secret-value' }];
  const aql = { source_table: 'customers', columns: ['id'], filters };
  const answer = await explain({ aql, requester: { user: 'bea@acme.test', purpose: 'support' } });
  expect(answer.body.references.map(({ field }) => field)).toEqual([null, 'country', 'id']);
  await explain({ dataset: 'customers', fields: ['id', 'nothing'], requester: ANALYST });
  // Allowed, and cannot be run: that it is allowed was told.
  const sum = { source_table: 'customers', aggregates: [{ func: 'sum', field: 'country' }] };
  expect((await explain({ aql: sum, requester: ANALYST })).status).toBe(400);
  const records = (await explained()).slice(before);
  const bea = await g.app.context.store.users.byEmail('bea@acme.test');
  expect(records).toMatchObject([
    {
      requester: { email: 'pam@acme.test' },
      request: {
        dataset: 'customers',
        columns_requested: ['id'],
        purpose: 'support',
        aql_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      metadata: { explained_for: bea?.id, action: 'allow', policy_id: 'analysts_read' },
    },
    {
      request: { dataset: 'customers', columns_requested: ['id', 'nothing'] },
      metadata: { explained_for: 'described', roles: 'analyst', clearance: 'medium' },
    },
    { metadata: { explained_for: 'described', type: 'validation' } },
  ]);
  expect(JSON.stringify(records)).not.toContain('secret-value');
});

it('refuses a body that says a thing twice or not at all, with its pointer', async () => {
  const aql = { source_table: 'customers', columns: ['id'] };
  const pointers = async (body: Partial<ExplainBody>) => {
    const answer = await explain<Refused>(body);
    expect([answer.status, answer.body.type]).toEqual([400, 'validation']);
    return answer.body.details.problems.map(({ pointer }) => pointer);
  };
  expect(await pointers({ requester: ANALYST })).toEqual(['']);
  expect(await pointers({ aql, ...IDS, requester: ANALYST })).toEqual(['/dataset']);
  expect(await pointers({ aql, fields: ['id'], requester: ANALYST })).toEqual(['/fields']);
  expect(await pointers({ aql, requester: { user: 'x', ...ANALYST, agent: true } })).toEqual([
    '/requester/roles',
    '/requester/clearance',
    '/requester/region',
    '/requester/agent',
  ]);
  expect(await pointers({ aql, requester: { clearance: 'hihg' } })).toEqual([
    '/requester/clearance',
  ]);
  expect(await pointers({ aql, requester: ANALYST, at: '2026-13-01T00:00:00Z' })).toEqual(['/at']);
  expect(await pointers({ aql: { ...aql, limit: -1 }, requester: ANALYST })).toEqual([
    '/aql/limit',
  ]);
  expect(await pointers({ aql })).toEqual(['']);
});

it('answers that nothing decides where no bundle is served, and why', async () => {
  const g = await governed(await sqliteShop());
  const ask = async () => {
    const path = '/orgs/acme/policy_bundles/explain';
    return (await g.call(g.admin, 'POST', path, { ...IDS, requester: ANALYST })).body;
  };
  const nothing = { status: 'denied', type: 'no_active_bundle' };
  expect(await ask()).toMatchObject({
    ...nothing,
    reason: 'No policy bundle is active, so everything is denied.',
  });
  const unsealed = await g.compile(POLICIES);
  await g.deploy(POLICIES, () => {
    const expires_at = new Date(g.clock.now + 1_000).toISOString();
    const bundle = { ...unsealed, bundle: { ...unsealed.bundle, expires_at, sequence: 9 } };
    return { ...bundle, bundle: { ...bundle.bundle, checksum: bundleChecksum(bundle) } };
  });
  expect(await ask()).toMatchObject({ decision: { action: 'allow' } });
  g.clock.now += 1_000;
  expect(await ask()).toMatchObject({
    ...nothing,
    reason: expect.stringContaining('The active bundle v1 is not served'),
  });
});
