import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepository, type Repository, repositoryName } from '../../src/git/open-repository.js';

let base: string;
let root: string;

function git(directory: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];
  const env = { ...process.env, GIT_COMMITTER_DATE: '2026-03-01T12:00:00+02:00' };
  return execFileSync('git', ['-C', directory, ...identity, ...args], {
    encoding: 'utf8',
    env,
    stdio: 'pipe',
  });
}

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function open(directory = root) {
  const repository = await openRepository(directory);
  if (repository === null) throw new Error('There is a repository.');
  return repository;
}

async function changedPaths(repository: Repository, path = '.'): Promise<string[]> {
  const changes = await repository.changesSince('HEAD', [join(root, path)]);
  return changes.map((change) => change.path);
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'vkit-git-'));
  root = join(base, 'work');
  mkdirSync(root);
  git(root, 'init', '-q', '-b', 'main');
  write('config/policies/a.yaml', 'id: a\n');
  write('.gitignore', 'ignored/\n*_priv.pem\n');
  git(root, 'add', '.');
  git(root, 'commit', '-q', '-m', 'First');
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('openRepository', () => {
  it('finds the work tree from a folder below its root', async () => {
    expect((await open(join(root, 'config/policies'))).root).toBe((await open()).root);
  });

  it('answers null outside of any work tree', async () => {
    expect(await openRepository(base)).toBeNull();
  });

  it('has no head commit before the first commit', async () => {
    const empty = join(base, 'empty');
    mkdirSync(empty);
    git(empty, 'init', '-q');
    const repository = await open(empty);
    expect(await repository.headCommit()).toBeNull();
    expect(await repository.firstParentCount()).toBe(0);
  });

  it('gives the committer time of the head in UTC, whatever zone it was made in', async () => {
    const head = await (await open()).headCommit();
    expect(head).toEqual({
      sha: git(root, 'rev-parse', 'HEAD').trim(),
      time: '2026-03-01T10:00:00Z',
    });
  });

  it('counts a merged branch as the one commit of its merge', async () => {
    git(root, 'checkout', '-q', '-b', 'side');
    for (const name of ['b', 'c']) git(root, 'commit', '-q', '--allow-empty', '-m', name);
    git(root, 'checkout', '-q', 'main');
    git(root, 'merge', '-q', '--no-ff', '-m', 'Merge', 'side');
    expect(await (await open()).firstParentCount()).toBe(2);
  });

  it('knows a shallow clone', async () => {
    git(root, 'commit', '-q', '--allow-empty', '-m', 'Second');
    git(base, 'clone', '-q', '--depth', '1', `file://${root}`, 'shallow');
    expect(await (await open()).isShallow()).toBe(false);
    expect(await (await open(join(base, 'shallow'))).isShallow()).toBe(true);
  });

  it('lists changed, staged, untracked, ignored and deleted files under the paths asked for', async () => {
    const repository = await open();
    expect(await changedPaths(repository, 'config')).toEqual([]);
    write('config/policies/a.yaml', 'id: changed\n');
    write('config/policies/new file.yaml', 'id: b\n');
    write('config/policies/ignored/c.yaml', 'id: c\n');
    write('config/staged.yaml', 'x: 1\n');
    git(root, 'add', 'config/staged.yaml');
    write('elsewhere.yaml', 'x: 1\n');
    expect(await changedPaths(repository, 'config')).toEqual([
      'config/policies/a.yaml',
      'config/policies/ignored/c.yaml',
      'config/policies/new file.yaml',
      'config/staged.yaml',
    ]);
    rmSync(join(root, 'config/policies/a.yaml'));
    expect(await changedPaths(repository, 'config/policies/a.yaml')).toEqual([
      'config/policies/a.yaml',
    ]);
  });

  it.each(['--assume-unchanged', '--skip-worktree'])(
    'lists a file that is hidden by %s',
    async (mark) => {
      git(root, 'update-index', mark, 'config/policies/a.yaml');
      write('config/policies/a.yaml', 'id: changed\n');
      expect(await changedPaths(await open())).toEqual(['config/policies/a.yaml']);
    },
  );

  it.each<[string, () => void]>([
    [
      'a clean filter of .git/info/attributes',
      () => {
        writeFileSync(join(root, '.git/info/attributes'), '* filter=hide\n');
        git(root, 'config', 'filter.hide.clean', 'git cat-file -p HEAD:%f');
      },
    ],
    [
      'a monitor of files that never sees any change',
      () => {
        const monitor = join(base, 'monitor');
        writeFileSync(monitor, '#!/bin/sh\nprintf "token\\0"\n', { mode: 0o755 });
        git(root, 'config', 'core.fsmonitor', monitor);
        git(root, 'status');
        git(root, 'status');
      },
    ],
    [
      'times and sizes that are not trusted',
      () => {
        git(root, 'config', 'core.trustctime', 'false');
        git(root, 'config', 'core.checkStat', 'minimal');
      },
    ],
    [
      'a replacement of the blob',
      () => {
        const id = execFileSync('git', ['-C', root, 'hash-object', '-w', '--stdin'], {
          input: 'id: b\n',
          encoding: 'utf8',
        });
        git(root, 'replace', 'HEAD:config/policies/a.yaml', id.trim());
      },
    ],
  ])('lists a change that is hidden by %s', async (_, hide) => {
    const file = join(root, 'config/policies/a.yaml');
    const { atime, mtime } = statSync(file);
    hide();
    // Of the same length and age: what tells it apart is what it says.
    writeFileSync(file, 'id: b\n');
    utimesSync(file, atime, mtime);
    expect(await changedPaths(await open())).toEqual(['config/policies/a.yaml']);
  });

  it('lists what .git/info/exclude hides, and nested repositories and submodules', async () => {
    writeFileSync(join(root, '.git/info/exclude'), 'b.yaml\n');
    write('config/policies/b.yaml', 'id: b\n');
    git(base, 'init', '-q', 'other');
    writeFileSync(join(base, 'other/c.yaml'), 'id: c\n');
    git(join(base, 'other'), 'add', '.');
    git(join(base, 'other'), 'commit', '-q', '-m', 'Other');
    const add = ['submodule', 'add', '-q', join(base, 'other'), 'config/policies/sub'];
    git(root, '-c', 'protocol.file.allow=always', ...add);
    git(root, 'commit', '-q', '-m', 'With a submodule');
    git(root, 'config', 'submodule.config/policies/sub.ignore', 'all');
    git(root, 'clone', '-q', join(base, 'other'), 'config/policies/nested');
    const changes = await (await open()).changesSince('HEAD', [join(root, 'config')]);
    expect(changes).toContainEqual({ path: 'config/policies/b.yaml', kind: 'untracked' });
    expect(changes).toContainEqual({ path: 'config/policies/sub', kind: 'submodule' });
    expect(changes).toContainEqual({ path: 'config/policies/sub/c.yaml', kind: 'untracked' });
    expect(changes).toContainEqual({ path: 'config/policies/nested/c.yaml', kind: 'untracked' });
  });

  it('tells line ends that Git changed from changes of a person', async () => {
    git(base, '-c', 'core.autocrlf=true', 'clone', '-q', root, 'windows');
    const clone = join(base, 'windows');
    git(clone, 'config', 'core.autocrlf', 'true');
    expect(git(clone, 'status', '--porcelain')).toBe('');
    const repository = await open(clone);
    const paths = [join(clone, 'config')];
    expect(await repository.changesSince('HEAD', paths)).toEqual([
      { path: 'config/policies/a.yaml', kind: 'line_ends' },
    ]);
    writeFileSync(join(clone, 'config/policies/a.yaml'), 'id: b\r\n');
    expect(await repository.changesSince('HEAD', paths)).toEqual([
      { path: 'config/policies/a.yaml', kind: 'changed' },
    ]);
  });

  it('compares links by where they point, and opens no pipe', async () => {
    symlinkSync('a.yaml', join(root, 'config/policies/link.yaml'));
    git(root, 'add', '.');
    git(root, 'commit', '-q', '-m', 'A link');
    expect(await changedPaths(await open())).toEqual([]);
    rmSync(join(root, 'config/policies/link.yaml'));
    symlinkSync('../a.yaml', join(root, 'config/policies/link.yaml'));
    rmSync(join(root, 'config/policies/a.yaml'));
    execFileSync('sh', ['-c', 'mkfifo config/policies/a.yaml'], { cwd: root });
    expect(await changedPaths(await open(), 'config')).toEqual([
      'config/policies/a.yaml',
      'config/policies/link.yaml',
    ]);
  });

  it('compares in a repository of SHA-256', async () => {
    const other = join(base, 'sha256');
    git(base, 'init', '-q', '--object-format=sha256', 'sha256');
    writeFileSync(join(other, 'a.yaml'), 'id: a\n');
    git(other, 'add', '.');
    git(other, 'commit', '-q', '-m', 'First');
    const repository = await open(other);
    expect(await repository.changesSince('HEAD', [other])).toEqual([]);
    writeFileSync(join(other, 'a.yaml'), 'id: b\n');
    expect(await repository.changesSince('HEAD', [other])).toHaveLength(1);
  });

  it('knows of grafts, which change the count of commits in this clone alone', async () => {
    git(root, 'commit', '-q', '--allow-empty', '-m', 'Second');
    expect(await (await open()).hasGrafts()).toBe(false);
    writeFileSync(join(root, '.git/info/grafts'), git(root, 'rev-parse', 'HEAD'));
    expect(await (await open()).hasGrafts()).toBe(true);
  });

  it('takes a path with glob characters literally', async () => {
    write('config/[x].yaml', 'x: 1\n');
    write('config/x.yaml', 'x: 1\n');
    expect(await changedPaths(await open(), 'config/[x].yaml')).toEqual(['config/[x].yaml']);
  });

  it('is not led elsewhere by GIT_DIR and GIT_INDEX_FILE of a hook', async () => {
    const other = join(base, 'other');
    mkdirSync(other);
    git(other, 'init', '-q');
    process.env.GIT_DIR = join(other, '.git');
    process.env.GIT_INDEX_FILE = join(other, '.git/nothing');
    try {
      const repository = await open();
      expect(await repository.headCommit()).not.toBeNull();
      expect(await changedPaths(repository)).toEqual([]);
    } finally {
      delete process.env.GIT_DIR;
      delete process.env.GIT_INDEX_FILE;
    }
  });

  it('counts history as it is, not as a local replacement says', async () => {
    git(root, 'commit', '-q', '--allow-empty', '-m', 'Second');
    git(root, 'replace', '--graft', 'HEAD');
    expect(await (await open()).firstParentCount()).toBe(2);
  });

  it('tells ignored files from exposed ones, and a tracked file is never ignored', async () => {
    const repository = await open();
    write('keys/vkit_priv.pem', 'x');
    write('keys/key.pem', 'x');
    write('tracked_priv.pem', 'x');
    git(root, 'add', '-f', 'tracked_priv.pem');
    expect(await repository.isIgnored(join(root, 'keys/vkit_priv.pem'))).toBe(true);
    expect(await repository.isIgnored(join(root, 'keys/key.pem'))).toBe(false);
    expect(await repository.isIgnored(join(root, 'tracked_priv.pem'))).toBe(false);
  });

  it('resolves links when it tells whether a path is inside the work tree', async () => {
    const repository = await open();
    symlinkSync(root, join(base, 'link'));
    expect(await repository.isInsideWorkTree(join(base, 'link/config/new.pem'))).toBe(true);
    expect(await repository.isInsideWorkTree(join(base, 'key.pem'))).toBe(false);
    expect(await repository.isInsideWorkTree(join(root, '.git/key.pem'))).toBe(false);
  });

  it('names the origin without its user information', async () => {
    expect(await (await open()).originName()).toBeNull();
    git(root, 'remote', 'add', 'origin', 'https://someone:token@GitHub.com/acme/policies.git');
    expect(await (await open()).originName()).toBe('github.com/acme/policies');
  });
});

describe('repositoryName', () => {
  it.each([
    ['https://github.com/acme/policies', 'github.com/acme/policies'],
    ['https://github.com/acme/policies.git/', 'github.com/acme/policies'],
    ['git@github.com:acme/policies.git', 'github.com/acme/policies'],
    ['ssh://git@git.example.com:2222/acme/policies.git', 'git.example.com/acme/policies'],
    ['https://x-access-token:secret@github.com/acme/policies.git?a=b', 'github.com/acme/policies'],
    ['../policies', null],
    ['/srv/git/policies.git', null],
    ['C:\\git\\policies', null],
    ['file:///srv/git/policies.git', null],
    ['', null],
  ])('of %s is %s', (address, name) => {
    expect(repositoryName(address)).toBe(name);
  });
});
