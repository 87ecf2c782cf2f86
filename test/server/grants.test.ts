import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it } from 'vitest';
import { openApp } from '../../src/app.js';
import { createServer } from '../../src/server/create-server.js';
import { loadIdentity } from '../../src/services/control/identity.js';
import { judge } from '../../src/services/control/judge.js';
import { approve, ask, askGrant, askPending, fetchRows } from '../helpers/ask.js';
import { type Account, type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = [
  'id: allow_customers\nmatch: {dataset: customers}\naction: {allow: true}\n',
  `
id: mask_contacts_below_high
match: {fields: {any: [email]}}
context: {requester_clearance: {lt: high}}
action: {mask: true, mask_type: hash}
`,
  `
id: allow_orders_to_analysts
match: {dataset: orders}
context: {requester_role: analyst}
action: {allow: true}
`,
  `
id: no_cards_for_contractors
match: {fields: {any: [card, country]}}
context: {requester_role: contractor}
action: {deny: true, reason: Not for contractors}
`,
  `
id: ssn_needs_security
match: {fields: {any: [ssn]}}
action: {require_approval: true, approver_role: security, reason: Ask security}
`,
];
const IDS = { source_table: 'customers', columns: ['id'] };
const EMAILS = { source_table: 'customers', columns: ['id', 'email'], limit: 1 };
const AMOUNTS = { source_table: 'orders', columns: ['id', 'amount'] };
const SSNS = { source_table: 'customers', columns: ['id', 'ssn'], limit: 1 };
const sha = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

const world = shared(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  expect((await g.deploy(POLICIES)).status).toBe(201);
  return g;
});

let people = 0;

/** A person of this test alone, with the address to change them by. */
async function person(
  g: Governed,
  account: Omit<Account, 'email'> = {},
): Promise<{ token: string; email: string }> {
  people += 1;
  const email = `person${people}@acme.test`;
  return { email, token: await g.user({ clearance: 'high', ...account, email }) };
}

async function change(g: Governed, email: string, attributes: object): Promise<void> {
  const path = `/orgs/acme/users/${encodeURIComponent(email)}`;
  expect((await g.call(g.admin, 'PATCH', path, attributes)).status).toBe(200);
}

async function agentTokenId(g: Governed, name: string): Promise<string> {
  const list = await g.call<{ agent_tokens: { id: string; name: string }[] }>(
    g.admin,
    'GET',
    '/orgs/acme/agent_tokens',
  );
  return list.body.agent_tokens.find((token) => token.name === name)?.id ?? '';
}

const refused = (status: number, type: string) => ({ status, body: { type } });

describe('a grant', () => {
  it('is refused once it was revoked, by whom it belongs to or by a policy administrator', async () => {
    const g = world();
    for (const by of ['holder', 'administrator']) {
      const { token } = await person(g);
      const ref = await askGrant(g, token, IDS);
      expect((await fetchRows(g, token, ref)).status).toBe(200);
      const revoked = await g.call(
        by === 'holder' ? token : g.admin,
        'POST',
        `/orgs/acme/grants/${ref}/revoke`,
        { reason: 'done' },
      );
      expect(revoked).toMatchObject({ status: 200, body: { state: 'revoked', reason: 'done' } });
      expect(await fetchRows(g, token, ref)).toMatchObject(refused(410, 'grant_revoked'));
    }
  });

  it('is refused once its request was cancelled', async () => {
    const g = world();
    const { token } = await person(g);
    const asked = await ask(g, token, IDS);
    const path = `/orgs/acme/requests/${asked.body.request_id}/cancel`;
    expect(await g.call(token, 'POST', path, {})).toMatchObject({
      status: 200,
      body: { status: 'denied', state: 'cancelled', type: 'cancelled' },
    });
    const fetched = await fetchRows(g, token, asked.body.grant_ref ?? '');
    expect(fetched).toMatchObject(refused(410, 'grant_revoked'));
  });

  it('expires with the time that was asked for', async () => {
    const g = world();
    const { token } = await person(g);
    const ref = await askGrant(g, token, IDS, { ttl_seconds: 60 });
    g.clock.now += 59_000;
    expect((await fetchRows(g, token, ref)).status).toBe(200);
    g.clock.now += 2_000;
    expect(await fetchRows(g, token, ref)).toMatchObject(refused(410, 'grant_expired'));
  });

  it('does not live longer because more time was asked for', async () => {
    const g = world();
    const { token } = await person(g);
    const { body } = await ask(g, token, IDS, { ttl_seconds: 86_400 });
    expect(Date.parse(body.expires_at ?? '')).toBeLessThanOrEqual(g.clock.now + 3_600_000);
  });

  it('does not exist for anybody else, however much they may', async () => {
    const g = world();
    const { token } = await person(g);
    const ref = await askGrant(g, token, IDS);
    const other = await person(g, { roles: ['analyst'] });
    expect(await fetchRows(g, other.token, ref)).toMatchObject(refused(404, 'not_found'));
    expect(await fetchRows(g, g.admin, ref)).toMatchObject(refused(404, 'not_found'));
    const seen = await g.call(other.token, 'GET', `/orgs/acme/grants/${ref}`);
    expect(seen).toMatchObject(refused(404, 'not_found'));
    const revoking = await g.call(other.token, 'POST', `/orgs/acme/grants/${ref}/revoke`, {});
    expect(revoking).toMatchObject(refused(404, 'not_found'));
    expect((await fetchRows(g, token, ref)).status).toBe(200);
  });

  it('does not exist under another organisation', async () => {
    const g = world();
    const { token } = await person(g);
    const ref = await askGrant(g, token, IDS);
    const answer = await g.call(token, 'POST', `/orgs/other/grants/${ref}/fetch`, {});
    expect(answer).toMatchObject(refused(404, 'not_found'));
    expect(await g.call(token, 'POST', '/orgs/other/requests', { nonsense: 1 })).toMatchObject(
      refused(404, 'not_found'),
    );
  });
});

describe('an account', () => {
  it('that was disabled is not let in, and its grants are of no use to anybody', async () => {
    const g = world();
    const { token, email } = await person(g);
    const ref = await askGrant(g, token, IDS);
    const path = `/orgs/acme/users/${encodeURIComponent(email)}/disable`;
    expect((await g.call(g.admin, 'POST', path, {})).status).toBe(200);
    expect(await fetchRows(g, token, ref)).toMatchObject(refused(401, 'unauthenticated'));
  });

  it('that is disabled between the head and the body of a call is not let in either', async () => {
    const g = world();
    const { token, email } = await person(g);
    const ref = await askGrant(g, token, IDS);
    const url = new URL(await g.server.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(url.port), url.hostname);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.write(
      `POST /api/v1/orgs/acme/grants/${ref}/fetch HTTP/1.1\r\nhost: x\r\nconnection: close\r\n` +
        `authorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{`,
    );
    // The head is read and its token was looked at; the body is not there yet.
    await wait(100);
    const path = `/orgs/acme/users/${encodeURIComponent(email)}/disable`;
    expect((await g.call(g.admin, 'POST', path, {})).status).toBe(200);
    socket.write('}');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).not.toContain('"rows"');
  });

  it.each([
    ['revoked', 401],
    ['expired', 401],
  ])('of an agent whose token is %s is not let in', async (how, status) => {
    const g = world();
    const name = `bot ${how}`;
    const made = await g.call<{ token: string }>(g.admin, 'POST', '/orgs/acme/agent_tokens', {
      name,
      expires_in_seconds: 60,
    });
    const { token } = made.body;
    const ref = await askGrant(g, token, IDS);
    expect((await fetchRows(g, token, ref)).status).toBe(200);
    if (how === 'expired') g.clock.now += 60_000;
    else {
      const id = await agentTokenId(g, name);
      await g.call(g.admin, 'POST', `/orgs/acme/agent_tokens/${id}/revoke`, {});
    }
    expect(await fetchRows(g, token, ref)).toMatchObject(refused(status, 'unauthenticated'));
    expect((await ask(g, token, IDS)).status).toBe(status);
  });

  it('of an agent may do nothing once the person it acts for is disabled', async () => {
    const g = world();
    const { email } = await person(g);
    const agent = await g.agent({ name: 'helper', on_behalf_of: email });
    const ref = await askGrant(g, agent, IDS);
    const path = `/orgs/acme/users/${encodeURIComponent(email)}/disable`;
    await g.call(g.admin, 'POST', path, {});
    expect(await fetchRows(g, agent, ref)).toMatchObject(refused(401, 'unauthenticated'));
    expect((await ask(g, agent, IDS)).status).toBe(401);
  });

  it('of an agent gets no more than the person it acts for', async () => {
    const g = world();
    const { email } = await person(g, { clearance: 'low' });
    const agent = await g.agent({
      name: 'cleared helper',
      clearance: 'high',
      roles: ['analyst'],
      on_behalf_of: email,
    });
    const fetched = await fetchRows(g, agent, await askGrant(g, agent, EMAILS));
    expect(fetched.body.rows).toEqual([{ id: 1, email: sha('zoe@example.com') }]);
    expect((await ask(g, agent, AMOUNTS)).body).toMatchObject({ status: 'denied' });
  });
});

describe('what changed between a grant and its fetch', () => {
  it('counts: a role that was taken away', async () => {
    const g = world();
    const { token, email } = await person(g, { roles: ['analyst'] });
    const ref = await askGrant(g, token, AMOUNTS);
    expect((await fetchRows(g, token, ref)).status).toBe(200);
    await change(g, email, { roles: [] });
    expect(await fetchRows(g, token, ref)).toMatchObject(refused(403, 'policy_denied'));
  });

  it('counts: a field that a policy now denies, and the policy is named', async () => {
    const g = world();
    const { token, email } = await person(g);
    const ref = await askGrant(g, token, { source_table: 'customers', columns: ['id', 'country'] });
    expect((await fetchRows(g, token, ref)).status).toBe(200);
    await change(g, email, { roles: ['contractor'] });
    expect(await fetchRows(g, token, ref)).toMatchObject({
      status: 403,
      body: {
        type: 'policy_denied',
        policy_id: 'no_cards_for_contractors',
        error: 'Not for contractors',
      },
    });
  });

  it('counts: the hour, where a policy has a window of time', async () => {
    const g = await governed(await sqliteShop());
    const window = { after: '09:00', before: '17:00' };
    const deployed = await g.deploy([
      `id: by_day\nmatch: {dataset: customers}\ncontext: {time: ${JSON.stringify(window)}}\naction: {allow: true, ttl: 8h}\n`,
    ]);
    expect(deployed.status).toBe(201);
    const { token } = await person(g);
    const at = (hours: number, minutes: number) => {
      const day = new Date(g.clock.now);
      g.clock.now = day.setUTCHours(hours, minutes, 0, 0);
    };
    at(16, 58);
    const ref = await askGrant(g, token, IDS);
    expect((await fetchRows(g, token, ref)).status).toBe(200);
    at(16, 59);
    expect((await fetchRows(g, token, ref)).status).toBe(200);
    at(17, 0);
    expect(await fetchRows(g, token, ref)).toMatchObject({ status: 403 });
  });

  it('counts: a mask that applies now', async () => {
    const g = world();
    const { token, email } = await person(g);
    const ref = await askGrant(g, token, EMAILS);
    expect((await fetchRows(g, token, ref)).body.rows).toEqual([
      { id: 1, email: 'zoe@example.com' },
    ]);
    await change(g, email, { clearance: 'low' });
    expect((await fetchRows(g, token, ref)).body).toMatchObject({
      rows: [{ id: 1, email: sha('zoe@example.com') }],
      meta: { masked_fields: ['email'] },
    });
  });

  it('does not loosen the grant: a mask it was made with stays', async () => {
    const g = world();
    const { token, email } = await person(g, { clearance: 'low' });
    const ref = await askGrant(g, token, EMAILS);
    await change(g, email, { clearance: 'high' });
    expect((await fetchRows(g, token, ref)).body).toMatchObject({
      rows: [{ id: 1, email: sha('zoe@example.com') }],
      meta: { masked_fields: ['email'] },
    });
  });

  it('does not widen "*", which stands for the fields it stood for when it was granted', async () => {
    const g = world();
    const { token, email } = await person(g, { roles: ['analyst', 'contractor'] });
    const ref = await askGrant(g, token, { source_table: 'orders', columns: ['*'], limit: 1 });
    const before = await fetchRows(g, token, ref);
    expect(before.body.rows).toEqual([{ id: 100, customer_id: 1, amount: 12.5 }]);
    await change(g, email, { roles: ['analyst'] });
    expect((await fetchRows(g, token, ref)).body.rows).toEqual(before.body.rows);
    const anew = await askGrant(g, token, { source_table: 'orders', columns: ['*'], limit: 1 });
    expect((await fetchRows(g, token, anew)).body.rows).toEqual([
      { id: 100, customer_id: 1, amount: 12.5, card: '4111111111111111' },
    ]);
  });

  it.each(['loses the role', 'is disabled'])('counts: the approver %s', async (how) => {
    const g = world();
    const { token } = await person(g);
    const approver = await person(g, { roles: ['security'] });
    const id = await askPending(g, token, SSNS);
    const approved = await approve(g, approver.token, id);
    expect(approved).toMatchObject({ status: 200, body: { status: 'granted' } });
    const ref = approved.body.grant_ref ?? '';
    expect((await fetchRows(g, token, ref)).body.rows).toEqual([{ id: 1, ssn: '078-05-1120' }]);
    if (how === 'loses the role') await change(g, approver.email, { roles: ['intern'] });
    else {
      const path = `/orgs/acme/users/${encodeURIComponent(approver.email)}/disable`;
      await g.call(g.admin, 'POST', path, {});
    }
    expect(await fetchRows(g, token, ref)).toMatchObject({
      status: 403,
      body: { type: 'policy_denied', policy_id: 'ssn_needs_security' },
    });
  });

  it('leaves a record of each refusal', async () => {
    const g = world();
    const { token, email } = await person(g, { roles: ['analyst'] });
    const asked = await ask(g, token, AMOUNTS);
    await change(g, email, { roles: [] });
    const correlation = `refused-${people}`;
    await g.server.inject({
      method: 'POST',
      url: `/api/v1/orgs/acme/grants/${asked.body.grant_ref}/fetch`,
      headers: { authorization: `Bearer ${token}`, 'x-correlation-id': correlation },
      payload: {},
    });
    const audit = await g.call<{ records: object[] }>(
      g.admin,
      'GET',
      `/orgs/acme/audit?request=${asked.body.request_id}&action=query.refused`,
    );
    expect(audit.body.records).toMatchObject([
      {
        correlation_id: correlation,
        policy_evaluation: { access_granted: false, type: 'policy_denied' },
        metadata: { grant_id: asked.body.grant_ref },
      },
    ]);
  });
});

describe('a grant and the bundle it was made under', () => {
  it('ends with it, for good, and says whether the bundle was replaced or revoked', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy(POLICIES);
    const { token } = await person(g);
    const first = await askGrant(g, token, IDS);
    await g.deploy(POLICIES);
    expect(await fetchRows(g, token, first)).toMatchObject(refused(410, 'bundle_superseded'));
    const second = await askGrant(g, token, IDS);
    const revoked = await g.call(g.admin, 'POST', '/orgs/acme/policy_bundles/v2/revoke', {
      reason: 'too wide',
    });
    expect(revoked).toMatchObject({ status: 200, body: { state: 'revoked' } });
    expect(await fetchRows(g, token, second)).toMatchObject(refused(410, 'bundle_revoked'));
    expect((await ask(g, token, IDS)).body).toMatchObject({
      status: 'denied',
      type: 'no_active_bundle',
    });
    const back = await g.call(g.admin, 'POST', '/orgs/acme/policy_bundles/v1/rollback', {
      reason: 'the one before',
    });
    expect(back.status).toBe(200);
    expect(await fetchRows(g, token, first)).toMatchObject(refused(410, 'bundle_superseded'));
    expect(await fetchRows(g, token, second)).toMatchObject(refused(410, 'bundle_revoked'));
  });
});

describe('the signed grant in the store', () => {
  it('is refused with a changed byte, and in the place of another grant', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy(POLICIES);
    const { token } = await person(g);
    const good = await askGrant(g, token, IDS);
    const changed = await askGrant(g, token, IDS);
    const swapped = await askGrant(g, token, IDS);
    await g.server.close();
    await g.app.close();
    const database = new DatabaseSync(`${g.config.data_dir}/vkit.db`);
    const row = database.prepare('select jwt from grants where id = ?').get(changed);
    const jwt = (row as { jwt: string }).jwt;
    const at = jwt.indexOf('.') + 20;
    const other = jwt[at] === 'A' ? 'B' : 'A';
    const set = database.prepare('update grants set jwt = ? where id = ?');
    set.run(jwt.slice(0, at) + other + jwt.slice(at + 1), changed);
    database
      .prepare('update grants set jwt = (select jwt from grants where id = ?) where id = ?')
      .run(good, swapped);
    database.close();
    const app = await openApp({
      config: g.config,
      cwd: g.folder,
      variables: () => ({}),
      now: () => g.clock.now,
    });
    const options = { version: '0.0.0', logLevel: 'silent', requestsPerMinuteMax: 1_000 } as const;
    const server = await createServer(app.context, { ...options, jwks: app.jwks });
    try {
      const status = async (ref: string) => {
        const answer = await server.inject({
          method: 'POST',
          url: `/api/v1/orgs/acme/grants/${ref}/fetch`,
          headers: { authorization: `Bearer ${token}` },
          payload: {},
        });
        return [answer.statusCode, (answer.json() as { type?: string }).type];
      };
      expect(await status(good)).toEqual([200, undefined]);
      expect(await status(changed)).toEqual([403, 'grant_invalid']);
      expect(await status(swapped)).toEqual([403, 'grant_invalid']);
    } finally {
      await server.close();
      await app.close();
    }
  });

  it('is verified by the data plane by itself, whatever the control plane has said', async () => {
    const g = world();
    const { token } = await person(g);
    const ref = await askGrant(g, token, IDS, { ttl_seconds: 60 });
    const { context } = g.app;
    const grant = await context.store.grants.byId(ref);
    const row = grant && (await context.store.requests.byId(grant.request_id));
    const active = await context.activeBundle(context.store);
    const identity = row && (await loadIdentity(context.store, 'user', row.requester_id, 0));
    if (!grant || !row || !active || !identity) throw new Error('It was just granted.');
    const judgement = judge(active, identity, {
      aql: row.aql,
      narrowing: {},
      purpose: null,
      at: g.clock.now,
    });
    const good = {
      jwt: grant.jwt,
      grantId: grant.id,
      requesterId: identity.id,
      aql: row.aql,
      active,
      judgement,
      signal: new AbortController().signal,
    };
    const run = async (input: Partial<typeof good>) => {
      const { batches } = await context.dataPlane.execute({ ...good, ...input });
      let rows = 0;
      for await (const batch of batches) rows += batch.length;
      return rows;
    };
    expect(await run({})).toBe(4);
    const code = (name: string) => ({ code: name });
    await expect(run({ requesterId: 'usr_other' })).rejects.toMatchObject(code('grant_invalid'));
    const wider = { source_table: 'customers', columns: ['id', 'email'] };
    await expect(run({ aql: wider })).rejects.toMatchObject(code('grant_invalid'));
    const next = { ...active, epoch: active.epoch + 1 };
    await expect(run({ active: next })).rejects.toMatchObject(code('bundle_superseded'));
    const another = { ...active, checksum: 'f'.repeat(64) };
    await expect(run({ active: another })).rejects.toMatchObject(code('bundle_superseded'));
    g.clock.now += 61_000;
    await expect(run({})).rejects.toMatchObject(code('grant_expired'));
  });
});

describe('a body', () => {
  /** The smallest body of each route that its schema takes. */
  const BODIES: Record<string, [path: string, body: object]> = {
    'POST /api/v1/auth/login': ['/auth/login', { email: 'a@b.test', password: 'x' }],
    'POST /api/v1/auth/logout': ['/auth/logout', {}],
    'POST /api/v1/orgs/{org}/users': ['/orgs/acme/users', { email: 'a@b.test', password: 'x' }],
    'PATCH /api/v1/orgs/{org}/users/{id}': ['/orgs/acme/users/usr_1', {}],
    'POST /api/v1/orgs/{org}/users/{id}/disable': ['/orgs/acme/users/usr_1/disable', {}],
    'POST /api/v1/auth/cli/token': [
      '/auth/cli/token',
      { code: 'x'.repeat(43), verifier: 'x'.repeat(43) },
    ],
    'POST /api/v1/orgs/{org}/sessions/{id}/revoke': ['/orgs/acme/sessions/ses_1/revoke', {}],
    'POST /api/v1/orgs/{org}/users/{id}/enable': ['/orgs/acme/users/usr_1/enable', {}],
    'POST /api/v1/orgs/{org}/users/{id}/password': [
      '/orgs/acme/users/usr_1/password',
      { password: 'x' },
    ],
    'POST /api/v1/orgs/{org}/agent_tokens': ['/orgs/acme/agent_tokens', { name: 'x' }],
    'POST /api/v1/orgs/{org}/agent_tokens/{id}/revoke': [
      '/orgs/acme/agent_tokens/agt_1/revoke',
      {},
    ],
    'POST /api/v1/orgs/{org}/datasources': [
      '/orgs/acme/datasources',
      { id: 'x', engine: 'sqlite' },
    ],
    'PATCH /api/v1/orgs/{org}/datasources/{id}': ['/orgs/acme/datasources/x', {}],
    'POST /api/v1/orgs/{org}/datasources/{id}/test': ['/orgs/acme/datasources/x/test', {}],
    'POST /api/v1/orgs/{org}/datasources/{id}/scan': ['/orgs/acme/datasources/x/scan', {}],
    'POST /api/v1/orgs/{org}/policy_bundles': ['/orgs/acme/policy_bundles', { bundle: {} }],
    'POST /api/v1/orgs/{org}/policy_bundles/explain': [
      '/orgs/acme/policy_bundles/explain',
      { dataset: 'customers', requester: {} },
    ],
    'POST /api/v1/orgs/{org}/policy_bundles/replay': [
      '/orgs/acme/policy_bundles/replay',
      { from: 'v1', to: 'v1' },
    ],
    'POST /api/v1/orgs/{org}/vault/rotate': ['/orgs/acme/vault/rotate', {}],
    'POST /api/v1/orgs/{org}/policy_bundles/{id}/activate': [
      '/orgs/acme/policy_bundles/v1/activate',
      {},
    ],
    'POST /api/v1/orgs/{org}/policy_bundles/{id}/rollback': [
      '/orgs/acme/policy_bundles/v1/rollback',
      { reason: 'x' },
    ],
    'POST /api/v1/orgs/{org}/policy_bundles/{id}/revoke': [
      '/orgs/acme/policy_bundles/v1/revoke',
      { reason: 'x' },
    ],
    'POST /api/v1/orgs/{org}/requests': ['/orgs/acme/requests', { aql: IDS }],
    'POST /api/v1/orgs/{org}/intent/requests': [
      '/orgs/acme/intent/requests',
      { request: { dataset: 'customers' } },
    ],
    'POST /api/v1/orgs/{org}/requests/{id}/cancel': ['/orgs/acme/requests/req_1/cancel', {}],
    'POST /api/v1/orgs/{org}/approvals/{id}/approve': ['/orgs/acme/approvals/req_1/approve', {}],
    'POST /api/v1/orgs/{org}/approvals/{id}/deny': [
      '/orgs/acme/approvals/req_1/deny',
      { reason: 'x' },
    ],
    'POST /api/v1/orgs/{org}/grants/{id}/fetch': ['/orgs/acme/grants/gr_1/fetch', {}],
    'POST /api/v1/orgs/{org}/grants/{id}/revoke': ['/orgs/acme/grants/gr_1/revoke', {}],
  };

  interface Refusal {
    type: string;
    details: { problems: { pointer: string; code: string; message: string }[] };
  }

  it('with a key that the route does not know is refused on every route, and the key is named', async () => {
    const g = world();
    await g.server.ready();
    const { paths = {} } = g.server.swagger() as { paths?: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, { requestBody?: object }>)
        .filter(([, { requestBody }]) => requestBody !== undefined)
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.sort()).toEqual(Object.keys(BODIES).sort());
    for (const [route, [path, body]] of Object.entries(BODIES)) {
      const method = route.split(' ')[0] as string;
      const answer = await g.call<Refusal>(g.admin, method, path, { ...body, 'sur/prise': 1 });
      expect([route, answer.status, answer.body.type]).toEqual([route, 400, 'validation']);
      const pointers = answer.body.details.problems.map(({ pointer }) => pointer);
      expect([route, pointers]).toEqual([route, expect.arrayContaining(['/sur~1prise'])]);
    }
  });

  it('with an unknown key inside the query is refused with its pointer, every problem at once', async () => {
    const g = world();
    const { token } = await person(g);
    const problems = async (path: string, body: object) => {
      const answer = await g.call<Refusal>(token, 'POST', path, body);
      expect(answer).toMatchObject(refused(400, 'validation'));
      return answer.body.details.problems.map(({ pointer }) => pointer);
    };
    const aql = { ...IDS, surprise: 1, filters: [{ operator: 'eq', field: 'id', value: 1, x: 1 }] };
    expect(await problems('/orgs/acme/requests', { aql })).toEqual(
      expect.arrayContaining(['/aql/surprise', '/aql/filters/0/x']),
    );
    const request = { dataset: 'customers', columns: ['id'], limit: -1 };
    expect(await problems('/orgs/acme/intent/requests', { request })).toEqual(
      expect.arrayContaining(['/request/columns', '/request/limit']),
    );
  });
});

describe('an Idempotency-Key', () => {
  function submit(g: Governed, token: string, key: string, body: object, path = 'requests') {
    return g.server
      .inject({
        method: 'POST',
        url: `/api/v1/orgs/acme/${path}`,
        headers: { authorization: `Bearer ${token}`, 'idempotency-key': key },
        payload: body,
      })
      .then((response) => ({
        status: response.statusCode,
        body: response.json() as Record<string, unknown>,
      }));
  }

  it('gives the same body the same request and grant, and another body 409', async () => {
    const g = world();
    const { token } = await person(g);
    const first = await submit(g, token, 'one', { aql: IDS });
    const again = await submit(g, token, 'one', { aql: IDS });
    expect(again.body).toMatchObject({
      status: 'granted',
      request_id: first.body.request_id,
      grant_ref: first.body.grant_ref,
    });
    const other = await submit(g, token, 'one', { aql: EMAILS });
    expect(other).toMatchObject(refused(409, 'conflict'));
    const list = await g.call<{ requests: object[] }>(token, 'GET', '/orgs/acme/requests');
    expect(list.body.requests).toHaveLength(1);
  });

  it('belongs to one requester and one route', async () => {
    const g = world();
    const ann = await person(g);
    const bob = await person(g);
    const request = { request: { dataset: 'customers', fields: ['id'] } };
    const answers = [
      await submit(g, ann.token, 'shared', { aql: IDS }),
      await submit(g, bob.token, 'shared', { aql: IDS }),
      await submit(g, ann.token, 'shared', request, 'intent/requests'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.request_id)).size).toBe(3);
  });

  it('makes one request of many that come at once', async () => {
    const g = world();
    const { token } = await person(g);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => submit(g, token, 'race', { aql: IDS })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ body }) => body.request_id)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.grant_ref)).size).toBe(1);
    const list = await g.call<{ requests: object[] }>(token, 'GET', '/orgs/acme/requests');
    expect(list.body.requests).toHaveLength(1);
  });

  it('makes one request where two bodies come at once, and tells the other of it', async () => {
    const g = world();
    const { token } = await person(g);
    const answers = await Promise.all(
      [IDS, EMAILS, IDS, EMAILS].map((aql) => submit(g, token, 'two-bodies', { aql })),
    );
    const made = answers.filter(({ status }) => status === 200);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 409, 409]);
    expect(new Set(made.map(({ body }) => body.request_id)).size).toBe(1);
    const list = await g.call<{ requests: object[] }>(token, 'GET', '/orgs/acme/requests');
    expect(list.body.requests).toHaveLength(1);
  });

  it('tells the present state of a request that has moved on since', async () => {
    const g = world();
    const { token } = await person(g);
    const approver = await person(g, { roles: ['security'] });
    const first = await submit(g, token, 'pending', { aql: SSNS });
    expect(first.body.status).toBe('pending_approval');
    await approve(g, approver.token, first.body.request_id as string);
    const again = await submit(g, token, 'pending', { aql: SSNS });
    expect(again.body).toMatchObject({ status: 'granted', request_id: first.body.request_id });
  });

  it('that is not visible ASCII is refused by name', async () => {
    const g = world();
    const { token } = await person(g);
    const answer = await submit(g, token, 'with space', { aql: IDS });
    expect(answer).toMatchObject({
      status: 400,
      body: { details: { problems: [{ pointer: '/headers/idempotency-key' }] } },
    });
  });
});
