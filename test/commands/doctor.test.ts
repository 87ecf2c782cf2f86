import { execFileSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DoctorCheck } from '../../src/services/doctor/check.js';
import { checkDatasources } from '../../src/services/doctor/check-datasources.js';
import { checkServer } from '../../src/services/doctor/check-server.js';
import { type CliResult, jsonOf, runCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const SECRET = 'Sw0rdfish-of-the-shop';

const DATASOURCE = (id: string, path: string) =>
  `id: ${id}\nengine: sqlite\nenvironment: test\nconfig: {path: ${path}}\n`;

async function project(files: Record<string, string> = {}): Promise<string> {
  const cwd = await temporaryFolder();
  const all = {
    'vkit.yaml': 'org: acme\nroles: [analyst]\n',
    'config/datasources/shop.yaml': DATASOURCE('shop', './shop.db'),
    '.gitignore': 'vkit_priv.pem\n',
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
  const database = new DatabaseSync(join(cwd, 'shop.db'));
  database.exec('create table customers (id integer primary key)');
  database.close();
  execFileSync('git', ['init', '--quiet'], { cwd });
  return cwd;
}

/** The doctor's list by id, with nobody logged in anywhere. */
async function doctor(
  cwd: string,
  env: Record<string, string> = {},
): Promise<{ result: CliResult; checks: Map<string, DoctorCheck> }> {
  const variables = {
    XDG_CONFIG_HOME: join(cwd, 'logins'),
    VKIT_API_URL: 'http://127.0.0.1:9',
    ...env,
  };
  const result = await runCli(['doctor', '--json'], { cwd, env: variables });
  const list = jsonOf<DoctorCheck[]>(result);
  return { result, checks: new Map(list.map((check) => [check.id, check])) };
}

describe('vkit doctor', () => {
  it('finds nothing to mend where everything is in order, and says so for people', async () => {
    const cwd = await project();
    await runCli(['keys', 'generate'], { cwd });
    const env = { XDG_CONFIG_HOME: join(cwd, 'logins') };
    // No server is named; if one runs at the default address, nobody is logged in there.
    const result = await runCli(['doctor'], { cwd, env });
    expect(result.stdout).toMatch(/✓ node {2}Node 2/);
    expect(result.stdout).toMatch(/✓ git {2}Git 2/);
    expect(result.stdout).toContain('✓ keys.ignored  Git ignores .vkit/keys/vkit_priv.pem');
    expect(result.stdout).toContain('✓ keys.public  .vkit/keys/vkit_pub.pem, of the private key');
    expect(result.stdout).toMatch(/✓ datasource\.shop {2}answers: sqlite 3\S*, /);
    expect(result.stdout).toContain('- config.server');
    expect(result.stdout).toContain('0 policies, 0 datasets, 1 datasource\n');
    expect(result.stdout).toMatch(/\nAll is well\.\n$/);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
  });

  it('names a key that Git would take and others can read, a server that is not there, a database that is not there', async () => {
    const cwd = await project({
      'config/datasources/gone.yaml': DATASOURCE('gone', './gone.db'),
      'vkit.server.yaml': 'org: acme\nprot: 3000\n',
    });
    await runCli(['keys', 'generate'], { cwd });
    await writeFile(join(cwd, '.gitignore'), '');
    await chmod(join(cwd, '.vkit/keys/vkit_priv.pem'), 0o644);
    const { result, checks } = await doctor(cwd);
    expect(result.code).toBe(3);
    expect(result.stderr).toBe('');
    const failed = [...checks.values()].filter(({ state }) => state === 'failed');
    expect(failed.map(({ id }) => id).sort()).toEqual([
      'config.server',
      'datasource.gone',
      'keys.ignored',
      'keys.mode',
      'server',
    ]);
    for (const { hint } of failed) expect(hint).not.toBe('');
    expect(checks.get('keys.mode')).toMatchObject({
      message: expect.stringContaining('0644'),
      hint: 'chmod 600 ".vkit/keys/vkit_priv.pem"',
    });
    expect(checks.get('config.server')?.message).toContain('prot');
    expect(checks.get('server')?.message).toContain('http://127.0.0.1:9');
    expect(checks.get('datasource.shop')?.state).toBe('ok');
  });

  it('exits 7 where all that fails is out of reach, and leaves to the server what only it can open', async () => {
    const source =
      'engine: postgres\nenvironment: test\nconfig: {host: 127.0.0.1, port: 9, database: shop}\n';
    const cwd = await project({
      'config/datasources/crm.yaml': `id: crm\n${source}credentials: file\n`,
      'config/datasources/hr.yaml': `id: hr\n${source}credentials: {backend: vault, path: vkit/hr}\n`,
    });
    await runCli(['keys', 'generate'], { cwd });
    const { result, checks } = await doctor(cwd);
    expect(checks.get('server')).toMatchObject({ state: 'failed', code: 'server_unreachable' });
    for (const id of ['crm', 'hr']) {
      const hint = `vkit datasource test ${id} --remote`;
      expect(checks.get(`datasource.${id}`)).toMatchObject({ state: 'skipped', hint });
    }
    expect(result.code).toBe(7);
    const env = { XDG_CONFIG_HOME: join(cwd, 'logins'), VKIT_API_URL: 'http://127.0.0.1:9' };
    const told = await runCli(['doctor'], { cwd, env });
    expect([told.code, told.stderr]).toEqual([7, '']);
    expect(told.stdout).toMatch(new RegExp(`\\n1 of ${checks.size} failed\\.\\n$`));
    const local = await runCli(['datasource', 'test', 'crm'], { cwd, env });
    expect([local.code, local.stderr]).toEqual([2, expect.stringContaining('crm --remote')]);
  });

  it('prints no secret, wherever one was put', async () => {
    const cwd = await project({
      'config/datasources/shop.yaml': `id: shop\nengine: postgres\nenvironment: test\nconfig: {host: 127.0.0.1, port: 9, database: shop}\n`,
      'vkit.server.yaml': `org: postgres://app:${SECRET}@db/shop\n"postgres://app:${SECRET}@db": 1\n`,
      '.vkit/keys/vkit_priv.pem': `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----\n`,
    });
    const { result, checks } = await doctor(cwd, {
      VKIT_DS_SHOP_USERNAME: 'app',
      VKIT_DS_SHOP_PASSWORD: SECRET,
      VKIT_TOKEN: `vks_${SECRET}`,
      VKIT_MASTER_KEY: SECRET,
      VKIT_DEBUG: '1',
    });
    expect(checks.get('keys.private')?.state).toBe('failed');
    expect(checks.get('datasource.shop')?.state).toBe('failed');
    expect(result.stdout + result.stderr).not.toContain(SECRET);
  });
});

describe('the check of a server', () => {
  async function checked(health: object, date?: string): Promise<Map<string, DoctorCheck>> {
    const listener = createServer((_request, response) => {
      response.sendDate = false;
      if (date !== undefined) response.setHeader('date', date);
      response.end(JSON.stringify(health));
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void listener.close());
    const address = listener.address() as { port: number };
    const checks = await checkServer({
      endpoint: `http://127.0.0.1:${address.port}`,
      isNamed: true,
      version: '1.2.3',
      fetch,
      client: null,
      now: () => Date.parse('2026-03-01T10:00:00Z'),
    });
    return new Map(checks.map((check) => [check.id, check]));
  }

  it.each([
    ['the same time', 'Sun, 01 Mar 2026 10:00:00 GMT', 'ok'],
    ['20 s before', 'Sun, 01 Mar 2026 09:59:40 GMT', 'warning'],
    ['two minutes later', 'Sun, 01 Mar 2026 10:02:00 GMT', 'failed'],
    ['no time', undefined, 'skipped'],
  ])('a server whose clock says %s', async (_name, date, state) => {
    const checks = await checked({ status: 'ready', version: '1.2.3' }, date);
    expect(checks.get('server.clock')?.state).toBe(state);
    expect(checks.get('server.version')?.state).toBe('ok');
    expect(checks.get('server.login')).toMatchObject({
      state: 'skipped',
      hint: expect.stringMatching(/^vkit login --endpoint http/),
    });
  });

  it('tells another version, and what is no vkit at all', async () => {
    const other = await checked({ status: 'ready', version: '0.9.0' });
    expect(other.get('server.version')?.message).toContain('0.9.0');
    const foreign = await checked({ hello: 'world' });
    expect([...foreign.keys()]).toEqual(['server']);
    expect(foreign.get('server')?.state).toBe('failed');
  });
});

it('databases are asked a few at a time, in the order of the project', async () => {
  let atOnce = 0;
  let most = 0;
  const ids = Array.from({ length: 12 }, (_, number) => `d${number}`);
  const datasources = ids.map((id) => ({ id, credentials: 'env' as const }));
  const checks = await checkDatasources(datasources, async () => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await new Promise((resolve) => setTimeout(resolve, 5));
    atOnce -= 1;
    return { server: 'postgres 15', latency_ms: 1 };
  });
  expect(checks.map(({ id }) => id)).toEqual(ids.map((id) => `datasource.${id}`));
  expect(most).toBe(4);
});
