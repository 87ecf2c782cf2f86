import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { simpleGit } from 'simple-git';
import { VkitError } from '../errors/index.js';
import { type Change, changesSince } from './changes-since.js';

/** Git answers these questions in milliseconds; a network file system may take longer. */
const TIMEOUT_MS = 30_000;

/** More folders than any path has. */
const PARENTS_MAX = 256;

export interface HeadCommit {
  sha: string;
  /** The committer's time, RFC 3339 in UTC. */
  time: string;
}

/** What vkit asks of a Git work tree; nothing here changes it. */
export interface Repository {
  /** The absolute, resolved path of the work tree. */
  readonly root: string;
  /** `null` before the first commit. */
  headCommit(): Promise<HeadCommit | null>;
  /** Commits on the first-parent line from HEAD, HEAD included. */
  firstParentCount(): Promise<number>;
  isShallow(): Promise<boolean>;
  /** Whether `info/grafts` gives commits other parents than they have, in this clone alone. */
  hasGrafts(): Promise<boolean>;
  /** What lies under the paths and is not what the commit holds there; see `changesSince`. */
  changesSince(commit: string, paths: readonly string[]): Promise<Change[]>;
  /** Host and path of `origin` without user information or `.git`; `null` without one, or for a local path. */
  originName(): Promise<string | null>;
  /** The default branch of `origin`, as it was when that was cloned; `null` where nobody knows. */
  originBranch(): Promise<string | null>;
  /** False for a tracked file, whatever the ignore rules say of it. */
  isIgnored(path: string): Promise<boolean>;
  isInsideWorkTree(path: string): Promise<boolean>;
}

/**
 * Opens the work tree that holds a directory, or returns `null` where there is none. Variables such as
 * GIT_DIR in the environment do not reach Git (simple-git removes them), so a hook that runs vkit
 * asks about the directory it names. Throws `dependency_missing` without Git, `git_failed` otherwise.
 */
export async function openRepository(directory: string): Promise<Repository | null> {
  if (await isOutsideAnyRepository(directory)) return null;
  const inside = await git(directory, ['rev-parse', '--is-inside-work-tree']);
  if (inside.trim() !== 'true') return null;
  const root = await realpath(
    (await git(directory, ['rev-parse', '--show-toplevel'])).replace(/\r?\n$/, ''),
  );
  return repositoryAt(root);
}

function repositoryAt(root: string): Repository {
  return {
    root,
    async headCommit() {
      if (!(await hasHead(root))) return null;
      const line = await git(root, [
        'log',
        '-1',
        '--no-show-signature',
        '--format=%H %ct',
        'HEAD',
        '--',
      ]);
      const [sha = '', seconds = ''] = line.trim().split(' ');
      return { sha, time: new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z') };
    },
    async firstParentCount() {
      if (!(await hasHead(root))) return 0;
      return Number(
        (await git(root, ['rev-list', '--first-parent', '--count', 'HEAD', '--'])).trim(),
      );
    },
    async isShallow() {
      return (await git(root, ['rev-parse', '--is-shallow-repository'])).trim() === 'true';
    },
    async hasGrafts() {
      const path = (await git(root, ['rev-parse', '--git-path', 'info/grafts'])).trim();
      const found = await stat(resolve(root, path)).catch(() => null);
      return found !== null && found.size > 0;
    },
    async changesSince(commit, paths) {
      const inside = paths.map((path) => toPosix(relative(root, path)));
      return changesSince((args) => git(root, args), { root, commit, paths: inside });
    },
    async originName() {
      const url = await git(root, ['config', '--get', 'remote.origin.url']).catch(() => '');
      return repositoryName(url.trim());
    },
    async originBranch() {
      const args = ['symbolic-ref', '--quiet', 'refs/remotes/origin/HEAD'];
      const ref = (await git(root, args).catch(() => '')).trim();
      return /^refs\/remotes\/origin\/(.+)$/.exec(ref)?.[1] ?? null;
    },
    async isIgnored(path) {
      const inside = await pathInside(root, path);
      if (inside === null) return false;
      const output = await git(root, ['check-ignore', '--', inside]).catch(() => '');
      return output !== '';
    },
    async isInsideWorkTree(path) {
      const inside = await pathInside(root, path);
      return inside !== null && inside !== '.git' && !inside.startsWith('.git/');
    },
  };
}

/**
 * `github.com/acme/policies` of any form of address Git takes: https, ssh, or `git@host:path`. User
 * information and `.git` are cut; `null` for a path on this machine.
 */
export function repositoryName(address: string): string | null {
  if (/^(https?|ssh|git|git\+ssh):\/\//i.test(address)) {
    if (!URL.canParse(address)) return null;
    const url = new URL(address);
    return joinName(url.hostname, url.pathname);
  }
  const scp = /^(?:[^@/:]+@)?([^@/:]{2,}):(?!\\|\/\/)(.+)$/.exec(address);
  return scp?.[1] === undefined || scp[2] === undefined ? null : joinName(scp[1], scp[2]);
}

function joinName(host: string, path: string): string | null {
  const trimmed = path
    .replace(/[?#].*$/, '')
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '');
  return host === '' || trimmed === '' ? null : `${host.toLowerCase()}/${trimmed}`;
}

async function hasHead(root: string): Promise<boolean> {
  const answer = await git(root, ['rev-parse', '--verify', '--quiet', 'HEAD']).catch(() => '');
  return answer.trim() !== '';
}

/** The path relative to the work tree with symbolic links resolved, or null outside of it. */
async function pathInside(root: string, path: string): Promise<string | null> {
  const absolute = isAbsolute(path) ? path : resolve(root, path);
  const real = await realpath(absolute).catch(async () => {
    // A file that is not there yet: its folder decides where it would be.
    const folder = await realpath(dirname(absolute)).catch(() => dirname(absolute));
    return join(folder, basename(absolute));
  });
  const inside = relative(root, real);
  return inside === '..' ||
    inside.startsWith(`..${'/'}`) ||
    inside.startsWith('..\\') ||
    isAbsolute(inside)
    ? null
    : toPosix(inside);
}

function toPosix(path: string): string {
  return path.replaceAll('\\', '/');
}

/** Replacement objects are local to a clone, so an answer must not depend on them. */
async function git(directory: string, args: string[]): Promise<string> {
  try {
    const runner = simpleGit({
      baseDir: directory,
      timeout: { block: TIMEOUT_MS },
      maxConcurrentProcesses: 1,
    });
    return await runner.raw(['--no-replace-objects', ...args]);
  } catch (cause) {
    throw translate(cause, directory);
  }
}

function translate(cause: unknown, directory: string): VkitError {
  const text = cause instanceof Error ? cause.message : '';
  if (/ENOENT/.test(text)) {
    return new VkitError('dependency_missing', 'Git is not installed, or not on the PATH.', {
      hint: 'Install Git 2.25 or newer: https://git-scm.com/downloads',
      cause,
    });
  }
  if (/dubious ownership/.test(text)) {
    return new VkitError('git_failed', `Git refuses ${directory}: it belongs to another user.`, {
      hint: `git config --global --add safe.directory ${directory}`,
      cause,
    });
  }
  return new VkitError('git_failed', `Git could not answer about ${directory}.`, { cause });
}

/** Told by the files, not by Git's message, which comes in the user's language. */
async function isOutsideAnyRepository(directory: string): Promise<boolean> {
  let folder = await realpath(directory);
  for (let step = 0; step < PARENTS_MAX; step += 1) {
    const found = await stat(join(folder, '.git')).catch(() => null);
    if (found !== null) return false;
    if (dirname(folder) === folder) return true;
    folder = dirname(folder);
  }
  return true;
}
