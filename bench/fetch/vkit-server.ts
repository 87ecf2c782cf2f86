// A governed server over the bench's tables, with everything on: it prints its address and what to ask as one line of JSON.
import { type Ground, governed } from '../../test/helpers/governed.js';

const [url = '', schema = ''] = process.argv.slice(2);
const { hostname, port, pathname, username, password } = new URL(url);
const field = (name: string, type: string, category = 'internal') =>
  `    ${name}: {type: ${type}, sensitivity: low, category: ${category}}`;
const FIELDS = [
  field('id', 'bigint'),
  field('email', 'text', 'pii'),
  field('name', 'text'),
  field('country', 'text'),
  field('balance', 'numeric'),
  field('created_at', 'timestamptz'),
  field('active', 'boolean'),
  field('note', 'text'),
].join('\n');

const ground: Ground = {
  engine: 'postgres',
  config: {
    host: hostname,
    port: Number(port || 5432),
    database: pathname.slice(1),
    schema,
    ssl_mode: 'disable',
  },
  variables: { username, ...(password === '' ? {} : { password }) },
  registryText: ['people', 'events']
    .map((table) => `${table}:\n  datasource: shop\n  fields:\n${FIELDS}\n`)
    .join(''),
};

const endings: (() => unknown)[] = [];
const g = await governed(
  ground,
  { queries_per_requester: 1_000, row_cap: 2_000_000 },
  (ending) => void endings.push(ending),
  // A check for tests, which no server runs with.
  false,
);
// The server's clock stands still: the grants of the bench do not expire under it.
const user = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
const deployed = await g.deploy([
  'id: analysts_read\ncontext: {requester_role: analyst}\naction: {allow: true, ttl: 8h}\n',
  'id: pii_is_masked\nmatch: {fields: {category: pii}}\naction: {mask: true, mask_type: partial}\n',
]);
if (deployed.status !== 201) throw new Error(JSON.stringify(deployed));

async function grant(aql: object): Promise<string> {
  const { body } = await g.call<{ grant_ref?: string }>(user, 'POST', '/orgs/acme/requests', {
    aql,
  });
  if (body.grant_ref === undefined) throw new Error(JSON.stringify(body));
  return `/api/v1/orgs/acme/grants/${body.grant_ref}/fetch`;
}
const columns = ['id', 'email', 'name', 'country', 'balance', 'created_at', 'active', 'note'];
const fetch = await grant({
  source_table: 'people',
  columns,
  filters: [{ operator: 'gt', field: 'id', value: 50_000 }],
  order_by: { column: 'id' },
  limit: 100,
});
const stream = await grant({ source_table: 'events', columns, limit: 1_000_000 });
const address = await g.server.listen({ host: '127.0.0.1', port: 0 });
console.log(JSON.stringify({ address, token: user, fetch, stream }));
process.on('SIGTERM', async () => {
  for (const ending of endings.reverse()) await ending();
  process.exit(0);
});
