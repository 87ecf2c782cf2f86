// PostGraphile over the bench's schema: GraphQL made of the database, without any policy.
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

// It is written for Node 22, which has this; nothing else of it is missing on Node 20.
Promise.withResolvers ??= () => {
  const settlers = {};
  const promise = new Promise((resolve, reject) => Object.assign(settlers, { resolve, reject }));
  return { promise, ...settlers };
};

const [url, schema] = process.argv.slice(2);
const pgl = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: url, schemas: [schema] })],
  grafserv: { graphqlPath: '/graphql', watch: false },
});
const server = createServer();
await pgl.createServ(grafserv).addTo(server);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const query = `{ allPeople(first: 100, orderBy: PRIMARY_KEY_ASC) { nodes { rowId email name country balance createdAt active note } } }`;
  console.log(
    JSON.stringify({ address: `http://127.0.0.1:${port}`, token: '', fetch: '/graphql', query }),
  );
});
