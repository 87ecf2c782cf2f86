import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { gitHubProblems } from '../helpers/github-parser.js';
import { ADMIN, type LiveServer, liveServer, startServer } from '../helpers/live-server.js';
import { findMysql } from '../helpers/mysql.js';
import { findPostgres } from '../helpers/postgres.js';
import { type CliResult, finished, jsonOf, runCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { git } from './project-fixture.js';

const PASSWORD = 'Sup3r-s3cret!';
const DBA = 'dba@example.com';
const ANALYST = 'uma@example.com';

type Item = Record<string, unknown> & { id: string };
type ErrorDocument = { error: { code: string; message: string; hint: string } };

let server: LiveServer;

beforeAll(async () => {
  server = await liveServer();
  await server.account(DBA, ['datasource_admin']);
  await server.account(ANALYST, ['analyst']);
}, 120_000);

afterAll(async () => {
  await server?.stop();
});

/** A folder in which somebody works. */
async function folder(who = DBA) {
  const root = await temporaryFolder();
  const run = (args: readonly string[], stdin?: string) =>
    server.as(who, args, { cwd: root, ...(stdin === undefined ? {} : { stdin }) });
  return {
    root,
    run,
    ok: async (args: readonly string[], stdin?: string) => {
      const result = await run(args, stdin);
      expect(result, args.join(' ')).toMatchObject({ code: 0 });
      return result;
    },
    file: (id: string) => readFile(join(root, `config/datasources/${id}.yaml`), 'utf8'),
  };
}

/** A database of MySQL with one table, and a login that has a password. */
async function lockedDatabase(context: TestContext) {
  const { url, reason } = await findMysql();
  if (url === null) return context.skip(reason);
  const name = `vkit_${randomBytes(6).toString('hex')}`;
  const client = await mysql.createConnection({ uri: url, multipleStatements: true });
  context.onTestFinished(async () => {
    await client.query(`drop user if exists '${name}'@'%'; drop database if exists ${name}`);
    await client.end();
  });
  await client.query(
    `create database ${name}; create table ${name}.people (id integer primary key, email varchar(99));
     create user '${name}'@'%' identified by '${PASSWORD}'; grant select on ${name}.* to '${name}'@'%'`,
  );
  const { hostname, port } = new URL(url);
  return { name, url: `mysql://${hostname}:${port || 3306}/${name}` };
}

describe('the commands of datasources, logged in', () => {
  it('seal the credentials, and scan where only the server has them', async (context) => {
    const { name, url } = await lockedDatabase(context);
    const { root, ok, run, file } = await folder();
    const args = ['datasource', 'add', name, '--url', url, '--username', name];
    const added = await ok([...args, '--password-stdin', '--json'], `${PASSWORD}\n`);
    expect(jsonOf(added)).toMatchObject({
      id: name,
      credentials: 'vaultkit',
      variables: [],
      password_stored: true,
      server: server.url,
    });
    const written = await file(name);
    expect(written).toContain('credentials: vaultkit\n');
    expect(written).not.toContain(PASSWORD);
    expect(jsonOf(await ok(['datasource', 'list', '--json']))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: name, in_project: true, on_server: 'ready' }),
      ]),
    );
    expect(jsonOf(await ok(['datasource', 'test', name, '--json']))).toMatchObject({
      id: name,
      engine: 'mysql',
      from: server.url,
    });
    const scanned = jsonOf(await ok(['scan', name, '--json']));
    expect(scanned).toMatchObject({ id: name, tables: 1, fields: 2, drift: true });
    // What can hold secrets stays where the credentials are.
    const refused = await run(['scan', name, '--with-definitions', '--json']);
    expect([refused.code, jsonOf<ErrorDocument>(refused).error.message]).toEqual([
      7,
      expect.stringContaining('hands out no definitions'),
    ]);
    const all = await ok(['scan', '--all', '--apply']);
    expect(all.stdout).toContain('people');
    expect(await readFile(join(root, 'config/registry.yaml'), 'utf8')).toContain('people:');
    expect(jsonOf(await ok(['scan', name, '--json']))).toMatchObject({ drift: false });

    // Where nobody is logged in the credentials are nowhere.
    const away = await server.as(ADMIN, ['scan', name], { cwd: root });
    expect(away.code).toBe(0);
    const out = await runCli(['scan', name], { cwd: root, env: { HOME: root } });
    expect([out.code, out.stderr]).toEqual([7, expect.stringContaining('vkit login')]);

    // A wrong password, and the right one again.
    await ok(['datasource', 'update', name, '--password-stdin'], 'wrong');
    const wrong = await run(['datasource', 'test', name, '--json']);
    expect([wrong.code, jsonOf<ErrorDocument>(wrong).error.code]).toEqual([
      7,
      'datasource_unreachable',
    ]);
    expect(jsonOf<ErrorDocument>(wrong).error.hint).toContain(`vkit datasource update ${name}`);
    const line = ['datasource', 'update', name, '--url', url.replace('://', `://${name}:x@`)];
    await ok([...line, '--password', PASSWORD, '--json']);
    await ok(['datasource', 'test', name]);
    const unsaid = await run(['datasource', 'update', name]);
    expect([unsaid.code, unsaid.stderr]).toEqual([2, expect.stringContaining('--password-stdin')]);

    // The file moves on: what the server read would be of another address.
    await writeFile(
      join(root, `config/datasources/${name}.yaml`),
      written.replace(`database: ${name}`, 'database: other'),
    );
    const moved = await run(['scan', name, '--json']);
    expect([moved.code, jsonOf<ErrorDocument>(moved).error.code]).toEqual([7, 'drift_unknown']);
    expect(jsonOf<ErrorDocument>(moved).error.hint).toContain(`vkit datasource update ${name}`);
    await writeFile(join(root, `config/datasources/${name}.yaml`), written);

    const removed = await ok(['datasource', 'remove', name, '--force']);
    expect(removed.stdout).toContain('The server forgot');
    expect(await readdir(join(root, 'config/datasources'))).toEqual([]);
    expect((await run(['datasource', 'get', name, '--remote'])).code).toBe(2);
  });

  it('have the server read for a pull request of drift what it alone has the credentials of', async (context) => {
    const { name, url } = await lockedDatabase(context);
    const { root, ok, run } = await folder();
    await ok(['init']);
    const args = ['datasource', 'add', name, '--url', url, '--username', name];
    await ok([...args, '--password-stdin'], `${PASSWORD}\n`);
    await ok(['init', '--github']);
    const workflow = await readFile(join(root, '.github/workflows/vkit-drift.yml'), 'utf8');
    expect(workflow).toContain(`    VKIT_PASSWORD: \${{ secrets.VKIT_SCAN_PASSWORD }}\n`);
    expect(workflow).not.toContain('VKIT_DS_');
    expect(await gitHubProblems('workflow', workflow)).toEqual([]);
    const remote = await temporaryFolder();
    await git(remote, 'init', '-q', '--bare', '-b', 'main');
    await git(root, 'init', '-q', '-b', 'main');
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'First');
    await git(root, 'remote', 'add', 'origin', remote);
    await git(root, 'push', '-q', 'origin', 'main');
    expect((await ok(['drift', 'pr', '--dry-run'])).stdout).toContain('| new dataset | people |');
    const analyst = await server.as(ANALYST, ['drift', 'pr', '--dry-run'], { cwd: root });
    expect([analyst.code, analyst.stderr]).toEqual([
      7,
      expect.stringContaining('datasource_admin'),
    ]);
    const nobody = await runCli(['drift', 'pr', '--dry-run'], { cwd: root, env: { HOME: root } });
    expect([nobody.code, nobody.stderr]).toEqual([7, expect.stringContaining('vkit login')]);
    await run(['datasource', 'remove', name, '--force']);
  });

  it('move the credentials of a file to the server and back, and keep its comments', async (context) => {
    const { name, url } = await lockedDatabase(context);
    const { root, ok, file } = await folder();
    await ok(['datasource', 'add', name, '--url', url, '--credential-backend', 'env']);
    const before = await file(name);
    expect(before).toContain('credentials: env\n');
    await writeFile(join(root, `config/datasources/${name}.yaml`), `# Ours.\n${before}`);
    const hinted = await ok(['datasource', 'update', name]);
    expect(hinted.stdout).toContain(`export VKIT_DS_${name.toUpperCase()}_USERNAME=…`);
    expect(hinted.stderr).toContain('--credential-backend vaultkit');
    const args = ['datasource', 'update', name, '--credential-backend', 'vaultkit'];
    await ok([...args, '--username', name, '--password-stdin'], PASSWORD);
    expect(await file(name)).toBe(`# Ours.\n${before.replace(': env', ': vaultkit')}`);
    await ok(['datasource', 'test', name]);
    await ok(['datasource', 'update', name, '--credential-backend', 'env']);
    expect(await file(name)).toBe(`# Ours.\n${before}`);
  });

  it('know what only the server has, and scan it into a folder that is no project yet', async (context) => {
    const { name, url } = await lockedDatabase(context);
    const first = await folder();
    const args = ['datasource', 'add', name, '--url', url, '--username', name];
    await first.ok([...args, '--password-stdin'], PASSWORD);
    const { root, ok, run, file } = await folder();
    expect(jsonOf<Item[]>(await ok(['datasource', 'list', '--json']))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: name, in_project: false, on_server: 'ready' }),
      ]),
    );
    expect(jsonOf(await ok(['datasource', 'get', name, '--json']))).toMatchObject({
      id: name,
      username: name,
      has_secret: true,
      origin: 'server',
    });
    await ok(['datasource', 'test', name]);
    expect(jsonOf(await ok(['scan', name, '--json']))).toMatchObject({ tables: 1, applied: false });
    expect(await readdir(root)).toEqual([]);
    await ok(['scan', name, '--apply']);
    expect(await file(name)).toBe(await first.file(name));
    expect(await readFile(join(root, 'config/registry.yaml'), 'utf8')).toContain('people:');
    // The server's address is changed, and its password with it.
    await rm(join(root, 'config'), { recursive: true });
    const config = JSON.stringify({ connect_timeout: 3 });
    await ok(['datasource', 'update', name, '--config', config, '--password-stdin'], PASSWORD);
    expect(jsonOf(await ok(['datasource', 'get', name, '--json']))).toMatchObject({
      config: { connect_timeout: 3 },
      has_secret: true,
    });
    const typo = await run(['scan', `${name}x`]);
    expect([typo.code, typo.stderr]).toEqual([2, expect.stringContaining('no vkit project')]);
    await ok(['datasource', 'remove', name, '--force']);
  });

  it('have the server scan a file below its directories, with --remote and --all', async () => {
    const { root, ok, run } = await folder();
    const url = `sqlite:${join(server.folder, 'shop.db')}`;
    const added = jsonOf(await ok(['datasource', 'add', 'files', '--url', url, '--json']));
    expect(added).toMatchObject({ credentials: 'env', password_stored: false });
    const remote = jsonOf<Item>(await ok(['scan', 'files', '--remote', '--json']));
    const local = jsonOf<Item>(await ok(['scan', 'files', '--json']));
    expect({ ...remote, duration_ms: 0 }).toEqual({ ...local, duration_ms: 0 });
    const markdown = await ok(['scan', '--all', '--remote', '--diff']);
    expect(markdown.stdout).toContain('customers');
    await ok(['scan', 'files', '--remote', '--apply']);
    expect((await ok(['scan', 'files', '--remote', '--fail-on-drift'])).stdout).toContain(
      'No drift.',
    );
    await writeFile(
      join(root, 'config/datasources/files.yaml'),
      `${await readFile(join(root, 'config/datasources/files.yaml'), 'utf8')}include: [none.*]\n`,
    );
    const scoped = jsonOf(await ok(['scan', 'files', '--remote', '--json']));
    expect(scoped).toMatchObject({ tables: 0 });
    await ok(['datasource', 'remove', 'files', '--force']);
    expect((await run(['scan', 'files', '--remote'])).code).toBe(2);
  });

  it('exit 6 for who may not, 7 where nobody answers, and change nothing then', async () => {
    const { root, ok, run } = await folder(ANALYST);
    const line = ['datasource', 'add', 'crm', '--url', 'postgres://ada@127.0.0.1/crm'];
    const forbidden = await run(line);
    expect([forbidden.code, forbidden.stdout]).toEqual([6, '']);
    expect(forbidden.stderr).toContain('not on the server: --credential-backend env\n');
    expect(await readdir(root)).toEqual([]);
    await ok([...line, '--credential-backend', 'env']);
    const listed = await ok(['datasource', 'list', '--json']);
    expect(jsonOf<Item[]>(listed).map(({ id }) => id)).toEqual(['crm']);
    expect((await run(['scan', 'crm', '--remote'])).code).toBe(6);
    const env = { ...server.env(ANALYST), VKIT_API_URL: 'http://127.0.0.1:1', VKIT_TOKEN: 't' };
    const down = await runCli(['scan', 'crm', '--remote', '--json'], { cwd: root, env });
    expect([down.code, jsonOf<ErrorDocument>(down).error.code]).toEqual([7, 'server_unreachable']);
    const list = await runCli(['datasource', 'list', '--json'], { cwd: root, env });
    expect([list.code, jsonOf<Item[]>(list)]).toEqual([
      0,
      [expect.objectContaining({ id: 'crm' })],
    ]);
    const out = await runCli(['scan', 'crm', '--remote'], { cwd: root, env: { HOME: root } });
    expect(out.code).toBe(6);
    const removed = await ok(['datasource', 'remove', 'crm', '--force']);
    expect(removed.stdout).toBe('Removed config/datasources/crm.yaml.\n');
  });
});

describe('the master secret of vkit serve', () => {
  it('is that of the flag, the variable or the file, in this order, and no other opens', async (context) => {
    const { url, reason } = await findPostgres();
    if (url === null) return context.skip(reason);
    const root = await temporaryFolder();
    const [right, wrong] = ['the right master secret', 'a wrong master secret'];
    for (const [name, text] of Object.entries({ right, wrong }))
      await writeFile(join(root, name), `${text}\n`, { mode: 0o600 });
    await writeFile(join(root, 'file.yaml'), 'master_key_file: right\n');
    await writeFile(join(root, 'wrong.yaml'), 'master_key_file: wrong\n');
    let password = '';
    const serve = async (
      options: { args?: string[]; env?: Record<string, string> },
      use: (run: (args: string[]) => Promise<CliResult>) => Promise<void>,
    ) => {
      const started = await startServer(root, join(root, 'state'), options);
      try {
        const env = { HOME: root, VKIT_API_URL: started.url, XDG_CONFIG_HOME: join(root, 'home') };
        if (started.adminPassword !== '') password = started.adminPassword;
        const login = ['login', '--email', ADMIN, '--password-stdin'];
        expect(await runCli(login, { env, stdin: password })).toMatchObject({ code: 0 });
        await use((args) => runCli(args, { cwd: root, env }));
      } finally {
        started.child.kill('SIGTERM');
        await finished(started.child);
      }
    };
    const { hostname, port, pathname, username } = new URL(url);
    const address = `postgres://${username}:${PASSWORD}@${hostname}:${port || 5432}${pathname}`;
    await serve({ env: { VKIT_MASTER_KEY: right } }, async (run) => {
      expect(await run(['datasource', 'add', 'pg', '--url', address])).toMatchObject({ code: 0 });
    });
    expect(await readdir(join(root, 'state/keys'))).not.toContain('master.key');
    const test = ['datasource', 'test', 'pg', '--json'];
    const opens: { args?: string[]; env?: Record<string, string> }[] = [
      { args: ['--master-key-file', 'right'], env: { VKIT_MASTER_KEY: wrong } },
      { args: ['--config', 'wrong.yaml'], env: { VKIT_MASTER_KEY: right } },
      { args: ['--config', 'file.yaml'] },
    ];
    for (const options of opens)
      await serve(options, async (run) => expect(await run(test)).toMatchObject({ code: 0 }));
    await serve({ env: { VKIT_MASTER_KEY: wrong } }, async (run) => {
      const failed = await run(test);
      expect([failed.code, jsonOf<ErrorDocument>(failed).error.code]).toEqual([7, 'vault_failed']);
    });
    // Without any, another one is not made in its place.
    await serve({}, async (run) => {
      expect((await run(test)).code).toBe(7);
      const update = ['datasource', 'update', 'pg', '--password', 'x', '--json'];
      const unsealed = await run(update);
      expect([unsealed.code, unsealed.stdout]).toEqual([7, expect.not.stringContaining(root)]);
    });
    expect(await readdir(join(root, 'state/keys'))).not.toContain('master.key');
  }, 120_000);
});

it('no output held a password', () => {
  expect(server.outputs.join('\n')).not.toContain(PASSWORD);
});
