import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openApp } from '../../src/app.js';
import { createServer } from '../../src/server/create-server.js';
import { packageRoot } from '../../src/util/package-root.js';
import { approve, ask, askGrant } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

/** What the published Python client sends and needs, as it was recorded; a copy of the contract's file. */
interface RecordedCase {
  case: string;
  exchanges: {
    request: {
      method: string;
      path: string;
      query: Record<string, string>;
      headers: Record<string, string>;
      body: unknown;
    };
    answer: { status: number; body: Record<string, unknown> };
  }[];
}

const CASES = JSON.parse(
  readFileSync(join(packageRoot(), 'test', 'fixtures', 'python-client.json'), 'utf8'),
) as RecordedCase[];

const POLICIES = [
  'id: allow_customers\nmatch: {dataset: customers}\naction: {allow: true}\n',
  'id: allow_orders\nmatch: {dataset: orders}\ncontext: {requester_role: accountant}\naction: {allow: true}\n',
  `
id: mask_pii_for_agents
match: {fields: {category: pii}}
context: {requester_role: ai_agent}
action: {mask: true, mask_type: hash}
`,
  `
id: mask_amounts_below_high
match: {fields: {any: [amount]}}
context: {requester_clearance: {lt: high}}
action: {mask: true, mask_type: full}
`,
  `
id: probation_waits
match: {dataset: customers}
context: {requester_role: probation}
action: {require_approval: true, approver_role: security, reason: sensitive}
`,
  `
id: barred_get_nothing
match: {dataset: customers}
context: {requester_role: barred}
action: {deny: true, reason: "no"}
`,
];
const IDS = { source_table: 'customers', columns: ['id', 'email'], limit: 2 };

/** What a case that no situation of this server gives is answered instead, and why. */
const OTHERWISE: Record<string, { status?: string; type?: string; because: string }> = {
  'query, queued then polled': {
    status: 'granted',
    because: 'a query runs when it is fetched, so that none is queued: the client goes on at once',
  },
  'fetch answered 403 forbidden': {
    type: 'grant_invalid',
    because:
      'what somebody else may fetch is 404; the 403s of a fetch are policy_denied and grant_invalid',
  },
};

interface World {
  g: Governed;
  url: string;
  path: string;
}

async function makeWorld(
  atTheEnd?: (clean: () => Promise<void>) => void,
  settings: object = {},
): Promise<World> {
  const ground = await sqliteShop({}, atTheEnd);
  const g = await governed(ground, settings, atTheEnd);
  expect((await g.deploy(POLICIES)).status).toBe(201);
  return { g, url: await g.server.listen({ host: '127.0.0.1', port: 0 }), path: ground.path };
}

const world = shared(makeWorld);

/** What a case needs: a token, and the ids that stand for the recorded ones. */
interface Situation {
  url: string;
  token: string;
  request?: string;
  grant?: string;
}

let made = 0;

async function agent({ g }: World, roles: string[] = [], more: object = {}) {
  made += 1;
  const account = { name: `client ${made}`, roles, region: 'EU', clearance: 'low', ...more };
  return g.agent(account);
}

/** An agent that acts for a person of its own, whose attributes can be changed. */
async function helper(w: World, roles: string[] = []): Promise<{ token: string; email: string }> {
  made += 1;
  const email = `owner${made}@acme.test`;
  await w.g.user({ email, roles, clearance: 'high', region: 'EU' });
  const token = await agent(w, roles, { on_behalf_of: email, clearance: 'high' });
  return { token, email };
}

async function change({ g }: World, email: string, attributes: object): Promise<void> {
  expect((await g.call(g.admin, 'PATCH', `/orgs/acme/users/${email}`, attributes)).status).toBe(
    200,
  );
}

async function simple(roles: string[] = []): Promise<Situation> {
  return { url: world().url, token: await agent(world(), roles) };
}

async function granted(w: World, token: string, aql: object = IDS, more: object = {}) {
  return { url: w.url, token, grant: await askGrant(w.g, token, aql, more) };
}

async function pending(): Promise<Situation> {
  const token = await agent(world(), ['probation']);
  const { body } = await ask(world().g, token, IDS);
  expect(body.status).toBe('pending_approval');
  return { url: world().url, token, request: body.request_id };
}

async function approved(): Promise<Situation> {
  const situation = await pending();
  made += 1;
  const { g } = world();
  const approver = await g.user({ email: `security${made}@acme.test`, roles: ['security'] });
  const { body } = await approve(g, approver, situation.request ?? '');
  return { ...situation, grant: body.grant_ref ?? '' };
}

/** Another server over the same state. */
async function reopen({ config, folder, clock }: Governed): Promise<string> {
  const now = () => clock.now;
  const app = await openApp({ config, cwd: folder, variables: () => ({}), now });
  const options = { version: '0.0.0', logLevel: 'silent', requestsPerMinuteMax: 1_000 } as const;
  const server = await createServer(app.context, { ...options, jwks: app.jwks });
  onTestFinished(async () => {
    await server.close();
    await app.close();
  });
  return server.listen({ host: '127.0.0.1', port: 0 });
}

/** How each case's situation comes about for real. */
const SITUATIONS: Record<string, () => Promise<Situation>> = {
  datasets: () => simple(),
  'datasets with regions': () => simple(),
  schema: () => simple(),
  'execute, granted': () => simple(),
  'execute without fields': () => simple(),
  'execute, approval needed': () => simple(['probation']),
  'execute, denied': () => simple(['barred']),
  'poll_request, still pending': pending,
  'poll_request, approved': approved,
  'tool vaultkit_check_approval, approved': approved,
  'tool vaultkit_query, denied': () => simple(['barred']),
  'tool vaultkit_discover': () => simple(['probation']),
  'fetch answered 400 validation': async () => {
    // The sum of a column that is masked by now cannot be computed.
    const w = world();
    const { token, email } = await helper(w, ['accountant']);
    const aggregates = [{ func: 'sum', field: 'amount', alias: 'total' }];
    const situation = await granted(w, token, { source_table: 'orders', aggregates });
    await change(w, email, { clearance: 'low' });
    return situation;
  },
  'fetch answered 401': async () => {
    const w = world();
    const situation = await granted(w, await agent(w));
    const path = `/orgs/acme/agent_tokens/${situation.token.slice(0, 12)}/revoke`;
    expect((await w.g.call(w.g.admin, 'POST', path, {})).status).toBe(200);
    return situation;
  },
  'fetch answered 403 policy_denied': async () => {
    const w = world();
    const { token, email } = await helper(w);
    const situation = await granted(w, token);
    await change(w, email, { roles: ['barred'] });
    return situation;
  },
  'query, queued then polled': () => simple(),
  'fetch answered 403 forbidden': async () => {
    // Its signature no longer verifies, as when somebody wrote to the store.
    const w = await makeWorld();
    const situation = await granted(w, await agent(w));
    await w.g.server.close();
    await w.g.app.close();
    const state = new DatabaseSync(join(w.g.config.data_dir, 'vkit.db'));
    const change = state.prepare("update grants set jwt = jwt || 'AAAA' where id = ?");
    change.run(situation.grant);
    state.close();
    return { ...situation, url: await reopen(w.g) };
  },
  'fetch answered 404': async () => {
    const w = world();
    const others = await granted(w, await agent(w));
    return { ...others, token: await agent(w) };
  },
  'fetch answered 409': async () => {
    // The database is no longer the one that was reviewed.
    const w = await makeWorld();
    const situation = await granted(w, await agent(w));
    const database = new DatabaseSync(w.path);
    database.exec('alter table customers rename column email to contact');
    database.close();
    return situation;
  },
  'fetch answered 410 grant_expired': async () => {
    const w = world();
    const situation = await granted(w, await agent(w), IDS, { ttl_seconds: 1 });
    w.g.clock.now += 2_000;
    return situation;
  },
  'fetch answered 429': async () => {
    const w = await makeWorld(undefined, { requests_per_minute: 4 });
    const situation = await granted(w, await agent(w));
    for (let used = 1; used < 4; used += 1) {
      await w.g.call(situation.token, 'GET', '/whoami');
    }
    return situation;
  },
  'fetch answered 503': async () => {
    const w = await makeWorld();
    const situation = await granted(w, await agent(w));
    await w.g.app.context.store.close();
    return situation;
  },
};

/** The client's own rules of what an answer must hold, beside what the recorded one holds. */
function expectFits(found: unknown, recorded: unknown, where: string): void {
  if (Array.isArray(recorded)) {
    expect([where, Array.isArray(found)]).toEqual([where, true]);
    const [sample] = recorded as unknown[];
    if (sample === undefined) return;
    expect([where, (found as unknown[]).length > 0]).toEqual([where, true]);
    for (const [index, item] of (found as unknown[]).entries()) {
      expectFits(item, sample, `${where}/${index}`);
    }
  } else if (typeof recorded === 'object' && recorded !== null) {
    for (const [key, value] of Object.entries(recorded)) {
      expect([where, Object.keys(found as object)]).toEqual([where, expect.arrayContaining([key])]);
      // The columns of a row are the query's: a cell's type is the column's, and NULL is in any.
      const inRow = /\/rows\/\d+$/.test(where);
      const cell = (found as Record<string, unknown>)[key];
      if (!(inRow && cell === null)) expectFits(cell, value, `${where}/${key}`);
    }
  } else {
    expect([where, typeof found]).toEqual([where, typeof recorded]);
  }
}

const EXACT = ['status', 'type', 'visibility', 'masked', 'environment', 'name'] as const;

describe('the published Python client', () => {
  it('has 22 cases, each with a situation here', () => {
    expect(CASES).toHaveLength(22);
    expect(CASES.map((item) => item.case).sort()).toEqual(Object.keys(SITUATIONS).sort());
  });

  it.each(CASES)('gets what it needs: $case', async ({ case: name, exchanges }) => {
    const situation = await SITUATIONS[name]?.();
    if (!situation) throw new Error('It was filtered for those that have one.');
    let ref = situation.grant ?? '';
    for (const { request, answer } of exchanges) {
      const path = request.path
        .replace(/gr_\d+/, ref)
        .replace(/req_\d+/, situation.request ?? 'req_none');
      const url = new URL(path, situation.url);
      for (const [key, value] of Object.entries(request.query)) url.searchParams.set(key, value);
      const response = await fetch(url, {
        method: request.method,
        headers: { ...request.headers, authorization: `Bearer ${situation.token}`, accept: '*/*' },
        ...(request.body === null ? {} : { body: JSON.stringify(request.body) }),
      });
      const body = (await response.json()) as Record<string, unknown>;
      expect([response.status, body]).toEqual([answer.status, expect.any(Object)]);
      expect(response.headers.get('x-correlation-id')).toBe(body.correlation_id);
      expectFits(body, answer.body, '');
      const exact: Record<string, unknown> = { ...answer.body, ...OTHERWISE[name] };
      for (const key of EXACT) if (key in exact) expect(body[key]).toBe(exact[key]);
      if (response.status >= 400) {
        expect(body).toMatchObject({ error: expect.any(String), type: expect.any(String) });
      }
      if (response.status === 429) {
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      }
      if (typeof body.grant_ref === 'string') ref = body.grant_ref;
    }
  });

  it('is shown the visibilities and masks that hold for it', async () => {
    const w = world();
    const [free, waits, barred] = [
      await agent(w),
      await agent(w, ['probation']),
      await agent(w, ['barred']),
    ];
    const visibility = async (token: string) => {
      const { body } = await w.g.call<{ datasets: { name: string; visibility: string }[] }>(
        token,
        'GET',
        '/orgs/acme/aql/datasets?environment=production',
      );
      return body.datasets.find((dataset) => dataset.name === 'customers')?.visibility;
    };
    expect(await visibility(free)).toBe('allow');
    expect(await visibility(waits)).toBe('require_approval');
    expect(await visibility(barred)).toBe('deny');
    const schema = await w.g.call<{ fields: object[] }>(
      free,
      'GET',
      '/orgs/acme/aql/datasets/customers/schema?environment=production',
    );
    expect(schema.body.fields).toEqual(
      expect.arrayContaining([
        { name: 'id', type: 'integer', visibility: 'allow', masked: false, sensitivity: 'low' },
        { name: 'email', type: 'text', visibility: 'allow', masked: true, sensitivity: 'medium' },
      ]),
    );
  });
});
