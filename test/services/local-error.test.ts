import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import { VkitError } from '../../src/errors/index.js';
import { classifyField } from '../../src/schema/classification/index.js';
import { addDatasource } from '../../src/services/add-datasource.js';
import { scanDatasource } from '../../src/services/scan-datasource.js';
import { testDatasource } from '../../src/services/test-datasource.js';
import { askGrant, fetchRows } from '../helpers/ask.js';
import { governed } from '../helpers/governed.js';
import { findPostgres } from '../helpers/postgres.js';
import { sqliteShop } from '../helpers/shop.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const server = await findPostgres();

const LOGIN = { username: 'vkit_no_such', password: 's3cret-passw0rd' };

describe('a datasource of one’s own that cannot be read', () => {
  it('names the file that is not there, is no file or no database', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'folder'));
    await writeFile(join(root, 'text.db'), 'name,email\n'.repeat(200));
    expect(await said(root, { path: './missing.db' })).toBe(
      'The file ./missing.db of datasource "x" does not exist.',
    );
    expect(await said(root, { path: './folder' })).toMatch(/^What is at \.\/folder is no file/);
    expect(await said(root, { path: './text.db' })).toBe(
      'The file ./text.db of datasource "x" is no SQLite database.',
    );
  });

  it('says that another program keeps the file locked, and not to read less', async () => {
    const root = await temporaryFolder();
    const writer = new DatabaseSync(join(root, 'busy.db'));
    onTestFinished(() => writer.close());
    writer.exec('create table t (v); begin exclusive');
    expect(await said(root, { path: './busy.db' })).toBe(
      'Another program keeps the file ./busy.db of datasource "x" locked.',
    );
  });

  it('names the address that refused, that was not found and that never answered', async () => {
    const root = await temporaryFolder();
    const port = await closedPort();
    expect(await said(root, { host: '127.0.0.1', port, database: 'shop' })).toBe(
      `127.0.0.1:${port} refused the connection of datasource "x".`,
    );
    expect(await said(root, { host: 'db.invalid', database: 'shop' })).toBe(
      'The host db.invalid of datasource "x" was not found.',
    );
    const silent = await silentPort();
    const config = { host: '127.0.0.1', port: silent, database: 'shop', connect_timeout: 1 };
    expect(await said(root, config)).toBe(
      `127.0.0.1:${silent}, the address of datasource "x", did not answer in time.`,
    );
  });

  it.skipIf(server.url === null)(`names database and login ${server.reason ?? ''}`, async () => {
    const root = await temporaryFolder();
    const address = new URL(server.url ?? '');
    const port = Number(address.port || 5432);
    const known = { username: address.username, password: address.password };
    const config = { host: address.hostname, port, database: 'vkit_no_such' };
    expect(await said(root, config, known)).toBe(
      `The database "vkit_no_such" of datasource "x" does not exist at ${address.hostname}:${port}.`,
    );
    const database = address.pathname.slice(1);
    expect(await said(root, { ...config, database }, LOGIN)).toBe(
      `${address.hostname}:${port} refused the login of datasource "x".`,
    );
  });
});

describe('the same for a requester of a server', () => {
  it('is told in general: neither file nor reason', async () => {
    const shop = await sqliteShop();
    const g = await governed(shop);
    await g.deploy(['id: all\nmatch: {dataset: customers}\naction: {allow: true}\n']);
    const agent = await g.agent({ name: 'bot', clearance: 'high' });
    const ref = await askGrant(g, agent, { source_table: 'customers', columns: ['id'] });
    await writeFile(shop.path, 'no database '.repeat(100));
    const answer = await fetchRows(g, agent, ref);
    expect(answer).toMatchObject({
      status: 502,
      body: { type: 'datasource_unreachable', error: 'The datasource "shop" cannot be reached.' },
    });
    expect(answer.body).not.toHaveProperty('details');
    expect(JSON.stringify(answer)).not.toMatch(/shop\.db|SQLITE|NOTADB|no SQLite|no database/);
  });
});

/** What `datasource test` and `scan` say of a datasource with this configuration. */
async function said(root: string, config: object, variables: object = LOGIN): Promise<string> {
  const context = { cwd: root, id: 'x', engines: ENGINES, variables: () => variables };
  await rm(join(root, 'config/datasources/x.yaml'), { force: true });
  await addDatasource({
    ...context,
    engine: 'path' in config ? 'sqlite' : 'postgres',
    config: JSON.stringify(config),
    environment: 'production',
  });
  const [test, scan] = await Promise.all([
    failure(testDatasource(context)),
    failure(scanDatasource({ ...context, apply: false, classify: classifyField, now: () => 0 })),
  ]);
  expect(scan.message).toBe(test.message);
  for (const { code, exitCode, message, hint, details } of [test, scan]) {
    expect(['datasource_unreachable', 'query_timeout']).toContain(code);
    expect(exitCode).toBe(7);
    const text = `${message} ${hint} ${JSON.stringify(details)}`;
    expect(text).not.toMatch(/datasource test|s3cret|filter or a limit|errno/);
  }
  return test.message;
}

async function failure(promise: Promise<unknown>): Promise<VkitError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof VkitError))
    throw new Error('It did not fail as expected.', { cause: error });
  return error;
}

async function closedPort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

/** Takes connections and says nothing. */
async function silentPort(): Promise<number> {
  const listener = createServer((socket) => onTestFinished(() => void socket.destroy())).listen(
    0,
    '127.0.0.1',
  );
  await once(listener, 'listening');
  onTestFinished(() => void listener.close());
  return (listener.address() as AddressInfo).port;
}
