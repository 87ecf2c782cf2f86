import { ENGINES } from '../../../src/engines/index.js';

/** Asks the server at the port given, as a program of its own, and says what came of it. */
const [port, sql] = process.argv.slice(2);
const connector = await ENGINES.snowflake.connect({
  id: 'warehouse',
  config: {
    account: 'acme-shop',
    database: 'SHOP',
    host: '127.0.0.1',
    port: Number(port),
    protocol: 'http',
  },
  credentials: { username: 'VKIT', password: 's3cret-passw0rd' },
});
const columns = [{ name: 'n', type: 'bigint' }];
try {
  const compiled = { sql: sql ?? '', params: [], columns, tables: [] };
  for await (const batch of connector.run(compiled, { timeoutMs: 1_000 })) {
    process.stdout.write(`${JSON.stringify(batch)}\n`);
  }
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code}\n`);
}
await connector.close();
