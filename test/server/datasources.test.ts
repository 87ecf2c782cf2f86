import { randomBytes } from 'node:crypto';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { bundleChecksum } from '../../src/bundle/canonicalise.js';
import type { Bundle } from '../../src/bundle/model.js';
import type {
  DatasourceAnswer,
  DatasourceBody,
  ScannedDatasourceBody,
} from '../../src/client/wire.js';
import { ENGINES } from '../../src/engines/index.js';
import { askGrant } from '../helpers/ask.js';
import { type Governed, type Ground, governed } from '../helpers/governed.js';
import { findMysql } from '../helpers/mysql.js';
import { findPostgres, postgresGround } from '../helpers/postgres.js';
import { shared } from '../helpers/shared.js';
import { mysqlShop, sqliteShop } from '../helpers/shop.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const PATH = '/orgs/acme/datasources';
const ALLOW = 'id: allow_customers\nmatch: {dataset: customers}\naction: {allow: true}\n';
const IDS = { source_table: 'customers', columns: ['id'] };
const PASSWORD = 'Sup3r-s3cret!';

const CRM = {
  id: 'crm',
  engine: 'postgres',
  config: { host: 'db.internal', database: 'crm', ssl_mode: 'verify-full' },
  username: 'reader',
  password: PASSWORD,
};

type Refusal = { type: string; details: { problems: { pointer: string }[] } };

/** A server over a SQLite shop, with somebody who administers datasources and nothing else. */
async function world(settings: Parameters<typeof governed>[1] = {}) {
  const g = await governed(await sqliteShop(), settings);
  const dba = await g.user({ email: 'dba@acme.test', roles: ['datasource_admin'] });
  const call = <T = DatasourceAnswer>(method: string, path = '', body?: unknown) =>
    g.call<T>(dba, method, `${PATH}${path}`, body);
  return { g, dba, call };
}

async function auditOf(g: Governed, event: string) {
  const page = await g.app.context.store.audit.list({ order: 'asc', limit: 500, event });
  return page.map(
    ({ metadata, request, of }): Record<string, unknown> => ({
      ...metadata,
      ...request,
      of,
    }),
  );
}

describe('datasources of the server', () => {
  it('are made, shown, changed and removed, and their secrets come out nowhere', async () => {
    const { g, call } = await world();
    const texts: string[] = [];
    const told = async <T>(answer: Promise<{ status: number; body: T }>) => {
      const got = await answer;
      texts.push(JSON.stringify(got.body));
      return got;
    };
    const made = await told(call('POST', '', { ...CRM, region: 'EU', include: ['public.*'] }));
    expect(made).toMatchObject({
      status: 201,
      body: {
        id: 'crm',
        engine: 'postgres',
        environment: 'production',
        region: 'EU',
        config: CRM.config,
        include: ['public.*'],
        exclude: null,
        username: 'reader',
        credentials: 'vaultkit',
        has_secret: true,
        origin: 'server',
        in_bundle: 'absent',
        secret: 'sealed',
      },
    });
    expect((await told(call('POST', '', CRM))).status).toBe(409);
    expect(await told(call<DatasourceBody>('GET', '/crm'))).toMatchObject({
      body: { id: 'crm', has_secret: true },
    });
    const list = await told(call<{ datasources: DatasourceBody[] }>('GET'));
    expect(list.body.datasources.map(({ id }) => id)).toEqual(['crm']);
    const changed = await told(call('PATCH', '/crm', { region: 'US', environment: 'staging' }));
    expect(changed.body).toMatchObject({ region: 'US', environment: 'staging', secret: 'kept' });
    expect((await told(call('PATCH', '/none', { region: 'US' }))).status).toBe(404);
    expect(await told(call('DELETE', '/crm'))).toMatchObject({
      status: 200,
      body: { id: 'crm', state: 'removed' },
    });
    for (const method of ['GET', 'DELETE'])
      expect((await told(call(method, '/crm'))).status).toBe(404);
    expect(await g.app.context.store.secrets.isEmpty()).toBe(true);

    expect(await auditOf(g, 'datasource.created')).toMatchObject([
      { datasource_id: 'crm', host: 'db.internal', username: 'reader', secret: 'sealed' },
    ]);
    expect(await auditOf(g, 'datasource.updated')).toMatchObject([
      { changed: 'environment,region', secret: 'kept' },
    ]);
    expect(await auditOf(g, 'datasource.removed')).toMatchObject([{ secret: 'discarded' }]);
    const log = await g.app.context.store.audit.list({ order: 'asc', limit: 500 });
    for (const text of [...texts, JSON.stringify(log)]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain('ciphertext');
    }
  });

  it('keep no password in clear in the data directory, and its master secret to this account', async () => {
    const { g, call } = await world();
    await call('POST', '', CRM);
    const folder = g.config.data_dir;
    for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const bytes = await readFile(join(name.parentPath, name.name));
      expect(bytes.includes(PASSWORD), name.name).toBe(false);
      expect(bytes.includes(Buffer.from(PASSWORD).toString('base64')), name.name).toBe(false);
    }
    expect(await readdir(join(folder, 'keys'))).toContain('master.key');
  });

  it.each<[string, object]>([
    ['engine', { engine: 'mysql' }],
    ['host', { config: { ...CRM.config, host: 'evil.example' } }],
    ['port', { config: { ...CRM.config, port: 5433 } }],
    ['database', { config: { ...CRM.config, database: 'other' } }],
    ['user', { username: 'root' }],
    ['absence of a user', { username: null }],
    ['TLS mode', { config: { ...CRM.config, ssl_mode: 'disable' } }],
    ['root certificate', { config: { ...CRM.config, ssl_root_cert: './mine.pem' } }],
    ['option', { config: { ...CRM.config, connect_timeout: 3 } }],
  ])('lose their secret with another %s, also when it is changed back', async (_what, change) => {
    const { g, call } = await world();
    const { secrets, datasources } = g.app.context.store;
    await writeFile(join(g.folder, 'mine.pem'), 'a certificate');
    await call('POST', '', CRM);
    const sealed = await secrets.get('datasource', 'crm');
    expect(await call('PATCH', '/crm', change)).toMatchObject({
      status: 200,
      body: { secret: 'discarded', has_secret: false },
    });
    expect(await secrets.get('datasource', 'crm')).toBeNull();
    const { engine, config, username } = CRM;
    const back = await call('PATCH', '/crm', { engine, config, username });
    expect(back.body).toMatchObject({ secret: 'none', has_secret: false });
    // Whoever puts the sealed record back beside another endpoint by hand opens nothing with it.
    await datasources.update('crm', change);
    if (sealed) await secrets.put(sealed);
    const reached = await call<Refusal>('POST', '/crm/test', {});
    expect(reached).toMatchObject({ status: 503, body: { type: 'vault_failed' } });
  });

  it('keep it where a default is only written out, and seal a new one for a new endpoint', async () => {
    const { call } = await world();
    await call('POST', '', CRM);
    const config = { ...CRM.config, port: 5432, schema: 'public' };
    expect((await call('PATCH', '/crm', { config })).body.secret).toBe('kept');
    const moved = { config: { ...config, host: 'db2.internal' }, password: 'another one' };
    expect((await call('PATCH', '/crm', moved)).body.secret).toBe('sealed');
    expect((await call('PATCH', '/crm', { password: 'yet another' })).body.secret).toBe('sealed');
  });

  it.each<[string, object, string]>([
    ['an unknown key', { surprise: 1 }, '/surprise'],
    ['an unknown engine', { engine: 'oracle' }, '/engine'],
    ['a config of another form', { config: { host: 5, database: 'x' } }, '/config/host'],
    ['a key the engine does not know', { config: { ...CRM.config, hots: 1 } }, '/config/hots'],
    ['a password inside the config', { config: { ...CRM.config, password: PASSWORD } }, '/config'],
    ['a password of nobody', { username: null }, '/username'],
    [
      'a password without verified TLS',
      { config: { ...CRM.config, ssl_mode: 'require' } },
      '/config/ssl_mode',
    ],
    [
      'a login of the server itself',
      { engine: 'bigquery', config: { project: 'my-project-1', dataset: 'shop' } },
      '/engine',
    ],
    ['a login where there is none', { engine: 'sqlite', config: { path: 'x.db' } }, '/username'],
    ['an id that no file has', { id: 'Crm' }, '/id'],
  ])('are refused with %s, without repeating a value', async (_what, change, pointer) => {
    const { g, call } = await world();
    const answer = await call<Refusal>('POST', '', { ...CRM, ...change });
    expect(answer).toMatchObject({ status: 400, body: { type: 'validation' } });
    const pointers = answer.body.details.problems.map((problem) => problem.pointer);
    expect(pointers.some((found) => found.startsWith(pointer))).toBe(true);
    expect(JSON.stringify(answer.body)).not.toContain(PASSWORD);
    expect(await g.app.context.store.datasources.list(10)).toEqual([]);
  });

  it('take a password for a host without verified TLS where the server’s file names it, or it is this machine', async () => {
    const { call } = await world({ clear_password_hosts: ['DB.internal'] });
    const config = { host: 'db.internal', database: 'crm' };
    expect((await call('POST', '', { ...CRM, config })).status).toBe(201);
    for (const [index, host] of ['127.0.0.1', 'localhost', '::1', '/run/postgresql'].entries()) {
      const body = { ...CRM, id: `local_${index}`, config: { ...config, host } };
      expect((await call('POST', '', body)).status).toBe(201);
    }
    const far = { ...CRM, id: 'far', config: { ...config, host: '127.0.0.1.evil.example' } };
    expect((await call('POST', '', far)).status).toBe(400);
  });

  it('are for administrators of datasources alone, and what others try is on record', async () => {
    const { g, call } = await world();
    await call('POST', '', CRM);
    const others = [
      await g.user({ email: 'ana@acme.test', roles: ['analyst'] }),
      await g.user({ email: 'pol@acme.test', roles: ['policy_admin', 'user_admin', 'auditor'] }),
      await g.agent({ name: 'bot', roles: ['datasource_admin', 'admin'] }),
    ];
    const calls: [string, string, object?][] = [
      ['GET', ''],
      ['GET', '/crm'],
      ['POST', '', { ...CRM, id: 'other' }],
      ['PATCH', '/crm', { region: 'US' }],
      ['DELETE', '/crm'],
      ['POST', '/crm/test', {}],
      ['POST', '/crm/scan', {}],
    ];
    for (const token of others) {
      for (const [method, path, body] of calls) {
        const answer = await g.call(token, method, `${PATH}${path}`, body);
        expect(answer, `${method} ${path}`).toMatchObject({
          status: 403,
          body: { type: 'forbidden' },
        });
      }
    }
    expect(await auditOf(g, 'access.refused')).toHaveLength(others.length * calls.length);
    expect((await g.call('', 'GET', PATH)).status).toBe(401);
    expect((await g.call(g.admin, 'GET', PATH)).status).toBe(200);
    expect((await call('GET', '/../../other/datasources')).status).toBe(404);
  });

  it('describe themselves, with a password that only goes in', async () => {
    const { g } = await world();
    await g.server.ready();
    const text = JSON.stringify(g.server.swagger());
    for (const path of ['datasources"', 'datasources/{id}"', 'test"', 'scan"'])
      expect(text).toContain(path);
  });
});

const sqlite = shared(async (atTheEnd) => {
  const ground = await sqliteShop({}, atTheEnd);
  const settings = { file_directories: [join(ground.path, '..')] };
  return { ground, g: await governed(ground, settings, atTheEnd) };
});

describe('testing and scanning', () => {
  it('reach what the server keeps, and what only the active bundle has', async () => {
    const { g, ground } = sqlite();
    await g.deploy([ALLOW]);
    const own = { id: 'own', engine: 'sqlite', config: ground.config, exclude: ['*.orders'] };
    expect((await g.call(g.admin, 'POST', PATH, own)).status).toBe(201);
    const listed = await g.call<{ datasources: DatasourceBody[] }>(g.admin, 'GET', PATH);
    expect(listed.body.datasources).toMatchObject([
      { id: 'own', origin: 'server', in_bundle: 'absent', credentials: null, has_secret: false },
      { id: 'shop', origin: 'bundle', in_bundle: 'same', credentials: 'env' },
    ]);
    for (const id of ['own', 'shop']) {
      const tested = await g.call(g.admin, 'POST', `${PATH}/${id}/test`, {});
      expect(tested).toMatchObject({
        status: 200,
        body: { id, engine: 'sqlite', server: expect.stringMatching(/^sqlite \d/) },
      });
    }
    const scan = async (id: string, body?: object) => {
      const path = `${PATH}/${id}/scan`;
      const answer = await g.call<ScannedDatasourceBody>(g.admin, 'POST', path, body);
      expect(answer.status).toBe(200);
      return answer.body.scanned.tables.map(({ table }) => table.name);
    };
    const connector = await ENGINES.sqlite.connect({
      id: 'x',
      config: ground.config,
      credentials: {},
    });
    const local = await connector.introspect();
    await connector.close();
    const remote = await g.call<ScannedDatasourceBody>(g.admin, 'POST', `${PATH}/shop/scan`);
    expect(remote.body.scanned).toEqual(JSON.parse(JSON.stringify(local)));
    expect(await scan('own', {})).toEqual(['customers']);
    expect(await scan('own', { include: ['*.orders'] })).toEqual(['orders']);
    expect((await g.call(g.admin, 'POST', `${PATH}/none/scan`, {})).status).toBe(404);
    const started = await auditOf(g, 'datasource.scan_started');
    const ended = await auditOf(g, 'datasource.scan_ended');
    expect(started.length).toBeGreaterThan(2);
    expect(ended.map(({ outcome }) => outcome)).toEqual(started.map(() => 'done'));
    expect(ended.every(({ of }) => typeof of === 'string')).toBe(true);
  });

  it('open no file outside of the directories that the server names, nor its own state', async () => {
    const { g, ground } = sqlite();
    const link = join(ground.path, '..', 'link.db');
    await symlink('/etc/passwd', link);
    const paths = {
      outside: '/etc/passwd',
      missing: '/etc/no-such-file',
      linked: link,
      state: join(g.config.data_dir, 'vkit.db'),
    };
    for (const [id, path] of Object.entries(paths)) {
      await g.call(g.admin, 'POST', PATH, { id, engine: 'sqlite', config: { path } });
      const answer = await g.call<{ error: string }>(g.admin, 'POST', `${PATH}/${id}/test`, {});
      expect(answer, id).toMatchObject({
        status: 502,
        // Alike, so that nobody learns which files there are.
        body: { type: 'datasource_unreachable', error: expect.stringContaining('outside') },
      });
    }
    expect(await auditOf(g, 'datasource.test_ended')).toEqual(
      expect.arrayContaining([expect.objectContaining({ outcome: 'datasource_unreachable' })]),
    );
  });

  it('log in with what a backend has, where a rule lets it go to that host', async (context) => {
    const { url, reason } = await findPostgres();
    if (url === null) return context.skip(reason);
    const { config, variables } = postgresGround(url, 'public');
    const logins = await temporaryFolder();
    const login = { username: variables.username, password: PASSWORD };
    await writeFile(join(logins, 'crm.json'), JSON.stringify(login));
    const allow = [{ path: '{id}', hosts: [config.host] }];
    const { g, call } = await world({
      credential_backends: { file: { directories: [logins], allow } },
    });
    const crm = { name: 'crm', type: 'postgres', environment: 'production', region: null };
    const deployed = (change: object) =>
      g.deploy([ALLOW], (bundle) => {
        const { registry } = bundle;
        const added = { ...crm, config, credentials: 'file', ...change };
        const changed = {
          ...bundle,
          registry: { ...registry, datasources: [added, ...registry.datasources] },
        };
        const checksum = bundleChecksum({
          ...changed,
          bundle: { ...changed.bundle, checksum: '' },
          signing: null,
        });
        return { ...changed, bundle: { ...changed.bundle, checksum } };
      });
    expect((await deployed({})).status).toBe(201);
    expect(await call('POST', '/crm/test', {})).toMatchObject({ status: 200 });
    expect((await deployed({ config: { ...config, host: 'localhost.evil.example' } })).status).toBe(
      201,
    );
    const elsewhere = await call<{ error: string }>('POST', '/crm/test', {});
    expect(elsewhere).toMatchObject({ status: 503, body: { type: 'secret_unavailable' } });
    expect(elsewhere.body.error).toContain('credential_backends.file.allow');
    const from = { credentials: 'vault', credentials_at: { path: 'vkit/crm', password_key: 'pw' } };
    expect((await deployed(from)).status).toBe(201);
    expect((await call('POST', '/crm/test', {})).body).toMatchObject({
      type: 'secret_unavailable',
    });
  });

  it('dial no address that the server’s file does not list, and say so', async () => {
    const { call } = await world({ datasource_addresses: ['10.0.0.0/8', 'db.internal'] });
    const config = { host: '127.0.0.1', port: 1, database: 'crm' };
    await call('POST', '', { ...CRM, config });
    const answer = await call<{ error: string }>('POST', '/crm/test', {});
    expect(answer).toMatchObject({ status: 502, body: { type: 'datasource_unreachable' } });
    expect(answer.body.error).toContain('may not dial 127.0.0.1:1');
    expect(JSON.stringify(answer.body)).toContain('datasource_addresses');
    const own = { id: 'own', engine: 'snowflake', username: 'u', password: PASSWORD };
    const made = await call('POST', '', {
      ...own,
      config: { account: 'a-b', database: 'd', warehouse: 'w' },
    });
    expect(made.status).toBe(201);
    const dialled = await call<{ error: string }>('POST', '/own/test', {});
    expect(dialled.body.error).toContain('may not dial');
  });

  it('say why a database is not reached, and never with what password', async () => {
    const { g, call } = await world();
    const config = { host: '127.0.0.1', port: 1, database: 'crm' };
    await call('POST', '', { ...CRM, config });
    const answer = await call<{ error: string }>('POST', '/crm/test', {});
    expect(answer).toMatchObject({ status: 502, body: { type: 'datasource_unreachable' } });
    expect(answer.body.error).toContain('127.0.0.1:1 refused the connection');
    expect(JSON.stringify(answer.body)).not.toContain(PASSWORD);
    await g.app.context.store.secrets.remove('datasource', 'crm');
    const without = await call<{ hint: string }>('POST', '/crm/test', {});
    expect(without.body.hint).toContain('vkit datasource update crm');
  });
});

/** A MySQL shop and a login of its own that has a password. */
async function lockedShop(context: TestContext): Promise<{ ground: Ground; login: string }> {
  const { url, reason } = await findMysql();
  if (url === null) return context.skip(reason);
  const ground = await mysqlShop(url, { variables: {} });
  const login = `vkit_${randomBytes(6).toString('hex')}`;
  const client = await mysql.createConnection({ uri: url, multipleStatements: true });
  onTestFinished(async () => {
    await client.query(`drop user if exists '${login}'@'%'`);
    await client.end();
  });
  await client.query(
    `create user '${login}'@'%' identified by '${PASSWORD}'; grant select on ${ground.config.database}.* to '${login}'@'%'`,
  );
  // The bundle is compiled by a scan of its own, which needs a login, too.
  return { ground: { ...ground, variables: { username: login, password: PASSWORD } }, login };
}

const inVault = (bundle: Bundle): Bundle => ({
  ...bundle,
  registry: {
    ...bundle.registry,
    datasources: bundle.registry.datasources.map((one) => ({ ...one, credentials: 'vaultkit' })),
  },
});

describe('queries over a datasource with credentials: vaultkit', () => {
  it('log in with what is sealed for the endpoint of the bundle, and with nothing else', async (context) => {
    const { ground, login } = await lockedShop(context);
    const g = await governed(ground);
    const { checksum } = await deployInVault(g);
    expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    const ref = await askGrant(g, g.admin, IDS);
    const fetch = () =>
      g.call<{ type: string; error: string; hint: string }>(
        g.admin,
        'POST',
        `/orgs/acme/grants/${ref}/fetch`,
        {},
      );
    const none = await fetch();
    expect(none).toMatchObject({ status: 502, body: { type: 'datasource_unreachable' } });
    expect(none.body.hint).toContain('vkit datasource update shop');

    const shop = { id: 'shop', engine: 'mysql', config: ground.config };
    const body = { ...shop, username: login, password: PASSWORD };
    expect((await g.call(g.admin, 'POST', PATH, body)).status).toBe(201);
    expect(await g.call(g.admin, 'GET', `${PATH}/shop`)).toMatchObject({
      body: { in_bundle: 'same' },
    });
    expect(await fetch()).toMatchObject({ status: 200, body: { rows: expect.any(Array) } });

    // A wrong password holds at once, though a connection with the right one is open.
    await g.call(g.admin, 'PATCH', `${PATH}/shop`, { password: 'wrong' });
    expect(await fetch()).toMatchObject({ status: 502 });
    await g.call(g.admin, 'PATCH', `${PATH}/shop`, { password: PASSWORD });
    expect((await fetch()).status).toBe(200);

    // Sealed for another endpoint than the bundle's.
    const moved = { config: { ...ground.config, connect_timeout: 3 }, password: PASSWORD };
    await g.call(g.admin, 'PATCH', `${PATH}/shop`, moved);
    const differs = await fetch();
    expect(differs).toMatchObject({ status: 502, body: { type: 'datasource_unreachable' } });
    expect(differs.body.error).toContain('another address');
    expect(differs.body.hint).toContain('vkit datasource update shop');
    for (const { body: told } of [none, differs])
      expect(JSON.stringify(told)).not.toMatch(new RegExp(`${PASSWORD}|${login}|127\\.0\\.0\\.1`));
    expect(await g.call(g.admin, 'GET', `${PATH}/shop`)).toMatchObject({
      body: { in_bundle: 'differs' },
    });

    await g.call(g.admin, 'DELETE', `${PATH}/shop`);
    expect((await fetch()).status).toBe(502);
  });
});

async function deployInVault(g: Governed): Promise<{ checksum: string }> {
  const { bundleChecksum } = await import('../../src/bundle/canonicalise.js');
  const answer = await g.deploy([ALLOW], (bundle) => {
    const changed = inVault(bundle);
    return {
      ...changed,
      bundle: { ...changed.bundle, checksum: bundleChecksum({ ...changed, signing: null }) },
    };
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer));
  return answer.body as { checksum: string };
}
