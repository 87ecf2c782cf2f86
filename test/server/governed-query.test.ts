import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { governed } from '../helpers/governed.js';
import { findMysql } from '../helpers/mysql.js';
import { mysqlShop, sqliteShop } from '../helpers/shop.js';

const MASK_FOR_AGENTS = `
id: mask_pii_for_agents
match: {fields: {category: pii}}
context: {requester_role: ai_agent}
action: {mask: true, mask_type: hash}
`;
const ALLOW_CUSTOMERS = `
id: allow_customers
match: {dataset: customers}
action: {allow: true}
`;
const FINANCIAL_APPROVAL = `
id: financial_needs_approval
match: {fields: {category: financial}}
context: {requester_role: engineer, environment: production}
action:
  require_approval: true
  approver_role: finance_manager
  approval_metadata_required: [incident_ticket]
  reason: Financial rows need a ticket and a second person
`;
const ALLOW_ORDERS = `
id: allow_orders
match: {dataset: orders}
action: {allow: true}
`;

const sha = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

describe('a governed query', () => {
  it('is asked of MySQL as of any other, and refused at once where MySQL lacks what it says', async (context) => {
    const { url, reason } = await findMysql();
    if (url === null) return context.skip(reason);
    const g = await governed(await mysqlShop(url));
    await g.deploy([MASK_FOR_AGENTS, ALLOW_CUSTOMERS, ALLOW_ORDERS]);
    const agent = await g.agent({ name: 'support bot', clearance: 'low', region: 'US' });
    const ask = (change: object) => {
      const aql = { source_table: 'customers', columns: ['user_id', 'email'], ...change };
      return g.call(agent, 'POST', '/orgs/acme/requests', { aql });
    };
    const largest = (value: string) => ({ operator: 'lt', field: 'purchase_amount', value });
    const asked = await ask({
      filters: [largest('9'.repeat(65))],
      order_by: { column: 'user_id' },
    });
    const { body } = await g.call(
      agent,
      'POST',
      `/orgs/acme/grants/${asked.body.grant_ref}/fetch`,
      {},
    );
    expect(body.rows).toEqual([
      { user_id: 11, email: sha('zoe@example.com') },
      { user_id: 12, email: sha('mia@example.com') },
      { user_id: 14, email: sha('ädele@example.com') },
    ]);
    const keys = { left_field: 'customers.id', right_field: 'orders.customer_id' };
    const refused = await ask({
      filters: [largest('9'.repeat(66))],
      joins: [{ type: 'FULL', table: 'orders', ...keys }],
    });
    expect(refused).toMatchObject({
      status: 400,
      body: {
        type: 'validation',
        details: {
          problems: [
            { pointer: '/aql/joins/0/type', code: 'unsupported_join' },
            { pointer: '/aql/filters/0/value', code: 'value' },
          ],
        },
      },
    });
  });

  it('gives an agent hashes of what is personal and the rest as it is', async () => {
    const g = await governed(await sqliteShop());
    expect((await g.deploy([MASK_FOR_AGENTS, ALLOW_CUSTOMERS])).status).toBe(201);
    const agent = await g.agent({ name: 'support bot', clearance: 'low', region: 'US' });
    const aql = { source_table: 'customers', columns: ['user_id', 'email', 'purchase_amount'] };
    const asked = await g.call(agent, 'POST', '/orgs/acme/requests', { aql });
    expect(asked).toMatchObject({
      status: 200,
      body: { status: 'granted', state: 'approved', masked_fields: ['email'] },
    });
    expect(asked.body.grant_ref).toBe(asked.body.grant_id);
    const { status, body } = await g.call(
      agent,
      'POST',
      `/orgs/acme/grants/${asked.body.grant_ref}/fetch`,
      {},
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      rows: [
        { user_id: 11, email: sha('zoe@example.com'), purchase_amount: 12.5 },
        { user_id: 12, email: sha('mia@example.com'), purchase_amount: 99 },
        { user_id: 13, email: null, purchase_amount: null },
        { user_id: 14, email: sha('ädele@example.com'), purchase_amount: 7.25 },
      ],
      meta: {
        masked_fields: ['email'],
        row_count: 4,
        truncated: false,
        columns: [
          { name: 'user_id', type: 'integer' },
          { name: 'email', type: 'text', masked: 'hash' },
          { name: 'purchase_amount', type: 'numeric' },
        ],
      },
    });
  });

  it('points at what the requester wrote, in either form', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([ALLOW_CUSTOMERS, ALLOW_ORDERS]);
    const agent = await g.agent({ name: 'support bot', clearance: 'low', region: 'US' });
    const pointers = async (path: string, body: object) => {
      const answer = await g.call<{ details: { problems: { pointer: string }[] } }>(
        agent,
        'POST',
        `/orgs/acme/${path}`,
        body,
      );
      expect(answer.status).toBe(400);
      return answer.body.details.problems.map(({ pointer }) => pointer);
    };
    const groups = {
      source_table: 'orders',
      aggregates: [{ func: 'count', field: '*' }],
    };
    const byId = { column: 'id' };
    expect(await pointers('requests', { aql: { ...groups, order_by: byId } })).toEqual([
      '/aql/order_by',
    ]);
    expect(await pointers('requests', { aql: { ...groups, order_by: [byId] } })).toEqual([
      '/aql/order_by/0',
    ]);
    const filters = [{ operator: 'eq', field: 'user_id', value: 'x' }];
    const request = { dataset: 'customers', fields: ['user_id', 'user_id'], filters };
    expect(await pointers('intent/requests', { request })).toEqual(
      expect.arrayContaining(['/request/fields/1', '/request/filters/0/value']),
    );
  });

  it('waits for a second person where money is asked for, and asks for the ticket first', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([FINANCIAL_APPROVAL, ALLOW_ORDERS]);
    const engineer = await g.user({
      email: 'eve@acme.test',
      roles: ['engineer', 'finance_manager'],
    });
    const manager = await g.user({ email: 'max@acme.test', roles: ['finance_manager'] });
    const aql = { source_table: 'orders', columns: ['id', 'amount'], order_by: { column: 'id' } };
    const without = await g.call(engineer, 'POST', '/orgs/acme/requests', { aql });
    expect(without).toMatchObject({
      status: 400,
      body: { type: 'metadata_required', details: { keys: ['incident_ticket'] } },
    });
    const asked = await g.call(engineer, 'POST', '/orgs/acme/requests', {
      aql,
      metadata: { incident_ticket: 'INC-7' },
    });
    expect(asked).toMatchObject({
      status: 200,
      body: { status: 'pending_approval', approver_role: 'finance_manager' },
    });
    const id = asked.body.request_id as string;
    const own = await g.call(engineer, 'POST', `/orgs/acme/approvals/${id}/approve`, {});
    expect(own).toMatchObject({ status: 403, body: { type: 'forbidden' } });
    const list = await g.call<{ approvals: { id: string }[] }>(
      manager,
      'GET',
      '/orgs/acme/approvals',
    );
    expect(list.body.approvals.map((item) => item.id)).toEqual([id]);
    const approved = await g.call(manager, 'POST', `/orgs/acme/approvals/${id}/approve`, {
      notes: 'checked',
      ttl_seconds: 60,
    });
    expect(approved).toMatchObject({ status: 200, body: { status: 'granted', state: 'approved' } });
    const again = await g.call(manager, 'POST', `/orgs/acme/approvals/${id}/approve`, {});
    expect(again).toMatchObject({ status: 409, body: { type: 'already_decided' } });
    const polled = await g.call(engineer, 'GET', `/orgs/acme/requests/${id}`);
    const fetched = await g.call<{ rows: unknown[] }>(
      engineer,
      'POST',
      `/orgs/acme/grants/${polled.body.grant_ref}/fetch`,
      {},
    );
    expect(fetched.body.rows).toEqual([
      { id: 100, amount: 12.5 },
      { id: 101, amount: 30 },
      { id: 102, amount: 99 },
    ]);
    g.clock.now += 61_000;
    const late = await g.call(
      engineer,
      'POST',
      `/orgs/acme/grants/${polled.body.grant_ref}/fetch`,
      {},
    );
    expect(late).toMatchObject({ status: 410, body: { type: 'grant_expired' } });
  });

  it.each([
    [
      'a field outside the registry',
      { source_table: 'customers', columns: ['rowid'] },
      'unknown_field',
    ],
    ['a dataset that nobody knows', { source_table: 'secrets', columns: ['id'] }, 'unknown_field'],
    ['a dataset no policy opens', { source_table: 'orders', columns: ['id'] }, 'unknown_field'],
    [
      'a field that a policy denies',
      { source_table: 'customers', columns: ['ssn'] },
      'policy_denied',
    ],
    [
      'a denied field in a filter',
      {
        source_table: 'customers',
        columns: ['id'],
        filters: [{ operator: 'eq', field: 'ssn', value: '078-05-1120' }],
      },
      'policy_denied',
    ],
  ])('denies %s', async (_name, aql, type) => {
    const g = await governed(await sqliteShop());
    const denySsn =
      'id: deny_ssn\nmatch: {fields: {any: [ssn]}}\naction: {deny: true, reason: Never}\n';
    await g.deploy([ALLOW_CUSTOMERS, denySsn]);
    const user = await g.user({ email: 'ann@acme.test', roles: ['analyst'] });
    const answer = await g.call(user, 'POST', '/orgs/acme/requests', { aql });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'denied', state: 'denied', type },
    });
    expect(answer.body).not.toHaveProperty('grant_ref');
  });

  it('denies count(*) of a dataset that a policy denies', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([
      ALLOW_CUSTOMERS,
      'id: no_customers\nmatch: {dataset: customers}\naction: {deny: true, reason: Closed}\n',
    ]);
    const user = await g.user({ email: 'ann@acme.test', roles: ['analyst'] });
    const aql = { source_table: 'customers', aggregates: [{ func: 'count', field: '*' }] };
    const { body } = await g.call(user, 'POST', '/orgs/acme/requests', { aql });
    expect(body).toMatchObject({
      status: 'denied',
      type: 'policy_denied',
      policy_id: 'no_customers',
      reason: 'Closed',
    });
  });

  it('denies everything without a bundle, and everything without a policy', async () => {
    const g = await governed(await sqliteShop());
    const user = await g.user({ email: 'ann@acme.test', roles: ['admin'], clearance: 'admin' });
    const aql = { source_table: 'customers', columns: ['id'] };
    const none = await g.call(user, 'POST', '/orgs/acme/requests', { aql });
    expect(none).toMatchObject({
      status: 200,
      body: { status: 'denied', type: 'no_active_bundle' },
    });
    await g.deploy([]);
    const empty = await g.call(user, 'POST', '/orgs/acme/requests', { aql });
    expect(empty).toMatchObject({ status: 200, body: { status: 'denied', type: 'unknown_field' } });
  });

  it('does not let an unknown region pass a deny on regions, nor one role escape the deny of another', async () => {
    const g = await governed(await sqliteShop());
    const regions = `
id: same_region
context: {requester_region: {neq: $dataset_region}}
action: {deny: true, reason: Another region}
`;
    const contractors =
      'id: no_contractors\ncontext: {requester_role: contractor}\naction: {deny: true, reason: No}\n';
    await g.deploy([ALLOW_CUSTOMERS, regions, contractors]);
    const aql = { source_table: 'customers', columns: ['id'] };
    const nowhere = await g.user({ email: 'no@acme.test', roles: ['analyst'] });
    expect((await g.call(nowhere, 'POST', '/orgs/acme/requests', { aql })).body).toMatchObject({
      status: 'denied',
      policy_id: 'same_region',
    });
    const both = await g.user({
      email: 'two@acme.test',
      roles: ['analyst', 'contractor'],
      region: 'US',
    });
    const escaping = await g.call(both, 'POST', '/orgs/acme/requests', { aql, role: 'analyst' });
    expect(escaping.body).toMatchObject({ status: 'denied', policy_id: 'no_contractors' });
    const here = await g.user({ email: 'us@acme.test', roles: ['analyst'], region: 'US' });
    expect((await g.call(here, 'POST', '/orgs/acme/requests', { aql })).body).toMatchObject({
      status: 'granted',
    });
  });

  it.each([
    ['a clearance above one’s own', { requester_clearance: 'high' }, 'requester_clearance'],
    ['a role that is not held', { role: 'dba' }, 'role'],
    ['another region', { requester_region: 'EU' }, 'requester_region'],
    ['another environment', { environment: 'staging' }, 'environment'],
  ])('refuses %s, and records the attempt', async (_name, named, attribute) => {
    const g = await governed(await sqliteShop());
    await g.deploy([ALLOW_CUSTOMERS]);
    const user = await g.user({
      email: 'ann@acme.test',
      roles: ['analyst'],
      clearance: 'medium',
      region: 'US',
    });
    const aql = { source_table: 'customers', columns: ['id'] };
    const answer = await g.call(user, 'POST', '/orgs/acme/requests', { aql, ...named });
    expect(answer).toMatchObject({
      status: 403,
      body: { type: 'attribute_not_held', details: { attribute } },
    });
    const audit = await g.call<{ records: { event: string; metadata: object }[] }>(
      g.admin,
      'GET',
      '/orgs/acme/audit?action=request.refused',
    );
    expect(audit.body.records[0]).toMatchObject({
      event: 'request.refused',
      metadata: { attribute },
    });
  });

  it('ends a grant when another bundle becomes active, and does not revive it by a rollback', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([ALLOW_CUSTOMERS]);
    const user = await g.user({ email: 'ann@acme.test', roles: ['analyst'] });
    const aql = { source_table: 'customers', columns: ['id'] };
    const { body } = await g.call(user, 'POST', '/orgs/acme/requests', { aql });
    const fetchIt = () => g.call(user, 'POST', `/orgs/acme/grants/${body.grant_ref}/fetch`, {});
    expect((await fetchIt()).status).toBe(200);
    await g.deploy([ALLOW_CUSTOMERS, MASK_FOR_AGENTS]);
    expect(await fetchIt()).toMatchObject({ status: 410, body: { type: 'bundle_superseded' } });
    const back = await g.call(g.admin, 'POST', '/orgs/acme/policy_bundles/v1/rollback', {
      reason: 'a test',
    });
    expect(back).toMatchObject({ status: 200, body: { version: 'v1', state: 'active' } });
    expect(await fetchIt()).toMatchObject({ status: 410, body: { type: 'bundle_superseded' } });
  });

  it('keeps a chained record of all of it, written before the rows left', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([ALLOW_CUSTOMERS]);
    const user = await g.user({ email: 'ann@acme.test', roles: ['analyst'] });
    const { body } = await g.call(user, 'POST', '/orgs/acme/requests', {
      aql: {
        source_table: 'customers',
        columns: ['id'],
        filters: [{ operator: 'eq', field: 'country', value: 'needle' }],
      },
    });
    await g.call(user, 'POST', `/orgs/acme/grants/${body.grant_ref}/fetch`, {});
    const audit = await g.call<{
      records: { event: string; seq: number; of?: string; audit_id: string }[];
    }>(g.admin, 'GET', `/orgs/acme/audit?order=asc&request=${body.request_id}`);
    const { records } = audit.body;
    expect(records.map(({ event }) => event)).toEqual([
      'request.granted',
      'grant.issued',
      'query.started',
      'query.executed',
    ]);
    expect(records[3]?.of).toBe(records[2]?.audit_id);
    expect(JSON.stringify(audit.body)).not.toContain('needle');
  });
});

describe('what a requester may not know of', () => {
  const ONLY_CLEARED =
    'id: cleared_only\nmatch: {dataset: customers}\ncontext: {requester_clearance: {gte: low}}\naction: {allow: true}\n';
  const MASK_PII =
    'id: mask_pii\nmatch: {fields: {any: [email]}}\naction: {mask: true, mask_type: full}\n';
  const DENY_SSN =
    'id: deny_ssn\nmatch: {fields: {any: [ssn]}}\naction: {deny: true, reason: No}\n';
  const NO_ORDERS = 'id: no_orders\nmatch: {dataset: orders}\naction: {deny: true, reason: No}\n';

  it('is answered like what there is not, with or without a datasource named', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([ONLY_CLEARED]);
    const user = await g.user({ email: 'nor@acme.test', roles: ['analyst'] });
    for (const datasource of [undefined, 'shop', 'elsewhere']) {
      const answers = [];
      for (const source_table of ['customers', 'nosuch']) {
        const aql = { source_table, columns: ['id'] };
        const { status, body } = await g.call(user, 'POST', '/orgs/acme/requests', {
          aql,
          ...(datasource === undefined ? {} : { datasource }),
        });
        const polled = await g.call(user, 'GET', `/orgs/acme/requests/${body.request_id}`);
        answers.push(
          [status, body, polled.body].map((part) =>
            JSON.stringify(part)
              .replaceAll(source_table, 'X')
              .replace(/req_[a-z2-7]{26}/g, 'R')
              .replace(/"correlation_id":"[^"]*"/g, ''),
          ),
        );
      }
      expect(answers[0]).toEqual(answers[1]);
    }
  });

  it('is not listed by the schema, nor by what a denial names', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([MASK_PII, DENY_SSN, NO_ORDERS]);
    const user = await g.user({ email: 'nor@acme.test', roles: ['analyst'] });
    const schema = await g.call<{ fields: { name: string; visibility: string }[] }>(
      user,
      'GET',
      '/orgs/acme/aql/datasets/customers/schema',
    );
    expect(
      schema.body.fields.map(({ name, visibility }) => `${name} ${visibility}`).sort(),
    ).toEqual(['email allow', 'ssn deny']);
    const { body } = await g.call(user, 'POST', '/orgs/acme/requests', {
      aql: {
        source_table: 'customers',
        columns: ['email', 'user_id'],
        joins: [
          {
            type: 'INNER',
            table: 'orders',
            left_field: 'customers.id',
            right_field: 'orders.customer_id',
          },
        ],
      },
    });
    expect(body).toMatchObject({
      status: 'denied',
      policy_id: 'no_orders',
      denied_fields: ['orders', 'orders.customer_id'],
    });
  });

  it('does not swallow what is malformed: a dataset joined to itself needs an alias', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([ALLOW_CUSTOMERS]);
    const user = await g.user({ email: 'ann@acme.test', roles: ['analyst'] });
    const answer = await g.call(user, 'POST', '/orgs/acme/requests', {
      aql: {
        source_table: 'customers',
        columns: ['user_id'],
        joins: [
          {
            type: 'LEFT',
            table: 'customers',
            left_field: 'customers.id',
            right_field: 'customers.id',
          },
        ],
      },
    });
    expect(answer).toMatchObject({ status: 400, body: { type: 'validation' } });
  });

  it('refuses a clearance that the active bundle does not know', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy([ALLOW_CUSTOMERS]);
    const wrong = await g.call(g.admin, 'POST', '/orgs/acme/agent_tokens', {
      name: 'bot',
      clearance: 'hgh',
    });
    expect(wrong).toMatchObject({ status: 400, body: { hint: 'Did you mean "high"?' } });
  });
});
