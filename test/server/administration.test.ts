import { describe, expect, it } from 'vitest';
import type {
  AgentTokenBody,
  RequestAnswer,
  SessionBody,
  UserBody,
} from '../../src/client/wire.js';
import { ask, askGrant, fetchRows } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = [
  'id: everybody_reads\nmatch: {dataset: customers}\naction: {allow: true}\n',
  'id: no_cards\nmatch: {fields: {any: [card]}}\naction: {deny: true, reason: Never}\n',
];
const IDS = { source_table: 'customers', columns: ['id'] };
const ADMINISTRATORS = ['admin', 'user_admin', 'datasource_admin', 'policy_admin', 'auditor'];
const PASSWORD = 'correct horse battery';

interface World {
  g: Governed;
  /** A user administrator. */
  keeper: string;
}

const world = shared<World>(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  await g.deploy(POLICIES);
  const keeper = await g.user({
    email: 'keeper@acme.test',
    roles: ['user_admin'],
    clearance: 'low',
  });
  return { g, keeper };
});

let people = 0;
/** A new person: their address for a path, and their token. */
async function person(
  roles: string[] = [],
): Promise<{ email: string; path: string; token: string }> {
  people += 1;
  const email = `person${people}@acme.test`;
  const token = await world().g.user({ email, roles });
  return { email, path: `/orgs/acme/users/${encodeURIComponent(email)}`, token };
}

const forbidden = { status: 403, body: { type: 'forbidden' } };

describe('a user administrator', () => {
  it.each(ADMINISTRATORS)('makes nobody %s: no new account, no other, no agent', async (role) => {
    const { g, keeper } = world();
    const { path } = await person();
    const account = {
      email: `new-${role}@acme.test`,
      password: PASSWORD,
      roles: ['analyst', role],
    };
    expect(await g.call(keeper, 'POST', '/orgs/acme/users', account)).toMatchObject(forbidden);
    expect(await g.call(keeper, 'PATCH', path, { roles: [role] })).toMatchObject(forbidden);
    const agent = { name: 'robot', roles: [role] };
    expect(await g.call(keeper, 'POST', '/orgs/acme/agent_tokens', agent)).toMatchObject(forbidden);
  });

  it.each(ADMINISTRATORS)('does not touch who is %s, nor act through them', async (role) => {
    const { g, keeper } = world();
    const { email, path, token } = await person([role]);
    const own = await g.call<{ sessions: SessionBody[] }>(
      token,
      'GET',
      '/orgs/acme/sessions?mine=true',
    );
    const attempts: [method: string, path: string, body: object][] = [
      ['PATCH', path, { roles: [] }],
      ['PATCH', path, { clearance: 'low' }],
      ['POST', `${path}/password`, { password: PASSWORD }],
      ['POST', `${path}/disable`, {}],
      ['POST', `${path}/enable`, {}],
      ['POST', `/orgs/acme/sessions/${own.body.sessions[0]?.id}/revoke`, {}],
      ['POST', '/orgs/acme/agent_tokens', { name: 'robot', on_behalf_of: email }],
    ];
    // Hashing is slow on purpose, and what is forbidden is so whatever the password is.
    for (const [method, url, body] of role === 'admin' ? attempts : attempts.toSpliced(2, 1)) {
      expect([url, await g.call(keeper, method, url, body)]).toMatchObject([url, forbidden]);
    }
    expect((await g.call(token, 'GET', '/whoami')).status).toBe(200);
  });

  it('gives themselves nothing: no role, clearance, region or purpose', async () => {
    const { g, keeper } = world();
    const path = '/orgs/acme/users/keeper%40acme.test';
    for (const change of [
      { roles: ['admin'] },
      { roles: ['user_admin', 'finance'] },
      { clearance: 'high' },
      { region: 'EU' },
      { purposes: ['support'] },
    ]) {
      expect(await g.call(keeper, 'PATCH', path, change)).toMatchObject(forbidden);
    }
    expect((await g.call(keeper, 'GET', '/whoami')).body).toMatchObject({
      roles: ['user_admin'],
      clearance: 'low',
    });
  });

  it('keeps everybody else, and what they did is on record with how it was before', async () => {
    const { g, keeper } = world();
    const { path, token } = await person(['analyst']);
    const change = { roles: ['finance'], clearance: 'high' };
    expect((await g.call(keeper, 'PATCH', path, change)).status).toBe(200);
    // It holds at once, in the session there is.
    expect((await g.call(token, 'GET', '/whoami')).body).toMatchObject(change);
    const { body } = await g.call<{ records: object[] }>(
      g.admin,
      'GET',
      '/orgs/acme/audit?limit=1&action=user.updated',
    );
    expect(body.records).toMatchObject([
      {
        requester: { email: 'keeper@acme.test' },
        metadata: {
          roles: 'finance',
          roles_before: 'analyst',
          clearance: 'high',
          clearance_before: null,
        },
      },
    ]);
  });
});

describe('the last admin', () => {
  it('is neither disabled nor demoted, nor handed to an identity provider, also by two at once', async () => {
    const g = await governed(await sqliteShop());
    const first = '/orgs/acme/users/admin%40acme.test';
    const second = '/orgs/acme/users/root%40acme.test';
    const rest = await g.user({ email: 'rest@acme.test', roles: ['admin'] });
    expect(
      (await g.call(g.admin, 'POST', '/orgs/acme/users/rest%40acme.test/disable', {})).status,
    ).toBe(200);
    expect((await g.call(rest, 'GET', '/whoami')).status).toBe(401);
    const both = await Promise.all([
      g.call(g.admin, 'PATCH', first, { roles: [] }),
      g.call(g.admin, 'PATCH', second, { roles: ['analyst'] }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 409)?.body).toMatchObject({ type: 'conflict' });
    const left = await g.app.context.store.users.withRole('admin', 10);
    expect(left.filter(({ disabled_at }) => disabled_at === null)).toHaveLength(1);
  });
});

describe('an account that was disabled', () => {
  it('is let in again once it is enabled, with a new session, and an agent for it too', async () => {
    const { g } = world();
    const { email, path, token } = await person();
    const agent = await g.agent({ name: 'for them', on_behalf_of: email });
    const may = async () => [
      (await g.call(token, 'GET', '/whoami')).status,
      (await g.call(agent, 'GET', '/whoami')).status,
    ];
    expect(await may()).toEqual([200, 200]);
    await g.call(g.admin, 'POST', `${path}/disable`, {});
    expect(await may()).toEqual([401, 401]);
    const enabled = await g.call<UserBody>(g.admin, 'POST', `${path}/enable`, {});
    expect(enabled).toMatchObject({ status: 200, body: { state: 'active' } });
    expect(await may()).toEqual([401, 200]);
  });
});

describe('sessions', () => {
  it('are listed with who they are, ended at once, and gone from the list', async () => {
    const { g, keeper } = world();
    const { email, token } = await person();
    const list = async (query = '') => {
      const path = `/orgs/acme/sessions?user=${encodeURIComponent(email)}${query}`;
      return (await g.call<{ sessions: SessionBody[] }>(keeper, 'GET', path)).body.sessions;
    };
    const [session] = await list();
    expect(session).toMatchObject({ email, state: 'active', method: 'password', current: false });
    const path = `/orgs/acme/sessions/${session?.id}/revoke`;
    expect(await g.call(keeper, 'POST', path, {})).toMatchObject({
      status: 200,
      body: { id: session?.id, state: 'revoked' },
    });
    expect((await g.call(token, 'GET', '/whoami')).status).toBe(401);
    expect(await list()).toEqual([]);
    expect(await list('&state=all')).toMatchObject([{ id: session?.id, state: 'revoked' }]);
    expect((await g.call(keeper, 'POST', path, {})).status).toBe(200);
    expect((await g.call(keeper, 'POST', '/orgs/acme/sessions/none/revoke', {})).status).toBe(404);
  });

  it('of one’s own need no role, and say which one this is; an agent has none', async () => {
    const { g } = world();
    const { token } = await person(['analyst']);
    const { body } = await g.call<{ sessions: SessionBody[] }>(
      token,
      'GET',
      '/orgs/acme/sessions?mine=true',
    );
    expect(body.sessions).toMatchObject([{ current: true }]);
    const path = `/orgs/acme/sessions/${body.sessions[0]?.id}/revoke`;
    expect((await g.call(token, 'POST', path, {})).status).toBe(200);
    expect((await g.call(token, 'GET', '/whoami')).status).toBe(401);
    const agent = await g.agent({ name: 'without sessions' });
    const none = await g.call(agent, 'GET', '/orgs/acme/sessions?mine=true');
    expect(none).toMatchObject({ status: 200, body: { sessions: [] } });
  });
});

describe('an agent that is kept to some datasources', () => {
  let agents = 0;
  const agentFor = (datasources: string[] | null) => {
    agents += 1;
    return world().g.agent({ name: `kept ${agents}`, ...(datasources ? { datasources } : {}) });
  };

  it('finds what is in them as every agent does', async () => {
    const { g } = world();
    for (const datasources of [null, ['shop'], ['crm', 'shop']]) {
      const agent = await agentFor(datasources);
      const found = await g.call(agent, 'GET', '/orgs/acme/aql/datasets');
      expect(found.body).toMatchObject({ datasets: [{ name: 'customers' }, { name: 'orders' }] });
      expect((await fetchRows(g, agent, await askGrant(g, agent, IDS))).status).toBe(200);
    }
  });

  it('is told of any other what it is told of what there is not', async () => {
    const { g } = world();
    const agent = await agentFor(['crm']);
    expect((await g.call(agent, 'GET', '/orgs/acme/aql/datasets')).body).toMatchObject({
      datasets: [],
    });
    const schema = (name: string) => g.call(agent, 'GET', `/orgs/acme/aql/datasets/${name}/schema`);
    const answers = (texts: Record<string, unknown>) =>
      JSON.stringify(texts, (key, value) => (OWN.includes(key) ? undefined : value));
    const same = async (hidden: object, absent: object) => {
      const of = async (aql: object): Promise<string> => {
        const answer = await ask(g, agent, aql);
        return answers({ http: answer.status, ...answer.body, dataset: undefined });
      };
      expect(await of(hidden)).toBe(await of(absent));
      return (await ask(g, agent, hidden)).body as RequestAnswer;
    };
    expect(await schema('customers')).toMatchObject({ status: 404 });
    const denied = await same(IDS, { ...IDS, source_table: 'nothing' });
    expect(denied).toMatchObject({ status: 'denied', type: 'unknown_field', datasource: '' });
    await same(
      { source_table: 'customers', columns: ['*'] },
      { source_table: 'nothing', columns: ['*'] },
    );
    // Also where a policy would have a reason of its own to say no.
    await same(
      { source_table: 'orders', columns: ['card'] },
      { source_table: 'nothing', columns: ['card'] },
    );
    const intent = { request: { dataset: 'customers', fields: ['id'] } };
    const asked = await g.call(agent, 'POST', '/orgs/acme/intent/requests', intent);
    expect(asked.body).toMatchObject({ status: 'denied', type: 'unknown_field' });
    const explained = await g.call(g.admin, 'POST', '/orgs/acme/policy_bundles/explain', {
      dataset: 'customers',
      fields: ['id'],
      requester: { user: (await agentNamed(g, `kept ${agents}`)).id },
    });
    expect(explained.body).toMatchObject({ decision: { action: 'deny' } });
  });

  it('says so in lists, and takes no empty list for all', async () => {
    const { g } = world();
    await agentFor(['shop', 'crm']);
    expect(await agentNamed(g, `kept ${agents}`)).toMatchObject({
      datasources: ['crm', 'shop'],
      roles: [],
    });
    const empty = { name: 'none', datasources: [] };
    expect((await g.call(g.admin, 'POST', '/orgs/acme/agent_tokens', empty)).status).toBe(400);
  });
});

/** What differs between any two answers. */
const OWN = ['id', 'request_id', 'correlation_id', 'created_at'];

async function agentNamed(g: Governed, name: string): Promise<AgentTokenBody> {
  const { body } = await g.call<{ agent_tokens: AgentTokenBody[] }>(
    g.admin,
    'GET',
    '/orgs/acme/agent_tokens',
  );
  const found = body.agent_tokens.find((agent) => agent.name === name);
  if (!found) throw new Error(`There is no agent ${name}.`);
  return found;
}
