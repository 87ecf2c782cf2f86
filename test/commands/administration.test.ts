import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ACCOUNT_PASSWORD,
  ADMIN,
  type LiveServer,
  liveServer,
  startServer,
} from '../helpers/live-server.js';
import { finished, jsonOf, runCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

type Item = Record<string, unknown> & { id: string; state: string };
type ErrorDocument = { error: { code: string; message: string } };

const UMA = 'uma@example.com';
const NEW_PASSWORD = 'another long password';

let server: LiveServer;

beforeAll(async () => {
  server = await liveServer();
  await server.account(UMA, ['analyst']);
}, 120_000);

afterAll(async () => {
  await server?.stop();
});

const admin = (...args: string[]) => server.as(ADMIN, args);

describe('vkit vault rotate', () => {
  it('says that there is nothing to do, and is for administrators', async () => {
    const done = await admin('vault', 'rotate', '--json');
    expect(done.code).toBe(0);
    expect(jsonOf(done)).toMatchObject({ resealed: 0, remaining: 0, complete: true });
    expect((await admin('vault', 'rotate')).stdout).toContain('Nothing to do');
    expect((await server.as(UMA, ['vault', 'rotate'])).code).toBe(6);
  });
});

describe('vkit user', () => {
  it('makes an account with its attributes, without its password in any output', async () => {
    const args = ['user', 'create', '--email', 'Eve@Example.com', '--password-stdin', '--json'];
    const attributes = [
      '--role',
      'analyst',
      '--role',
      'hr',
      '--clearance',
      'low',
      '--region',
      'EU',
    ];
    const made = await server.as(ADMIN, [...args, ...attributes, '--purpose', 'support'], {
      stdin: `${NEW_PASSWORD}\n`,
    });
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(jsonOf(made)).toMatchObject({
      email: 'eve@example.com',
      state: 'active',
      roles: ['analyst', 'hr'],
      clearance: 'low',
      region: 'EU',
      purposes: ['support'],
    });
    const again = await server.as(ADMIN, args, { stdin: NEW_PASSWORD });
    expect([again.code, jsonOf<ErrorDocument>(again).error.code]).toEqual([8, 'conflict']);
    const short = await server.as(
      ADMIN,
      ['user', 'create', '--email', 'x@example.com', '--password-stdin'],
      { stdin: 'hunter2' },
    );
    expect(short.code).toBe(2);
    expect(short.stdout + short.stderr).not.toContain('hunter2');
  });

  it('names the flag that is missing', async () => {
    expect((await admin('user', 'create')).stderr).toContain('--email');
    expect((await admin('user', 'create', '--email', 'a@b.c')).stderr).toContain(
      '--password-stdin',
    );
    const update = await admin('user', 'update', UMA);
    expect([update.code, update.stdout]).toEqual([2, '']);
    expect((await admin('user', 'disable', '--json')).stdout).toContain('Which user?');
  });

  it('lists an array of accounts, and a table for people', async () => {
    const items = jsonOf<Item[]>(await admin('user', 'list', '--json'));
    expect(items.map(({ email }) => email)).toContain(UMA);
    expect(items.every(({ id, state }) => id.startsWith('usr_') && state === 'active')).toBe(true);
    expect((await admin('user', 'list')).stdout).toMatch(/^id +email +state/);
    const refused = await server.as(UMA, ['user', 'list', '--json']);
    expect([refused.code, jsonOf<ErrorDocument>(refused).error.code]).toEqual([6, 'forbidden']);
    expect((await server.as(UMA, ['user', 'list'])).code).toBe(6);
  });

  it('names the other logins at the server to who is refused, and the profile to log in again', async () => {
    const two = ['two@example.com', 'zoe@example.com'] as const;
    for (const email of two) await server.account(email, ['analyst']);
    const login = (profile: string, email: string) =>
      server.as(two[0], ['login', '--profile', profile, '--email', email, '--password-stdin'], {
        stdin: ACCOUNT_PASSWORD,
      });
    expect((await login('zoe', two[1])).stdout).toMatch(
      /The session ends at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(in /,
    );
    const refused = await server.as(two[0], ['user', 'list', '--profile', 'zoe']);
    expect([refused.code, refused.stderr]).toEqual([
      6,
      expect.stringContaining(
        `You are ${two[1]} at ${server.url}, by the profile zoe. To be somebody else: --profile default\n`,
      ),
    ]);
    expect((await admin('user', 'disable', two[1], '--force')).code).toBe(0);
    const over = await server.as(two[0], ['whoami', '--profile', 'zoe']);
    expect([over.code, over.stderr]).toEqual([
      6,
      expect.stringContaining(`Log in with: vkit login --endpoint ${server.url} --profile zoe\n`),
    ]);
    const token = { ...server.env(two[0]), VKIT_TOKEN: 'vka_unknown' };
    const unknown = await runCli(['whoami'], { env: token });
    expect([unknown.code, unknown.stderr.includes('--profile')]).toEqual([6, false]);
  });

  it('updates an account by address or id; an empty value takes an attribute away', async () => {
    const set = await admin('user', 'update', '--role', 'auditor', UMA, '--region', 'US', '--json');
    expect(jsonOf(set)).toMatchObject({ roles: ['auditor'], region: 'US' });
    const { id } = jsonOf<Item>(set);
    const unset = await admin('user', 'update', '--id', id, '--region', '', '--json');
    expect(jsonOf(unset)).toMatchObject({ roles: ['auditor'], region: null });
    const nobody = await admin('user', 'update', 'nobody@example.com', '--region', 'US', '--json');
    expect([nobody.code, jsonOf<ErrorDocument>(nobody).error.code]).toEqual([2, 'not_found']);
  });

  it('resets a password, which ends the sessions', async () => {
    await server.account('rex@example.com', ['analyst']);
    const reset = await server.as(
      ADMIN,
      ['user', 'reset-password', 'rex@example.com', '--password-stdin'],
      { stdin: NEW_PASSWORD },
    );
    expect([reset.code, reset.stderr]).toEqual([0, '']);
    expect((await server.as('rex@example.com', ['whoami'])).code).toBe(6);
    const login = ['login', '--email', 'rex@example.com', '--password-stdin'];
    const old = await server.as('rex@example.com', login, { stdin: ACCOUNT_PASSWORD });
    expect(old.code).toBe(6);
    const fresh = await server.as('rex@example.com', login, { stdin: NEW_PASSWORD });
    expect(fresh.code).toBe(0);
  });

  it('disables an account without asking where nobody can answer', async () => {
    await server.account('dan@example.com', ['analyst']);
    const done = await admin('user', 'disable', 'dan@example.com', '--json');
    expect([done.code, jsonOf<Item>(done).state]).toEqual([0, 'disabled']);
    expect((await server.as('dan@example.com', ['whoami'])).code).toBe(6);
    const self = await admin('user', 'disable', ADMIN, '--force');
    expect(self.code).toBe(8);
    const again = await admin('user', 'enable', 'dan@example.com', '--json');
    expect([again.code, jsonOf<Item>(again).state]).toEqual([0, 'active']);
    expect((await server.as('dan@example.com', ['whoami'])).code).toBe(6);
    const last = await admin('user', 'update', ADMIN, '--role', 'auditor', '--json');
    expect([last.code, jsonOf<ErrorDocument>(last).error.code]).toEqual([8, 'conflict']);
    const oidc = await admin('user', 'create', '--email', 'o@example.com', '--oidc', '--json');
    expect([oidc.code, oidc.stdout]).toEqual([2, expect.stringContaining('identity provider')]);
  });
});

describe('vkit session', () => {
  it('lists the logins in use, with id and state, and ends one by its id', async () => {
    await server.account('sam@example.com', ['analyst']);
    const list = await admin('session', 'list', '--user', 'sam@example.com', '--json');
    const [session] = jsonOf<(Item & { email: string; client: string })[]>(list);
    expect([list.code, list.stderr, session]).toMatchObject([
      0,
      '',
      { email: 'sam@example.com', state: 'active', client: expect.stringContaining('vkit/') },
    ]);
    const mine = await server.as('sam@example.com', ['session', 'list', '--mine']);
    expect([mine.code, mine.stdout]).toEqual([0, expect.stringContaining('(this one)')]);
    const other = await server.as('sam@example.com', ['session', 'list', '--json']);
    expect([other.code, jsonOf<ErrorDocument>(other).error.code]).toEqual([6, 'forbidden']);
    const ended = await admin('session', 'revoke', '--id', session?.id ?? '', '--json');
    expect([ended.code, jsonOf<Item>(ended).state]).toEqual([0, 'revoked']);
    expect((await server.as('sam@example.com', ['whoami'])).code).toBe(6);
    expect((await admin('session', 'revoke', 'ses_none')).code).toBe(2);
    expect((await admin('session', 'revoke')).stderr).toContain('Which session?');
  });
});

describe('vkit user reset-password --data-dir', () => {
  it.each([
    [['--org', 'acme'], '--org is only for --database-url.'],
    [['--org', 'acme', '--data-dir', 'x'], '--org is only for --database-url.'],
    [['--data-dir', 'x', '--profile', 'ana'], '--data-dir and --profile cannot be given together.'],
    [
      ['--database-url', 'postgres://h/d', '-e', 'http://h'],
      '--database-url and --endpoint cannot',
    ],
  ])('refuses %j before it asks for anything', async (flags, message) => {
    const result = await runCli(['user', 'reset-password', ...flags]);
    expect([result.code, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toContain(message);
  });

  it('refuses while a server has the state', async () => {
    const args = [
      'user',
      'reset-password',
      '--data-dir',
      server.dataDir,
      '--password-stdin',
      '--json',
    ];
    const result = await runCli(args, { stdin: NEW_PASSWORD });
    expect([result.code, jsonOf<ErrorDocument>(result).error.code]).toEqual([8, 'conflict']);
  });

  it('refuses a folder without a state and makes none', async () => {
    const folder = await temporaryFolder();
    const args = ['user', 'reset-password', '--data-dir', join(folder, 'x'), '--password-stdin'];
    const result = await runCli(args, { stdin: NEW_PASSWORD });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("no server's state");
  });

  it("sets the administrator's password offline, and the audit log knows", async () => {
    const folder = await temporaryFolder();
    const dataDir = join(folder, 'state');
    const first = await startServer(folder, dataDir);
    first.child.kill('SIGTERM');
    await finished(first.child);
    const args = ['user', 'reset-password', '--data-dir', dataDir, '--password-stdin', '--json'];
    const reset = await runCli(args, { stdin: NEW_PASSWORD });
    expect(jsonOf(reset)).toMatchObject({ email: ADMIN, state: 'active' });
    const second = await startServer(folder, dataDir);
    const env = { XDG_CONFIG_HOME: join(folder, 'config'), VKIT_API_URL: second.url };
    const login = ['login', '--email', ADMIN, '--password-stdin'];
    expect((await runCli(login, { env, stdin: NEW_PASSWORD })).code).toBe(0);
    const query = ['audit', 'query', '--action', 'user.password_reset', '--json'];
    expect(jsonOf(await runCli(query, { env }))).toMatchObject([{ metadata: { local: true } }]);
    expect((await runCli(['audit', 'verify'], { env })).code).toBe(0);
    second.child.kill('SIGTERM');
    await finished(second.child);
  });
});

describe('vkit agents tokens', () => {
  it('shows the secret once, lists tokens without it, and revokes by prefix', async () => {
    const made = await admin(
      ...['agents', 'tokens', 'create', '--name', 'bot', '--role', 'reader', '--clearance', 'low'],
      ...['--region', 'US', '--on-behalf-of', UMA, '--expires-in', '24h', '--json'],
      ...['--datasource', 'shop', '--purpose', 'reports'],
    );
    const token = jsonOf<Item & { token: string; prefix: string; expires_at: string }>(made);
    expect(token).toMatchObject({ name: 'bot', state: 'active', roles: ['reader'], region: 'US' });
    const left = Date.parse(token.expires_at) - Date.now();
    expect(left).toBeGreaterThan(86_000_000);
    const env = { VKIT_TOKEN: token.token, VKIT_API_URL: server.url };
    expect(jsonOf(await runCli(['whoami', '--json'], { env }))).toMatchObject({ kind: 'agent' });
    const list = await admin('agents', 'tokens', 'list', '--json');
    expect(jsonOf<Item[]>(list).map(({ id }) => id)).toContain(token.id);
    expect(jsonOf<Item[]>(list).find(({ id }) => id === token.id)).toMatchObject({
      roles: ['reader'],
      datasources: ['shop'],
      purposes: ['reports'],
    });
    expect(list.stdout).not.toContain(token.token);
    const { stdout: table } = await admin('agents', 'tokens', 'list');
    expect(table).toContain(token.prefix);
    expect(table).toContain('agent, ai_agent, reader');
    const revoked = await admin('agents', 'tokens', 'revoke', '--token', token.prefix, '--json');
    expect(jsonOf<Item>(revoked).state).toBe('revoked');
    expect((await runCli(['whoami'], { env })).code).toBe(6);
  });

  it('tells people once, and takes no whole token for a name of one', async () => {
    const made = await admin('agents', 'tokens', 'create', '--name', 'second');
    const token = /vka_[\w-]{40,}/.exec(made.stdout)?.[0] ?? '';
    expect(made.stderr).toContain('shown this once');
    const whole = await admin('agents', 'tokens', 'revoke', '--token', token);
    expect(whole.code).toBe(2);
    expect(whole.stderr).not.toContain(token);
    expect((await admin('agents', 'tokens', 'create')).stderr).toContain('--name');
    expect((await admin('agents', 'tokens', 'revoke', 'agt_none')).code).toBe(2);
  });
});

describe('vkit policy', () => {
  it('says what a deployment would do, and does not do it', async () => {
    const bundle = await server.bundle(1);
    const text = await runCli(['policy', 'deploy', '--bundle', bundle, '--dry-run']);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain('Would upload');
    const env = { VKIT_PUBLIC_KEY: join(server.folder, 'keys', 'vkit_pub.pem') };
    const json = await runCli(['policy', 'deploy', '--bundle', bundle, '--dry-run', '--json'], {
      env,
    });
    expect(jsonOf(json)).toMatchObject({ status: 'dry_run', sequence: 1, signature: 'verified' });
    expect(jsonOf(await admin('policy', 'list', '--json'))).toEqual([]);
  });

  it('refuses a bundle that was changed, one for another organisation, and one that is not there', async () => {
    const document = JSON.parse(await readFile(await server.bundle(1), 'utf8'));
    document.policies[0].priority = 999;
    const changed = join(server.folder, 'changed.json');
    await writeFile(changed, JSON.stringify(document));
    for (const flags of [[], ['--dry-run']]) {
      const result = await admin('policy', 'deploy', '--bundle', changed, ...flags, '--json');
      expect([result.code, jsonOf<ErrorDocument>(result).error.code]).toEqual([
        2,
        'bundle_checksum',
      ]);
    }
    const other = await admin(
      ...['policy', 'deploy', '--bundle', await server.bundle(1), '--org', 'other', '--json'],
    );
    expect([other.code, jsonOf<ErrorDocument>(other).error.code]).toEqual([2, 'bundle_org']);
    const none = await admin('policy', 'deploy', '--bundle', 'nothing.json');
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('vkit policy bundle');
  });

  it('deploys, activates, rolls back and revokes versions', { timeout: 90_000 }, async () => {
    const first = await admin('policy', 'deploy', '--bundle', await server.bundle(1), '--json');
    expect(jsonOf(first)).toMatchObject({ id: 'v1', state: 'active', created: true });
    const again = await admin('policy', 'deploy', '--bundle', await server.bundle(1));
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('nothing changed');
    const second = await server.bundle(2);
    for (const flag of ['--no-activate', '--activate=false']) {
      const uploaded = await admin('policy', 'deploy', '--bundle', second, flag, '--json');
      expect(jsonOf(uploaded)).toMatchObject({ id: 'v2', state: 'uploaded' });
    }
    expect(jsonOf(await admin('policy', 'activate', 'v2', '--json'))).toMatchObject({
      state: 'active',
    });
    const low = await admin('policy', 'activate', 'v1', '--json');
    expect([low.code, jsonOf<ErrorDocument>(low).error.code]).toEqual([8, 'sequence_too_low']);
    const unsaid = await admin('policy', 'rollback', '--to', 'v1');
    expect([unsaid.code, unsaid.stdout]).toEqual([2, '']);
    expect(unsaid.stderr).toContain('--reason');
    const back = await admin(
      'policy',
      'rollback',
      '--to',
      'v1',
      '--reason',
      'v2 is wrong',
      '--json',
    );
    expect(jsonOf(back)).toMatchObject({ id: 'v1', state: 'active' });
    const revoked = await admin('policy', 'revoke', '--bundle-version', 'v2', '--reason', 'bad');
    expect([revoked.code, revoked.stderr]).toEqual([0, '']);
    const dead = await admin('policy', 'rollback', '--to', 'v2', '--reason', 'again', '--json');
    expect([dead.code, jsonOf<ErrorDocument>(dead).error.code]).toEqual([3, 'bundle_revoked']);
    const list = jsonOf<Item[]>(await admin('policy', 'list', '--json'));
    expect(list.map(({ id, state }) => [id, state])).toEqual(
      expect.arrayContaining([
        ['v1', 'active'],
        ['v2', 'revoked'],
      ]),
    );
    expect((await admin('policy', 'list')).stdout).toMatch(/^version +state +sequence/);
    expect((await admin('policy', 'activate', 'v9')).code).toBe(2);
    const last = await admin('policy', 'revoke', 'v1', '--reason', 'bad, too');
    expect(last.code).toBe(0);
    expect(last.stderr).toBe(
      'No bundle is active now, so everything is denied.\nNext: vkit policy deploy\n',
    );
    expect((await server.as(UMA, ['policy', 'activate', 'v1'])).code).toBe(6);
  });

  it('exits 3 for a bundle that nobody trusted has signed', async () => {
    const folder = await temporaryFolder();
    await runCli(['keys', 'generate', '--out-dir', 'keys'], { cwd: folder });
    const env = { VKIT_PUBLIC_KEY: join(folder, 'keys', 'vkit_pub.pem') };
    const args = ['policy', 'deploy', '--bundle', await server.bundle(3), '--dry-run', '--json'];
    const result = await runCli(args, { env });
    expect([result.code, jsonOf<ErrorDocument>(result).error.code]).toEqual([
      3,
      'bundle_signature',
    ]);
  });

  it("lists the project's policies with --local", async () => {
    const cwd = await temporaryFolder();
    expect((await runCli(['init', '--with', 'starter'], { cwd })).code).toBe(0);
    const items = jsonOf<Item[]>(await runCli(['policy', 'list', '--local', '--json'], { cwd }));
    expect(items.length).toBeGreaterThan(0);
    expect(items[0]).toMatchObject({ id: expect.any(String), file: expect.any(String) });
  });
});

describe('vkit keys trust', () => {
  it('adds the key once and keeps what is in the file, comments too', async () => {
    const cwd = await temporaryFolder();
    await runCli(['keys', 'generate', '--out-dir', 'keys'], { cwd });
    const text = '# Ours.\nport: 3100 # not the default\n';
    await writeFile(join(cwd, 'vkit.server.yaml'), text);
    const first = await runCli(['keys', 'trust', 'keys/vkit_pub.pem', '--json'], { cwd });
    expect(jsonOf(first)).toMatchObject({ added: true, file: 'keys/vkit_pub.pem', alg: 'EdDSA' });
    const written = await readFile(join(cwd, 'vkit.server.yaml'), 'utf8');
    expect(written).toBe(`${text}trusted_bundle_keys:\n  - keys/vkit_pub.pem\n`);
    const second = await runCli(['keys', 'trust', join(cwd, 'keys', 'vkit_pub.pem')], { cwd });
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('already')]);
    expect(await readFile(join(cwd, 'vkit.server.yaml'), 'utf8')).toBe(written);
  });

  it('refuses a private key, a file that is no key, and a configuration that is broken', async () => {
    const cwd = await temporaryFolder();
    await runCli(['keys', 'generate', '--out-dir', 'keys'], { cwd });
    const secret = await runCli(['keys', 'trust', 'keys/vkit_priv.pem', '--json'], { cwd });
    expect([secret.code, jsonOf<ErrorDocument>(secret).error.code]).toEqual([2, 'key_invalid']);
    expect((await runCli(['keys', 'trust', 'nothing.pem'], { cwd })).code).toBe(2);
    await writeFile(join(cwd, 'other.yaml'), 'trusted_bundle_keys: all\n');
    const broken = ['keys', 'trust', 'keys/vkit_pub.pem', '--config', 'other.yaml', '--json'];
    const result = await runCli(broken, { cwd });
    expect([result.code, jsonOf<ErrorDocument>(result).error.code]).toEqual([2, 'config_invalid']);
  });
});

it('no output held a password', () => {
  const all = server.outputs.join('\n');
  for (const secret of [ACCOUNT_PASSWORD, NEW_PASSWORD, server.adminPassword]) {
    expect(all).not.toContain(secret);
  }
});
