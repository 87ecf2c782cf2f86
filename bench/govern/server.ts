// A governed server over a shop of PostgreSQL where there is one, everything durable: prints its address and tokens as one line of JSON. Beside it
// listens an empty fastify server, for what HTTP alone costs the same client.
import fastify from 'fastify';
import { governed } from '../../test/helpers/governed.js';
import { findPostgres } from '../../test/helpers/postgres.js';
import { postgresShop, sqliteShop } from '../../test/helpers/shop.js';

const postgres = await findPostgres();
const endings: (() => unknown)[] = [];
const atTheEnd = (ending: () => unknown) => void endings.push(ending);
const g = await governed(
  // A query of SQLite is asked of a child process, which is another measurement.
  postgres.url === null
    ? await sqliteShop({}, atTheEnd)
    : await postgresShop(postgres.url, {}, atTheEnd),
  { queries_per_requester: 1_000 },
  atTheEnd,
  // A check for tests, which no server runs with.
  false,
);
const deployed = await g.deploy([
  'id: analysts_read\nmatch: {dataset: customers}\ncontext: {requester_role: analyst}\naction: {allow: true, ttl: 8h}\n',
  'id: pii_is_masked\nmatch: {fields: {category: pii}}\naction: {mask: true, mask_type: partial}\n',
]);
if (deployed.status !== 201) throw new Error(JSON.stringify(deployed));
const token = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
const address = await g.server.listen({ host: '127.0.0.1', port: 0 });
const empty = fastify({ logger: false });
empty.post('/empty', async () => ({ status: 'ok' }));
const emptyAddress = await empty.listen({ host: '127.0.0.1', port: 0 });
console.log(JSON.stringify({ address, emptyAddress, token, folder: g.folder }));
process.on('SIGTERM', async () => {
  await empty.close();
  for (const ending of endings.reverse()) await ending();
  process.exit(0);
});
