import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { type DriftProject, driftProject, pushByHand, TOKEN } from './drift-fixture.js';
import { git, sqlite } from './project-fixture.js';

const ADD_PHONE = 'ALTER TABLE customers ADD COLUMN phone TEXT';
const ADD_FAX = 'ALTER TABLE customers ADD COLUMN fax TEXT';

/** All that a person has in their clone; what is fetched and the objects are not theirs. */
async function clone({ root }: DriftProject): Promise<string[]> {
  return Promise.all([
    git(root, 'rev-parse', 'HEAD'),
    git(root, 'symbolic-ref', 'HEAD'),
    git(root, 'status', '--porcelain=v2', '--untracked-files=all'),
    git(root, 'for-each-ref', 'refs/heads', 'refs/stash', 'refs/tags'),
    git(root, 'ls-files', '--stage', '--debug'),
    git(root, 'stash', 'list'),
    git(root, 'worktree', 'list'),
    git(root, 'config', '--local', '--list'),
    readFile(join(root, 'config/registry.yaml'), 'utf8'),
  ]);
}

describe('drift pr', () => {
  it('opens one pull request, and the second run finds nothing to do', async () => {
    const project = await driftProject();
    const { github, change, done, remoteHead, remoteFile } = project;
    const main = await remoteHead('main');
    change(ADD_PHONE);
    const first = await done();
    expect(first).toMatchObject({
      action: 'created',
      pull_request: { id: 1, number: 1, state: 'open', url: expect.stringContaining('/pull/1') },
      branch: 'vkit/drift',
      base: 'main',
      drift: { found: true, new_fields: 1 },
      datasources: [{ id: 'shop', drift: true }],
    });
    expect(github.pulls).toMatchObject([
      { title: 'Schema drift detected', head: 'vkit/drift', base: 'main' },
    ]);
    expect(github.pulls[0]?.body).toContain('| new field | customers | phone | text | PII |');
    expect(await remoteHead()).toBe(first.commit);
    expect(await remoteHead('main')).toBe(main);
    expect(await remoteFile('config/registry.yaml')).toContain('    phone: {type: text');
    const names = await git(project.remote, 'diff', '--name-only', 'main', 'vkit/drift');
    expect(names).toBe('config/registry.lock.json\nconfig/registry.yaml\n');
    expect(await done()).toMatchObject({ action: 'unchanged', commit: first.commit });
    expect(github.pulls).toHaveLength(1);
    expect(github.problems).toEqual([]);
  });

  it('touches nothing that is in the clone', async () => {
    const project = await driftProject();
    const { root, change, done } = project;
    await writeFile(join(root, 'config/registry.yaml'), 'half: [a thought\n');
    await git(root, 'stash');
    await git(root, 'switch', '-q', '-c', 'mine');
    await writeFile(join(root, 'config/staged.yaml'), 'staged\n');
    await git(root, 'add', 'config/staged.yaml');
    await writeFile(join(root, 'config/registry.yaml'), 'also: [half\n');
    change(ADD_PHONE);
    const before = await clone(project);
    const ran = join(await temporaryFolder(), 'ran');
    for (const hook of ['pre-push', 'reference-transaction', 'post-checkout']) {
      await writeFile(join(root, '.git/hooks', hook), `#!/bin/sh\ntouch "${ran}"\n`, {
        mode: 0o755,
      });
    }
    expect(await done()).toMatchObject({ action: 'created' });
    expect(existsSync(ran)).toBe(false);
    expect(await clone(project)).toEqual(before);
  });

  it('adds to its pull request what changes later, and proposes it anew on what main is then', async () => {
    const project = await driftProject();
    const { github, change, done, remoteFile, remote } = project;
    change(ADD_PHONE);
    const { commit } = await done();
    change(ADD_FAX);
    await pushByHand(project, { branch: 'main', path: 'NOTES.md', edit: () => 'note\n' });
    const second = await done();
    expect(second).toMatchObject({ action: 'updated', pull_request: { number: 1 } });
    expect(second.commit).not.toBe(commit);
    expect(await remoteFile('config/registry.yaml')).toContain('    fax: {type: text');
    expect((await git(remote, 'rev-list', '--count', 'main..vkit/drift')).trim()).toBe('1');
    expect(github.pulls).toHaveLength(1);
    expect(github.pulls[0]?.body).toContain('| new field | customers | fax |');
    expect(github.problems).toEqual([]);
  });

  it('closes the pull request and deletes the branch when the drift is gone', async () => {
    const { github, change, done, remoteHead } = await driftProject();
    change(ADD_PHONE);
    await done();
    change('ALTER TABLE customers DROP COLUMN phone');
    expect(await done()).toMatchObject({
      action: 'closed',
      pull_request: { number: 1, state: 'closed' },
      commit: null,
    });
    expect([github.open, await remoteHead()]).toEqual([[], '']);
    expect(await done()).toMatchObject({ action: 'none', pull_request: null });
    expect(github.problems).toEqual([]);
  });

  it('does the same once its pull request was merged', async () => {
    const { github, change, done, remote, remoteHead } = await driftProject();
    change(ADD_PHONE);
    await done();
    await git(remote, 'update-ref', 'refs/heads/main', 'refs/heads/vkit/drift');
    const [pull] = github.pulls;
    if (pull !== undefined) pull.state = 'closed';
    expect(await done()).toMatchObject({ action: 'none', drift: { found: false } });
    expect(await remoteHead()).toBe('');
  });

  it('keeps commits of others on its branch, and puts its own on top', async () => {
    const project = await driftProject();
    const { github, change, done, remote, remoteFile, remoteHead } = project;
    change(ADD_PHONE);
    await done();
    const edit = (text: string) =>
      text.replace(/( {4}phone: \{type: text, sensitivity: )\w+/, '$1high');
    await pushByHand(project, { branch: 'vkit/drift', path: 'config/registry.yaml', edit });
    const theirs = await remoteHead();
    expect(await done()).toMatchObject({ action: 'unchanged', commit: theirs });
    change(ADD_FAX);
    const { action, commit } = await done();
    expect(action).toBe('updated');
    expect((await git(remote, 'rev-parse', `${commit}^`)).trim()).toBe(theirs);
    expect(await remoteFile('config/registry.yaml')).toMatch(/phone: \{[^}]*sensitivity: high/);
    change('ALTER TABLE customers DROP COLUMN phone; ALTER TABLE customers DROP COLUMN fax');
    expect(await done()).toMatchObject({ action: 'closed', commit });
    expect(await remoteHead()).toBe(commit);
    expect(github.problems).toEqual([]);
  });

  it('sends logins where the default branch says, whatever its own branch says', async () => {
    const project = await driftProject();
    const { root, change, done, remoteFile } = project;
    sqlite(join(root, 'other.db'), 'CREATE TABLE of_another (email TEXT)');
    change(ADD_PHONE);
    await done();
    const path = 'config/datasources/shop.yaml';
    const edit = (text: string) => text.replace('shop.db', 'other.db');
    await pushByHand(project, { branch: 'vkit/drift', path, edit });
    change(ADD_FAX);
    expect(await done()).toMatchObject({ action: 'updated', drift: { new_fields: 2 } });
    expect(await remoteFile('config/registry.yaml')).not.toContain('of_another');
    expect(await remoteFile('config/registry.yaml')).toContain('    fax: {type: text');
    expect(await remoteFile(path)).toContain('other.db');
  });

  it('is told by a person who amends it that the commit is theirs', async () => {
    const project = await driftProject();
    const { root, change, done, remote, remoteHead } = project;
    change(ADD_PHONE);
    await done();
    await git(root, 'fetch', '-q', 'origin', 'vkit/drift');
    const amended = join(await temporaryFolder(), 'amended');
    await git(root, 'worktree', 'add', '-q', '--detach', amended, 'FETCH_HEAD');
    await git(amended, 'commit', '-q', '--amend', '--no-edit', '--allow-empty');
    await git(amended, 'push', '-q', '-f', remote, 'HEAD:refs/heads/vkit/drift');
    const theirs = await remoteHead();
    change(ADD_FAX);
    await done();
    const above = await git(remote, 'rev-list', 'vkit/drift');
    expect(above).toContain(theirs);
  });

  it('never tells the token, in arguments, output, errors or the clone', async () => {
    const { root, change, pr, github } = await driftProject({ over: 'http' });
    change(ADD_PHONE);
    const bin = await temporaryFolder();
    const log = join(bin, 'log');
    const real = (await promisify(execFile)('which', ['git'])).stdout.trim();
    const shim = `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\nexec '${real}' "$@"\n`;
    await writeFile(join(bin, 'git'), shim, { mode: 0o755 });
    const PATH = [bin, process.env.PATH].join(delimiter);
    const result = await pr(['--json'], { env: { VKIT_DEBUG: '1', PATH } });
    expect(result.code).toBe(0);
    expect(result.stdout + result.stderr).not.toContain(TOKEN);
    const commands = await readFile(log, 'utf8');
    expect(commands).toMatch(/^-c .* push /m);
    expect(commands).not.toMatch(/ghs_|authorization|x-access-token/i);
    expect(github.gitRequests.every(({ url }) => !url.includes(TOKEN))).toBe(true);
    expect(await git(root, 'config', '--list', '--show-origin')).not.toContain('extraheader');
    expect(github.problems).toEqual([]);
  });

  it('prints the report with --dry-run, and writes nothing', async () => {
    const { github, change, pr, remoteHead } = await driftProject();
    change(ADD_PHONE);
    const env = { GITHUB_TOKEN: undefined };
    const { code, stdout, stderr } = await pr(['--dry-run'], { env });
    expect([code, stderr]).toEqual([0, '1 new field. A dry run: nothing was pushed.\n']);
    expect(stdout).toMatch(/^## Schema drift\n/);
    expect(stdout).toContain('| new field | customers | phone |');
    expect((await pr(['--dry-run', '--json'], { env })).stdout).toContain('"dry_run": true');
    expect([await remoteHead(), github.seen]).toEqual(['', []]);
  });

  it('works on a project below the root of its repository', async () => {
    const project = await driftProject({ below: 'data/policies' });
    project.change(ADD_PHONE);
    const folders = ['--registry-dir', './config/', '--datasources-dir', './config/datasources'];
    expect(await project.done(folders)).toMatchObject({ action: 'created' });
    const names = await git(project.remote, 'diff', '--name-only', 'main', 'vkit/drift');
    expect(names.split('\n')[1]).toBe('data/policies/config/registry.yaml');
  });

  it('changes the registry file of its own that a large datasource has, and no other', async () => {
    const project = await driftProject();
    const { root, change, done, remote, remoteFile } = project;
    const whole = join(root, 'config/registry.yaml');
    await mkdir(join(root, 'config/registry'));
    await rename(whole, join(root, 'config/registry/shop.yaml'));
    await writeFile(whole, '# Each datasource has its own\n');
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'A file of its own');
    await git(root, 'push', '-q', 'origin', 'main');
    expect(await done()).toMatchObject({ action: 'none', drift: { found: false } });
    change(ADD_PHONE);
    expect(await done()).toMatchObject({ action: 'created', drift: { new_fields: 1 } });
    const names = await git(remote, 'diff', '--name-only', 'main', 'vkit/drift');
    expect(names).toBe('config/registry.lock.json\nconfig/registry/shop.yaml\n');
    expect(await remoteFile('config/registry/shop.yaml')).toContain('    phone: {type: text');
  });

  it('classifies by the reviewed rules of the project, not by those that lie here', async () => {
    const project = await driftProject();
    const { change, done, remoteFile, root } = project;
    const rule = (sensitivity: string) =>
      `rules:\n  - {id: desk, classification: desk, category: pii, sensitivity: ${sensitivity}, phrases: [desk code]}\n`;
    const path = 'config/classifiers.yaml';
    await pushByHand(project, { branch: 'main', path, edit: () => rule('high') });
    await writeFile(join(root, path), rule('low'));
    change('ALTER TABLE customers ADD COLUMN desk_code TEXT');
    await done();
    expect(await remoteFile('config/registry.yaml')).toContain(
      'desk_code: {type: text, sensitivity: high, category: pii, classification: desk}',
    );
  });

  it('cuts a report that GitHub would refuse, and links to the whole', async () => {
    const { github, change, done } = await driftProject();
    const tables = Array.from({ length: 700 }, (_, index) => {
      const columns = ['email', 'phone', 'ssn'].map((name) => `${name}_${index} TEXT`);
      return `CREATE TABLE a_table_with_quite_a_long_name_${index} (${columns});`;
    });
    change(tables.join('\n'));
    expect(await done()).toMatchObject({ action: 'created' });
    const body = github.pulls[0]?.body ?? '';
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toContain(`(<${github.url}/acme/policies/compare/main...vkit/drift>)`);
    expect(github.problems).toEqual([]);
  });
});
