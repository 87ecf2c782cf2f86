import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readGitEnvironment, readGitRemoteEnvironment } from '../../src/config/git-environment.js';
import { checkOutFiles } from '../../src/git/check-out-files.js';
import { openRemote } from '../../src/git/open-remote.js';
import { type RemoteBranch, remoteBranch } from '../../src/git/remote-branch.js';
import { git } from '../commands/project-fixture.js';
import { GitHubServer } from '../helpers/github-server.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const TOKEN = 'ghs_0123456789abcdefghijABCDEFGHIJ012345';

let remote: string;
let root: string;
let environment: Record<string, string>;

/** A commit of vkit's on top of another, with a text in one file. */
async function propose(commit: string, text: string): Promise<string> {
  const files = await checkOutFiles({
    root,
    commit,
    sources: [{ commit, paths: ['config/registry.yaml'] }],
    environment: readGitEnvironment(),
  });
  try {
    await writeFile(join(files.folder, 'config/registry.yaml'), text);
    const made = await files.commit(['config/registry.yaml'], 'Update the registry');
    if (made === null) throw new Error('Nothing differs.');
    return made.id;
  } finally {
    files.remove();
  }
}

async function commitOnMain(name: string): Promise<void> {
  await writeFile(join(root, name), name);
  await git(root, 'add', '.');
  await git(root, 'commit', '-q', '-m', name);
  await git(root, 'push', '-q', 'origin', 'main');
}

function branchOf(at = root): RemoteBranch {
  return remoteBranch({ root: at, remote: 'origin', branch: 'vkit/drift', environment });
}

beforeEach(async () => {
  const folder = await temporaryFolder();
  remote = join(folder, 'acme/policies.git');
  root = join(folder, 'clone');
  environment = readGitRemoteEnvironment({ PATH: process.env.PATH, HOME: folder });
  await mkdir(remote, { recursive: true });
  await git(remote, 'init', '-q', '--bare', '-b', 'main');
  await git(folder, 'clone', '-q', remote, root);
  await mkdir(join(root, 'config'));
  await writeFile(join(root, 'config/registry.yaml'), 'one\r\n');
  await git(root, 'checkout', '-q', '-b', 'main');
  await commitOnMain('first');
});

describe('the branch of a remote', () => {
  it('is written over only where it is what was seen', async () => {
    const branch = branchOf();
    const { base } = await branch.read();
    const [mine, theirs] = [await propose(base, 'mine\n'), await propose(base, 'theirs\n')];
    await branch.push(theirs, null);
    await expect(branch.push(mine, null)).rejects.toMatchObject({ code: 'conflict', exitCode: 8 });
    await expect(branch.remove(mine)).rejects.toMatchObject({ code: 'conflict' });
    expect(await branch.read()).toMatchObject({ head: theirs, foreign: false });
    await branch.push(mine, theirs);
    expect(await branch.read()).toMatchObject({ head: mine, foreign: false });
    await branch.remove(mine);
    expect(await branch.read()).toMatchObject({ head: null, defaultBranch: 'main' });
  });

  it.each([
    ['full', []],
    ['shallow', ['--depth', '1']],
  ])('is known for vkit’s in a %s clone, also when main went on', async (_name, depth) => {
    const { base } = await branchOf().read();
    await branchOf().push(await propose(base, 'mine\n'), null);
    await commitOnMain('second');
    await commitOnMain('third');
    const clone = join(await temporaryFolder(), 'clone');
    await git(root, 'clone', '-q', ...depth, `file://${remote}`, clone);
    const state = await branchOf(clone).read();
    expect(state).toMatchObject({ foreign: false });
    const tip = await propose(state.head ?? '', 'more\n');
    await git(root, 'push', '-q', 'origin', `${tip}:refs/heads/vkit/drift`);
    expect(await branchOf(clone).read()).toMatchObject({ head: tip, foreign: false });
  });

  it.each([
    ['another author', { GIT_AUTHOR_EMAIL: 'ana@example.com' }, 'Vkit-Generated: drift'],
    ['another committer', { GIT_COMMITTER_EMAIL: 'ana@example.com' }, 'Vkit-Generated: drift'],
    ['no trailer', {}, 'Vkit-Generated is drift'],
  ])('has a commit of somebody else’s: %s', async (_name, person, trailer) => {
    const own = {
      GIT_AUTHOR_EMAIL: 'drift@vkit.invalid',
      GIT_COMMITTER_EMAIL: 'drift@vkit.invalid',
    };
    const settings = Object.entries({ ...own, ...person }).map(([name, email]) => [
      `${name === 'GIT_AUTHOR_EMAIL' ? 'author' : 'committer'}.email=${email}`,
    ]);
    const message = `Update the registry\n\n${trailer}`;
    const config = settings.flatMap(([setting = '']) => ['-c', setting]);
    await git(root, ...config, 'commit', '-q', '--allow-empty', '-m', message);
    await git(root, 'push', '-q', 'origin', 'HEAD:vkit/drift');
    expect((await branchOf().read()).foreign).toBe(true);
  });

  it('is never the default branch', async () => {
    await git(root, 'push', '-q', 'origin', 'main:vkit/drift');
    await git(remote, 'symbolic-ref', 'HEAD', 'refs/heads/vkit/drift');
    await expect(branchOf().read()).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('is none of a remote without a default branch, or of none at all', async () => {
    await git(remote, 'symbolic-ref', 'HEAD', 'refs/heads/gone');
    await expect(branchOf().read()).rejects.toMatchObject({ code: 'git_failed', exitCode: 7 });
    await git(root, 'remote', 'set-url', 'origin', 'http://127.0.0.1:1/acme/policies.git');
    await expect(branchOf().read()).rejects.toMatchObject({ code: 'git_failed', exitCode: 7 });
  });

  it('says that a rule of the remote forbids it, and what the remote said', async () => {
    const hook = join(remote, 'hooks/pre-receive');
    await writeFile(hook, '#!/bin/sh\necho "Changes must be signed." >&2\nexit 1\n');
    await chmod(hook, 0o755);
    const { base } = await branchOf().read();
    await expect(branchOf().push(await propose(base, 'mine\n'), null)).rejects.toMatchObject({
      code: 'forbidden',
      exitCode: 6,
      hint: expect.stringMatching(/The remote says: Changes must be signed\.$/),
    });
  });
});

describe('files of a commit', () => {
  it('are its bytes, whatever hooks, filters, attributes and links the clone has', async () => {
    const ran = join(await temporaryFolder(), 'ran');
    for (const hook of [
      'post-checkout',
      'post-index-change',
      'pre-commit',
      'reference-transaction',
    ]) {
      await writeFile(join(root, '.git/hooks', hook), `#!/bin/sh\ntouch "${ran}"\n`);
      await chmod(join(root, '.git/hooks', hook), 0o755);
    }
    await git(root, 'config', 'filter.spoil.smudge', 'tr a-z A-Z');
    await git(root, 'config', 'core.autocrlf', 'true');
    await git(root, 'config', 'core.attributesFile', join(root, '.gitattributes'));
    const other = join(await temporaryFolder(), 'other');
    await git(root, 'clone', '-q', remote, other);
    await writeFile(join(other, '.gitattributes'), '* filter=spoil eol=crlf ident\n');
    await writeFile(join(other, 'config/policy.yaml'), 'id: a\n# $Id$\n');
    await symlink('/etc/hostname', join(other, 'config/link.yaml'));
    await git(other, 'add', '.gitattributes', 'config/policy.yaml', 'config/link.yaml');
    await git(other, 'commit', '-q', '-m', 'Attributes');
    await git(other, 'push', '-q', 'origin', 'main');
    const { base } = await branchOf().read();
    const files = await checkOutFiles({
      root,
      commit: base,
      sources: [{ commit: base, paths: ['config', 'absent.yaml'] }],
      environment: readGitEnvironment(),
    });
    const read = (name: string) => readFile(join(files.folder, 'config', name), 'utf8');
    expect(await read('policy.yaml')).toBe('id: a\n# $Id$\n');
    expect(await read('registry.yaml')).toBe('one\r\n');
    expect(await read('link.yaml')).toBe('/etc/hostname');
    expect(existsSync(join(files.folder, 'first'))).toBe(false);
    expect(await files.commit(['config/registry.yaml'], 'Nothing')).toBeNull();
    files.remove();
    expect([existsSync(files.folder), existsSync(ran)]).toEqual([false, false]);
  });

  it('are refused of a partial clone, which does not have them', async () => {
    await git(root, 'config', 'remote.origin.promisor', 'true');
    const { base } = await branchOf().read();
    const files = checkOutFiles({
      root,
      commit: base,
      sources: [],
      environment: readGitEnvironment(),
    });
    await expect(files).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('the login of Git', () => {
  async function served() {
    const server = await GitHubServer.start({
      token: TOKEN,
      repository: 'acme/policies',
      gitFolder: join(remote, '../..'),
    });
    await git(remote, 'config', 'http.receivepack', 'true');
    await git(root, 'remote', 'set-url', 'origin', `${server.url}/acme/policies.git`);
    return server;
  }
  const open = (serverUrl: string) =>
    openRemote({
      root,
      remote: 'origin',
      branch: 'vkit/drift',
      environment,
      token: TOKEN,
      placeOf: () => ({ repository: 'acme/policies', apiUrl: `${serverUrl}/api`, serverUrl }),
    });

  it('is the token where Git has none', async () => {
    const server = await served();
    const { remote: branch } = await open(server.url);
    const { base } = await branch.read();
    await branch.push(await propose(base, 'mine\n'), null);
    expect(server.gitRequests.length).toBeGreaterThan(2);
    expect(server.gitRequests.every(({ authorized }) => authorized)).toBe(true);
    expect(await readFile(join(root, '.git/config'), 'utf8')).not.toContain('basic');
  });

  it('is never the token at a server that is not GitHub’s', async () => {
    const server = await served();
    const { remote: branch } = await open('http://127.0.0.1:1');
    const { base } = await branch.read();
    const pushed = branch.push(await propose(base, 'mine\n'), null);
    await expect(pushed).rejects.toMatchObject({ code: 'unauthenticated', exitCode: 6 });
    expect(server.gitRequests.some(({ authorized }) => authorized)).toBe(false);
  });

  it('is the one that Git has, where it has one', async () => {
    const server = await served();
    const basic = Buffer.from('x-access-token:another').toString('base64');
    const header = `http.${server.url}/.extraheader`;
    await git(root, 'config', header, `AUTHORIZATION: basic ${basic}`);
    const { remote: branch } = await open(server.url);
    await expect(branch.read()).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(server.gitRequests.every(({ authorized }) => !authorized)).toBe(true);
  });

  it('is asked for by no remote that the repository does not have', async () => {
    for (const name of ['upstream', '--upload-pack=touch x', 'http://127.0.0.1:1/x', '']) {
      const opened = openRemote({
        root,
        remote: name,
        branch: 'vkit/drift',
        environment,
        placeOf: () => null,
      });
      await expect(opened, name).rejects.toMatchObject({ code: 'not_found' });
    }
  });
});
