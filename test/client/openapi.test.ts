import type { Static } from 'typebox';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type NewAgentToken, type NewUser, VkitClient } from '../../src/client/vkit-client.js';
import type { ExplainBody, IntentBody, NewDatasource, SubmitBody } from '../../src/client/wire.js';
import type * as schemas from '../../src/server/schemas.js';
import { checkSchema } from '../../src/util/check-schema.js';
import { governed } from '../helpers/governed.js';
import { sqliteShop } from '../helpers/shop.js';

interface Sent {
  method: string;
  path: string;
  query: string[];
  body: unknown;
}

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: { 'application/json': { schema: object } } };
}

/** Every method of the client, with all that it can be given. */
async function useEverything(client: VkitClient): Promise<void> {
  const attributes = { roles: ['a'], clearance: 'low', region: 'EU', purposes: ['p'] };
  const datasource = {
    environment: 'production',
    region: 'EU',
    config: {},
    username: 'u',
    password: 'p',
  };
  const discover = { environment: 'production', dataset_region: 'EU', requester_region: 'EU' };
  const submit: SubmitBody = {
    aql: { source_table: 't', columns: ['c'] },
    datasource: 'shop',
    purpose: 'p',
    reason: 'r',
    metadata: { ticket: '1' },
    ttl_seconds: 60,
    approval_required: true,
    role: 'a',
    environment: 'production',
    requester_region: 'EU',
    requester_clearance: 'low',
    dataset_region: 'EU',
  };
  const intent: IntentBody = {
    request: { dataset: 't', fields: ['c'], filters: [], limit: 1, purpose: 'p' },
    requester_region: 'EU',
    requester_clearance: 'low',
  };
  const audit = {
    user: 'u',
    action: 'a',
    dataset: 'd',
    request: 'r',
    since: '2026-03-02T10:00:00Z',
    until: '2026-03-02T10:00:00Z',
    order: 'asc' as const,
    limit: 1,
    cursor: '1',
  };
  const calls: (() => Promise<unknown>)[] = [
    () => client.logIn('a@example.com', 'p'),
    () => client.logOut(),
    () => client.createUser({ email: 'a@example.com', password: 'p', ...attributes }),
    () => client.listUsers(),
    () => client.updateUser('u', attributes),
    () => client.disableUser('u'),
    () => client.resetPassword('u', 'p'),
    () =>
      client.createAgentToken({
        name: 'n',
        ...attributes,
        on_behalf_of: 'a@example.com',
        expires_in_seconds: 60,
      }),
    () => client.listAgentTokens(),
    () => client.revokeAgentToken('t'),
    () =>
      client.createDatasource({
        id: 'shop',
        engine: 'sqlite',
        include: ['*'],
        exclude: null,
        ...datasource,
      }),
    () => client.listDatasources(),
    () => client.showDatasource('shop'),
    () => client.updateDatasource('shop', datasource),
    () => client.removeDatasource('shop'),
    () => client.testDatasource('shop'),
    () => client.scanDatasource('shop', { include: ['*'], exclude: ['x'] }),
    () => client.deployBundle({}, true),
    () => client.listBundles(),
    () => client.showBundle('v1'),
    () =>
      client.explainDecision({ aql: {}, requester: { roles: ['a'] }, at: '2026-03-02T10:00:00Z' }),
    () => client.activateBundle('v1'),
    () => client.rollbackBundle('v1', 'r'),
    () => client.revokeBundle('v1', 'r'),
    () => client.submitRequest(submit),
    () => client.submitIntent(intent),
    () => client.listRequests({ state: 'pending', limit: 5 }),
    () => client.showRequest('r'),
    () => client.cancelRequest('r'),
    () => client.listApprovals({ state: 'pending', limit: 5 }),
    () => client.approve('r', { ttl_seconds: 60, notes: 'n' }),
    () => client.deny('r', 'n'),
    () => client.fetchGrant('g'),
    () => client.streamGrant('g', 'text/csv'),
    () => client.streamRows('g'),
    () => client.showGrant('g'),
    () => client.revokeGrant('g', 'r'),
    () => client.listDatasets(discover),
    () => client.datasetSchema('d', discover),
    () => client.readAudit(audit),
    () => client.jwks(),
    () => client.whoAmI(),
  ];
  for (const call of calls) await call().catch(() => undefined);
}

describe('what the client sends', () => {
  it('is what the server describes at /openapi.json', async () => {
    const { server } = await governed(await sqliteShop());
    const document = (await server.inject({ url: '/openapi.json' })).json() as {
      paths: Record<string, Record<string, Operation>>;
    };
    const sent: Sent[] = [];
    const client = new VkitClient({
      baseUrl: 'http://127.0.0.1',
      org: 'acme',
      fetch: async (input, init) => {
        const url = new URL(String(input));
        const body = init?.body === undefined ? undefined : JSON.parse(String(init.body));
        sent.push({
          method: String(init?.method).toLowerCase(),
          path: url.pathname,
          query: [...url.searchParams.keys()],
          body,
        });
        return new Response('{}');
      },
    });
    await useEverything(client);
    expect(sent.length).toBeGreaterThan(40);
    for (const { method, path, query, body } of sent) {
      const found = Object.keys(document.paths).filter((template) =>
        new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
      );
      // `/requests/x` fits no template that has a word in its place, and the other way round at most one has none.
      const operations = found.flatMap((template) => document.paths[template]?.[method] ?? []);
      const hidden = path.startsWith('/.well-known/');
      expect([method, path, hidden || operations.length > 0]).toEqual([method, path, true]);
      const known = operations.flatMap(
        ({ parameters }) => parameters?.map(({ name }) => name) ?? [],
      );
      expect([path, query.filter((name) => !known.includes(name))]).toEqual([path, []]);
      const [operation] = operations;
      const schema = operation?.requestBody?.content['application/json'].schema;
      if (body !== undefined && schema)
        expect([path, checkSchema(schema, body)]).toEqual([path, []]);
    }
  });

  it('has the types that the server checks', () => {
    expectTypeOf<SubmitBody>().toExtend<Static<typeof schemas.SubmitBody>>();
    expectTypeOf<Static<typeof schemas.SubmitBody>>().toExtend<SubmitBody>();
    expectTypeOf<IntentBody>().toExtend<Static<typeof schemas.IntentBody>>();
    expectTypeOf<keyof NewUser>().toEqualTypeOf<keyof Static<typeof schemas.CreateUserBody>>();
    expectTypeOf<keyof NewAgentToken>().toEqualTypeOf<
      keyof Static<typeof schemas.CreateAgentTokenBody>
    >();
    expectTypeOf<keyof NewDatasource>().toEqualTypeOf<
      keyof Static<typeof schemas.CreateDatasourceBody>
    >();
    expectTypeOf<keyof ExplainBody>().toEqualTypeOf<keyof Static<typeof schemas.ExplainBody>>();
  });
});
