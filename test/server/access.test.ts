import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { SessionBody } from '../../src/client/wire.js';
import { checkSchema } from '../../src/util/check-schema.js';
import { packageRoot } from '../../src/util/package-root.js';
import schema from '../cases/access/schema.json' with { type: 'json' };
import { ask, askGrant, askPending } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = [
  'id: everybody_reads\nmatch: {dataset: customers}\naction: {allow: true}\n',
  'id: ssn_waits\nmatch: {fields: {any: [ssn]}}\naction: {require_approval: true, approver_role: security, reason: Ask}\n',
];
const IDS = { source_table: 'customers', columns: ['id'] };
const SSNS = { source_table: 'customers', columns: ['ssn'] };

interface Row {
  expect: number | number[];
  path?: string;
  query?: string;
  body?: object;
}

interface Cases {
  people: string[];
  routes: Record<string, Row>;
}

interface World {
  g: Governed;
  cases: Cases;
  /** A new session of somebody, or no token for nobody. */
  token(person: string): Promise<string>;
}

const world = shared<World>(async (atTheEnd) => {
  const file = join(packageRoot(), 'test', 'cases', 'access', 'routes.yaml');
  const cases = parse(await readFile(file, 'utf8')) as Cases;
  expect(checkSchema(schema, cases)).toEqual([]);
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  await g.deploy(POLICIES);
  const ROLES: Record<string, string[]> = { user: ['analyst'], approver: ['security'] };
  const tokens = new Map<string, string>([['nobody', '']]);
  tokens.set('agent', await g.agent({ name: 'robot', roles: ['admin', 'security'] }));
  for (const person of cases.people.filter((one) => !tokens.has(one))) {
    const roles = ROLES[person] ?? [person];
    tokens.set(person, await g.user({ email: `the-${person}@acme.test`, roles }));
  }
  return {
    g,
    cases,
    async token(person) {
      const found = tokens.get(person);
      if (found === undefined) throw new Error(`Nobody is called ${person}`);
      return found;
    },
  };
});

/** What `path` names by `$…`, made anew. */
async function things({ g, token }: World, path: string): Promise<string> {
  const user = await token('user');
  if (path.includes('$pending')) return path.replace('$pending', await askPending(g, user, SSNS));
  if (path.includes('$granted')) {
    return path.replace('$granted', (await ask(g, user, IDS)).body.request_id);
  }
  if (path.includes('$grant')) return path.replace('$grant', await askGrant(g, user, IDS));
  if (!path.includes('$session')) return path;
  const { id } = await sessionOf(g, user);
  return path.replace('$session', id);
}

/** A second session of the account that has this one: ending it leaves the account logged in. */
async function sessionOf({ app, call, clock }: Governed, token: string): Promise<SessionBody> {
  const { body } = await call<{ sessions: SessionBody[] }>(
    token,
    'GET',
    '/orgs/acme/sessions?mine=true',
  );
  const [own] = body.sessions;
  if (!own) throw new Error('There is no session.');
  const id = `ses_${Math.random()}`;
  await app.context.store.sessions.insert({
    id,
    user_id: own.user_id,
    token_hash: id,
    created_at: new Date(clock.now).toISOString(),
    expires_at: own.expires_at,
    revoked_at: null,
    method: 'password',
    client: null,
    address: null,
  });
  return { ...own, id };
}

const ORG = '/orgs/{org}';

/** As the rows name them: without what all paths begin with. */
async function routesOf({ g }: World): Promise<Map<string, string>> {
  await g.server.ready();
  const { paths = {} } = g.server.swagger() as { paths?: Record<string, object> };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method): [string, string] => {
      const below = path.replace('/api/v1', '');
      return [`${method.toUpperCase()} ${below.replace(ORG, '')}`, below];
    }),
  );
  return new Map(routes);
}

it('has a row for each route of the OpenAPI document, and no other', async () => {
  const w = world();
  const routes = await routesOf(w);
  expect(Object.keys(w.cases.routes).sort()).toEqual([...routes.keys()].sort());
});

it('lets everybody do what their row says, and nothing else', async () => {
  const w = world();
  const { people, routes } = w.cases;
  const paths = await routesOf(w);
  const found: string[] = [];
  const expected: string[] = [];
  // Who logs out is out.
  const last = (route: string) => Number(route.endsWith('/logout'));
  const sorted = Object.entries(routes).sort(([a], [b]) => last(a) - last(b));
  for (const [route, { expect: statuses, path, query, body }] of sorted) {
    const [method = ''] = route.split(' ');
    const below = paths.get(route) ?? '';
    const all = Array.isArray(statuses) ? statuses : people.map(() => statuses);
    expect([route, all.length]).toEqual([route, people.length]);
    for (const [index, person] of people.entries()) {
      const org = below.startsWith(ORG) ? '/orgs/acme' : '';
      const called = path === undefined ? below.replace(ORG, '').replace('{id}', 'none') : path;
      const url = `${org}${await things(w, called)}${query === undefined ? '' : `?${query}`}`;
      const { status } = await w.g.call(await w.token(person), method, url, body);
      found.push(`${route} by ${person}: ${status}`);
      expected.push(`${route} by ${person}: ${all[index]}`);
    }
  }
  expect(found).toEqual(expected);
}, 30_000);
