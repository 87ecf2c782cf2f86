// What one would write without vkit: fastify, a pool of pg, and the SQL that vkit runs, with no check of anything.
import fastify from 'fastify';
import pg from 'pg';
import Cursor from 'pg-cursor';

const [url = '', schema = ''] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 10 });
const select = (table) =>
  `SELECT id, CASE WHEN email IS NULL THEN NULL WHEN char_length(email) >= 6 THEN concat(left(email, 3), '****') ELSE '****' END AS email,
   name, country, balance, created_at, active, note FROM "${schema}"."${table}"`;

const server = fastify();
server.post('/fetch', async () => {
  const { rows } = await pool.query(
    `${select('people')} WHERE id > $1 ORDER BY id ASC LIMIT 100`,
    [50_000],
  );
  return { rows };
});
server.post('/stream', (_request, reply) => {
  reply.hijack();
  void (async () => {
    const client = await pool.connect();
    const cursor = client.query(new Cursor(`${select('events')} ORDER BY id ASC LIMIT 1000000`));
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson' });
    for (;;) {
      const rows = await cursor.read(1_000);
      if (rows.length === 0) break;
      const text = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
      if (!reply.raw.write(text)) await new Promise((resolve) => reply.raw.once('drain', resolve));
    }
    await cursor.close();
    client.release();
    reply.raw.end();
  })();
});
const address = await server.listen({ host: '127.0.0.1', port: 0 });
console.log(JSON.stringify({ address, token: '', fetch: '/fetch', stream: '/stream' }));
