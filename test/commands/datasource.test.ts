import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonOf } from '../helpers/run-cli.js';
import { emptyFolder, shopProject } from './project-fixture.js';

const SECRET = 'hunter2secret';

async function filesBelow(root: string): Promise<string> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

describe('datasource add', () => {
  it('stores no password, prints the variables to set, and makes config/ outside a project', async () => {
    const { root, ok } = await emptyFolder();
    const url = `postgres://ada:${SECRET}@db.internal:5433/crm`;
    const result = await ok(['datasource', 'add', 'crm', '--url', url, '--username', 'ada']);
    expect(result.stdout).toContain('export VKIT_DS_CRM_USERNAME=ada\n');
    expect(result.stdout).toContain('export VKIT_DS_CRM_PASSWORD=…\n');
    expect(result.stderr).toContain('There was no project');
    expect(result.stderr).toContain('The password was not stored.');
    expect(result.stdout + result.stderr).not.toContain(SECRET);
    const file = await readFile(join(root, 'config/datasources/crm.yaml'), 'utf8');
    expect(file).toContain('credentials: env\n');
    expect(file).toContain('environment: production\n');
    expect(file).toContain('host: db.internal\n');
    expect(await filesBelow(root)).not.toContain(SECRET);
  });

  it('writes where a backend of the server has the login, and which secret it is', async () => {
    const { root, ok, run } = await emptyFolder();
    const add = (id: string, ...flags: string[]) => [
      ...['datasource', 'add', id, '--url', 'postgres://db.internal/crm', '--credential-backend'],
      ...flags,
    ];
    const added = await ok(
      add('crm', 'vault', '--credential-path', 'vkit/crm', '--password-key', 'pw'),
    );
    expect(added.stderr).toContain('vkit policy deploy, then: vkit scan crm --remote --apply\n');
    const crm = await readFile(join(root, 'config/datasources/crm.yaml'), 'utf8');
    expect(crm).toContain('credentials:\n  backend: vault\n  path: vkit/crm\n  password_key: pw\n');
    const made = await ok([...add('erp', 'file'), '--json']);
    expect(jsonOf(made)).toMatchObject({ credentials: 'file', variables: [] });
    const pathless = await run(add('x', 'aws-secrets'));
    expect([pathless.code, pathless.stderr]).toEqual([
      2,
      expect.stringContaining('--credential-path'),
    ]);
    expect((await run(add('x', 'env', '--credential-path', 'a'))).code).toBe(2);
    // From here nobody reads it, and the way is named.
    const scanned = await run(['scan', 'crm']);
    expect([scanned.code, scanned.stderr]).toEqual([7, expect.stringContaining('only the server')]);
    expect(scanned.stderr).toContain('vkit scan crm --remote');
  });

  it.each([
    ['with --password', ['--password', SECRET], ''],
    ['with --password-stdin', ['--password-stdin'], SECRET],
    ['in the config', ['--config', `{"password": "${SECRET}"}`], ''],
    ['in a config that is no JSON', ['--config', `{password: ${SECRET}`], ''],
    ['in a URL of no engine', ['--url', `oracle://ada:${SECRET}@db/x`], ''],
    [
      'in a URL that cannot be read',
      ['--engine', 'postgres', '--url', `postgres://a:${SECRET}@:x`],
      '',
    ],
    ['in an unknown flag', [`--pasword=${SECRET}`], ''],
  ])('%s a password is in no output and no file', async (_name, args, stdin) => {
    const { root, run } = await emptyFolder();
    const url = args.includes('--url') ? [] : ['--url', 'postgres://db.internal/crm'];
    for (const flags of [[], ['--json']]) {
      const line = ['datasource', 'add', 'crm', ...url, ...args, ...flags];
      const result = await run(line, { stdin, env: { VKIT_DEBUG: '1' } });
      expect(result.stdout + result.stderr).not.toContain(SECRET);
    }
    expect(await filesBelow(root)).not.toContain(SECRET);
  });

  it('takes a word that is neither a URL nor a file for neither', async () => {
    const { root, run, ok } = await emptyFolder();
    const line = ['datasource', 'add', 'shop', '--url', 'shop.db'];
    const refused = await run(line);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('sqlite:./data.db');
    await writeFile(join(root, 'shop.db'), '');
    expect(jsonOf(await ok([...line, '--json']))).toMatchObject({ engine: 'sqlite' });
  });

  it('takes the id as a flag too, and refuses two that differ', async () => {
    const { ok, run } = await emptyFolder();
    const url = ['--url', 'sqlite:./shop.db'];
    expect(jsonOf(await ok(['datasource', 'add', '--id', 'shop', ...url, '--json']))).toMatchObject(
      {
        id: 'shop',
        engine: 'sqlite',
        credentials: 'env',
        variables: [],
      },
    );
    expect((await run(['datasource', 'add', 'a', '--id', 'b', ...url])).code).toBe(2);
    expect((await run(['datasource', 'add', ...url])).stderr).toContain('needs ID');
    expect((await run(['datasource', 'add', 'x'])).stderr).toContain('--url');
  });

  it.each([[[]], [['--json']]])('exits 8 where the id is taken (flags: %j)', async (flags) => {
    const { run } = await shopProject();
    const result = await run(['datasource', 'add', 'shop', '--url', 'sqlite:./b.db', ...flags]);
    expect(result.code).toBe(8);
    if (flags.length > 0) expect(jsonOf(result)).toMatchObject({ error: { code: 'conflict' } });
    else
      expect([result.stdout, result.stderr.split('\n')[0]]).toEqual([
        '',
        expect.stringContaining('"shop"'),
      ]);
  });

  it('writes nothing where somebody is logged in and the server cannot keep the credentials', async () => {
    const { root, run, ok } = await emptyFolder();
    const env = { VKIT_TOKEN: 't', VKIT_API_URL: 'http://127.0.0.1:1' };
    const line = ['datasource', 'add', 'crm', '--url', 'postgres://ada@db.internal/crm'];
    const down = await run(line, { env });
    expect([down.code, down.stdout]).toEqual([7, '']);
    const clear = await run([...line, '--password-stdin'], {
      env: { ...env, VKIT_API_URL: 'http://vkit.internal' },
      stdin: SECRET,
    });
    expect([clear.code, clear.stderr]).toEqual([2, expect.stringContaining('in clear')]);
    const nobody = await run(['datasource', 'add', 'crm', '--url', 'postgres://db.internal/crm'], {
      env,
    });
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--username')]);
    const away = await run([...line, '--credential-backend', 'vaultkit']);
    expect(away.code).toBe(6);
    expect(await readdir(root)).toEqual([]);
    const local = await ok([...line, '--credential-backend', 'env'], { env });
    expect(local.stdout).toContain('export VKIT_DS_CRM_PASSWORD=…');
  });
});

describe('datasource update', () => {
  it('says which variables to set where nobody is logged in, and stores nothing', async () => {
    const { root, ok } = await emptyFolder();
    await ok(['datasource', 'add', 'crm', '--url', 'postgres://db.internal/crm']);
    const before = await filesBelow(root);
    const line = ['datasource', 'update', 'crm', '--username', 'ada', '--password', SECRET];
    const result = await ok(line);
    expect(result.stdout).toContain('export VKIT_DS_CRM_USERNAME=ada\n');
    expect(result.stdout).toContain('export VKIT_DS_CRM_PASSWORD=…\n');
    expect(result.stderr).toContain('The password was not stored.');
    expect(result.stdout + result.stderr).not.toContain(SECRET);
    const url = `postgres://eve:${SECRET}@db.internal:5432/crm`;
    const told = await ok(['datasource', 'update', '--url', url, '--json']);
    expect(told.stdout + told.stderr).not.toContain(SECRET);
    expect(jsonOf(told)).toEqual({
      id: 'crm',
      credentials: 'env',
      variables: ['VKIT_DS_CRM_USERNAME', 'VKIT_DS_CRM_PASSWORD'],
      password_stored: false,
    });
    expect(await filesBelow(root)).toBe(before);
  });

  it('changes no address, and names what differs without its value', async () => {
    const { ok, run } = await emptyFolder();
    await ok(['datasource', 'add', 'crm', '--url', 'postgres://db.internal/crm']);
    const urls = [
      `postgres://ada:${SECRET}@evil.example/crm`,
      `postgres://ada:${SECRET}@db.internal/crm?sslmode=disable`,
    ];
    for (const [index, url] of urls.entries()) {
      const result = await run(['datasource', 'update', 'crm', '--url', url]);
      expect(result.code).toBe(2);
      expect(result.stderr).toContain(['differ in host', 'differ in ssl_mode'][index]);
      expect(result.stderr).not.toMatch(new RegExp(`${SECRET}|evil`));
    }
  });

  it('exits 2 for an unknown id and where there are no logins, 6 where nobody is logged in', async () => {
    const { run } = await shopProject();
    const unknown = await run(['datasource', 'update', 'shp']);
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('Did you mean "shop"?'),
    ]);
    const none = await run(['datasource', 'update', 'shop', '--username', 'x']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no credentials')]);
    await run(['datasource', 'add', 'crm', '--url', 'postgres://db.internal/crm']);
    const args = ['datasource', 'update', 'crm', '--credential-backend', 'vaultkit'];
    expect((await run(args)).code).toBe(6);
  });
});

describe('datasource list, get and test', () => {
  it('show what the files say', async () => {
    const { ok } = await shopProject();
    const shown = { id: 'shop', engine: 'sqlite', region: 'US', credentials: 'env' };
    expect(jsonOf(await ok(['datasource', 'list', '--json']))).toEqual([
      expect.objectContaining(shown),
    ]);
    expect((await ok(['datasource', 'list'])).stdout).toMatch(
      /^ID .*\nshop +sqlite +production +US +env\n$/,
    );
    expect(jsonOf(await ok(['datasource', 'get', '--json']))).toMatchObject({
      ...shown,
      path: 'config/datasources/shop.yaml',
      datasets: 2,
    });
    const tested = jsonOf<{ server: string; latency_ms: number }>(
      await ok(['datasource', 'test', 'shop', '--json']),
    );
    expect(tested.server).toMatch(/^sqlite \d/);
    expect(tested.latency_ms).toBeGreaterThan(0);
  });

  it('exits 2 for an unknown id, with the nearest one', async () => {
    const { run } = await shopProject();
    for (const command of ['get', 'test']) {
      const result = await run(['datasource', command, 'shp']);
      expect([result.code, result.stderr]).toEqual([
        2,
        expect.stringContaining('Did you mean "shop"?'),
      ]);
    }
  });

  it.each([[[]], [['--json']]])('test exits 7 where nobody answers (flags: %j)', async (flags) => {
    const { root, run } = await emptyFolder();
    await run(['datasource', 'add', 'gone', '--url', 'sqlite:./gone.db']);
    const result = await run(['datasource', 'test', ...flags]);
    expect(result.code).toBe(7);
    if (flags.length > 0)
      expect(jsonOf(result)).toMatchObject({ error: { code: 'datasource_unreachable' } });
    else expect([result.stdout, result.stderr]).toEqual(['', expect.stringContaining('"gone"')]);
    expect(await readdir(root)).not.toContain('gone.db');
  });

  it('lists the others where one file has problems, and names its line', async () => {
    const { root, ok } = await shopProject();
    await writeFile(join(root, 'config/datasources/bad.yaml'), 'id: bad\nengin: sqlite\n');
    const result = await ok(['datasource', 'list', '--json']);
    expect(jsonOf<object[]>(result)).toHaveLength(1);
    expect(result.stderr).toContain('config/datasources/bad.yaml:2:1');
  });
});

describe('datasource grants', () => {
  it('prints the SQL of a login, for what the registry has, and connects to nothing', async () => {
    const { ok, run } = await emptyFolder();
    await ok(['datasource', 'add', 'crm', '--url', 'postgres://nowhere.invalid/crm']);
    const plain = await ok(['datasource', 'grants', '--login', 'reader']);
    expect(plain.stdout).toContain('GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "reader";\n');
    expect(plain.stderr).toContain('vkit scan crm --apply');
    const told = jsonOf<{ statements: string[] }>(
      await ok(['datasource', 'grants', 'crm', '--json']),
    );
    expect(told).toMatchObject({
      id: 'crm',
      engine: 'postgres',
      login: 'vkit_reader',
      tables: null,
    });
    expect(told.statements).toHaveLength(5);
    const refused = await run(['datasource', 'grants', '--login', "x'; drop"]);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
  });

  it('grants the tables of the registry, and says where there are no logins', async () => {
    const { root, ok } = await shopProject();
    const sqlite = await ok(['datasource', 'grants', 'shop']);
    expect([sqlite.stdout, sqlite.stderr]).toEqual(['', expect.stringContaining('no logins')]);
    const file = join(root, 'config/datasources/shop.yaml');
    const config = 'config: {host: db.internal, database: crm}\n';
    await writeFile(file, `id: shop\nengine: mysql\nenvironment: production\n${config}`);
    const { stdout } = await ok(['datasource', 'grants', 'shop']);
    expect(stdout).toContain("GRANT SELECT ON `main`.`customers` TO 'vkit_reader'@'%';\n");
  });
});

describe('datasource remove', () => {
  it('wants --force where nobody can be asked, and says what the registry still has', async () => {
    const { root, run, ok } = await shopProject();
    const asked = await run(['datasource', 'remove', 'shop']);
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--force')]);
    const removed = await ok(['datasource', 'remove', 'shop', '--force']);
    expect(removed.stdout).toBe('Removed config/datasources/shop.yaml.\n');
    expect(removed.stderr).toContain('2 of its datasets');
    expect(await readdir(join(root, 'config/datasources'))).toEqual(['.gitkeep']);
    expect((await run(['datasource', 'remove', 'shop', '--force'])).code).toBe(2);
  });
});
