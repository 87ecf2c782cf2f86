import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { finished, jsonOf, startCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { driftProject, pushByHand } from './drift-fixture.js';
import { git, sqlite } from './project-fixture.js';

const ADD_PHONE = 'ALTER TABLE customers ADD COLUMN phone TEXT';

describe('drift pr and what it cannot do', () => {
  it('exits 7 where a datasource cannot be read, closes nothing, and proposes what the others have', async () => {
    const project = await driftProject();
    const { root, github, ok, change, pr, remoteHead, remoteFile } = project;
    await ok(['datasource', 'add', 'crm', '--url', 'postgres://127.0.0.1:1/crm']);
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'A second datasource');
    await git(root, 'push', '-q', 'origin', 'main');
    const env = { VKIT_DS_CRM_USERNAME: 'u', VKIT_DS_CRM_PASSWORD: 'p4ssw0rd-of-crm' };
    const pull = github.addPull({ title: 'Schema drift detected' });
    const none = await pr(['--json'], { env });
    expect(none.code).toBe(7);
    expect(jsonOf(none)).toMatchObject({
      error: {
        code: 'drift_unknown',
        details: { action: 'none', pull_request: null, failures: [{ id: 'crm' }] },
      },
    });
    expect([pull.state, await remoteHead()]).toEqual(['open', '']);
    change(ADD_PHONE);
    const dry = await pr(['--dry-run'], { env });
    expect([dry.code, dry.stderr]).toEqual([
      7,
      expect.stringContaining('could not be scanned: crm'),
    ]);
    expect(dry.stdout).toContain('| new field | customers | phone |');
    expect(dry.stdout).toContain('Could not be looked at');
    expect(await remoteHead()).toBe('');
    const some = await pr(['--json'], { env });
    expect(some.code).toBe(7);
    expect(jsonOf(some)).toMatchObject({
      error: { details: { action: 'updated', pull_request: { number: 1 } } },
    });
    expect(await remoteFile('config/registry.yaml')).toContain('    phone: {type: text');
    expect(pull.body).toContain('### crm');
    expect(pull.body).toContain('Could not be looked at');
    expect(none.stdout + some.stdout + pull.body).not.toContain('p4ssw0rd');
    expect(github.problems).toEqual([]);
  });

  it('keeps what it proposed for a datasource that cannot be read any more', async () => {
    const project = await driftProject();
    const { root, github, ok, change, pr, done, remoteFile } = project;
    sqlite(join(root, 'crm.db'), 'CREATE TABLE leads (email TEXT)');
    await ok(['datasource', 'add', 'crm', '--url', 'sqlite:./crm.db']);
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'A second datasource');
    await git(root, 'push', '-q', 'origin', 'main');
    expect(await done()).toMatchObject({ action: 'created' });
    await rm(join(root, 'crm.db'));
    change(ADD_PHONE);
    expect((await pr()).code).toBe(7);
    const registry = await remoteFile('config/registry.yaml');
    expect(registry).toContain('leads:');
    expect(registry).toContain('    phone: {type: text');
    expect(github.open).toMatchObject([{ number: 1, body: expect.stringContaining('### crm') }]);
    sqlite(join(root, 'crm.db'), 'CREATE TABLE leads (email TEXT)');
    expect(await done()).toMatchObject({ action: 'updated' });
    expect(github.open[0]?.body).toContain('| new dataset | leads |');
    expect(github.problems).toEqual([]);
  });

  it('exits 7 where somebody broke the registry on its branch, and leaves it to them', async () => {
    const project = await driftProject();
    const { change, pr, done, remoteHead } = project;
    change(ADD_PHONE);
    await done();
    const edit = (text: string) => `${text}half: [a thought\n`;
    await pushByHand(project, { branch: 'vkit/drift', path: 'config/registry.yaml', edit });
    const theirs = await remoteHead();
    const result = await pr(['--json']);
    expect(result.code).toBe(7);
    expect(jsonOf(result)).toMatchObject({
      error: { code: 'drift_unknown', details: { failures: [{ code: 'invalid_registry' }] } },
    });
    expect(await remoteHead()).toBe(theirs);
  });

  it('finishes in the next run what was cut off between push and pull request', async () => {
    const { github, change, pr, done, remoteHead } = await driftProject();
    change(ADD_PHONE);
    github.instead = ({ method }) => (method === 'POST' ? { cut: 'before' } : undefined);
    const cut = await pr(['--json']);
    expect(cut.code).toBe(7);
    expect(jsonOf(cut)).toMatchObject({ error: { code: 'git_failed' } });
    const head = await remoteHead();
    expect(head).not.toBe('');
    github.instead = () => undefined;
    expect(await done()).toMatchObject({ action: 'created', commit: head });
    expect(github.pulls).toHaveLength(1);
  });

  it('opens no second one where the answer to the first was lost', async () => {
    const { github, change, done } = await driftProject();
    change(ADD_PHONE);
    let cuts = 0;
    github.instead = ({ method }) => {
      if (method !== 'POST' || cuts > 0) return undefined;
      cuts += 1;
      return { cut: 'after' };
    };
    expect(await done()).toMatchObject({ action: 'updated', pull_request: { number: 1 } });
    expect([github.pulls.length, cuts]).toEqual([1, 1]);
    expect(github.problems).toEqual([]);
  });

  it('is one pull request of two runs at once', async () => {
    const { github, change, pr, done } = await driftProject();
    change(ADD_PHONE);
    const codes = (await Promise.all([pr(), pr(), pr()])).map(({ code }) => code);
    expect(codes.every((code) => code === 0 || code === 8)).toBe(true);
    expect(codes).toContain(0);
    expect(github.open).toHaveLength(1);
    expect(await done()).toMatchObject({ action: 'unchanged' });
    expect(github.problems).toEqual([]);
  });

  it('keeps the oldest of several, and closes them all when the drift is gone', async () => {
    const { github, change, done } = await driftProject();
    for (const title of ['One', 'Two']) github.addPull({ title });
    github.addPull({ title: 'A fork’s', from: 'mallory/policies' });
    change(ADD_PHONE);
    expect(await done()).toMatchObject({ action: 'updated', pull_request: { number: 1 } });
    expect(github.pulls.map(({ title }) => title)).toEqual([
      'Schema drift detected',
      'Two',
      'A fork’s',
    ]);
    change('ALTER TABLE customers DROP COLUMN phone');
    expect(await done()).toMatchObject({ action: 'closed', pull_request: { number: 1 } });
    expect(github.open).toMatchObject([{ title: 'A fork’s' }]);
  });

  it.each([
    ['no token', { GITHUB_TOKEN: '' }, 6, 'unauthenticated'],
    ['a token that GitHub does not take', { GITHUB_TOKEN: 'another' }, 6, 'unauthenticated'],
    ['a repository that is not there', { GITHUB_REPOSITORY: 'acme/other' }, 2, 'not_found'],
    ['a token in the clear', { GITHUB_API_URL: 'http://git.acme.test/api' }, 2, 'invalid_input'],
    ['a Git host that is away', { GITHUB_API_URL: 'http://127.0.0.1:1' }, 7, 'git_failed'],
  ])('says what is wrong with %s', async (_name, env, code, name) => {
    const { change, pr, remoteHead } = await driftProject();
    change(ADD_PHONE);
    const result = await pr(['--json'], { env });
    expect([result.code, jsonOf(result)]).toMatchObject([code, { error: { code: name } }]);
    expect(await remoteHead()).toBe('');
  });

  it('says what is wrong with folders outside, a project that was never pushed, and no repository', async () => {
    const { root, remote, pr, run } = await driftProject();
    for (const folder of ['../config', '/etc', 'config/../../x']) {
      const refused = await pr(['--registry-dir', folder, '--json']);
      expect([refused.code, jsonOf(refused)]).toMatchObject([2, { error: { code: 'usage' } }]);
    }
    await git(root, 'rm', '-q', '-r', '--cached', '.');
    await git(root, 'commit', '-q', '--allow-empty', '-m', 'Nothing');
    await git(root, 'push', '-q', remote, 'main');
    expect((await pr()).stderr).toContain('no vkit project on main of origin');
    await rm(join(root, '.git'), { recursive: true });
    expect((await run(['drift', 'pr'])).stderr).toContain('no Git repository');
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const { root, github, environment, ok } = await driftProject();
    const held = createServer();
    await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve));
    const asked = once(held, 'connection');
    onTestFinished(() => {
      held.close();
    });
    const { port } = held.address() as AddressInfo;
    await ok(['datasource', 'add', 'crm', '--url', `postgres://127.0.0.1:${port}/crm`]);
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'A second datasource');
    await git(root, 'push', '-q', 'origin', 'main');
    // While Git is at work in the folder, and later.
    const moments = [0, 12, 24, 250];
    for (const [index, ms] of moments.entries()) {
      const signal = index % 2 === 0 ? 'SIGINT' : 'SIGTERM';
      const TMPDIR = await temporaryFolder();
      const login = { VKIT_DS_CRM_USERNAME: 'u', VKIT_DS_CRM_PASSWORD: 'p' };
      const child = startCli(['drift', 'pr', '--json'], {
        cwd: root,
        env: { ...environment, ...login, TMPDIR },
      });
      await asked;
      while ((await readdir(TMPDIR)).length === 0) await sleep(2);
      await sleep(ms);
      child.kill(signal);
      const { code, stdout } = await finished(child);
      expect([code, JSON.parse(stdout)]).toMatchObject([130, { error: { code: 'interrupted' } }]);
      expect(await readdir(TMPDIR)).toEqual([]);
    }
    expect(github.seen).toEqual([]);
  });
});
