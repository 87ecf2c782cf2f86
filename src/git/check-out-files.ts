import { appendFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { VkitError } from '../errors/index.js';
import { AUTHOR, OWN_TRAILER } from './own-commit.js';
import { type Git, gitIn } from './run-git.js';

/** A Git that was told to end may be writing still; each retry waits 100 ms longer than the one before. */
const RETRIES_MAX = 6;

/** These commands talk to nobody. */
const TIMEOUT_MS = 60_000;

export interface CheckOutInput {
  /** The root of the work tree whose repository has the commit. */
  root: string;
  commit: string;
  /**
   * Which files and folders come from which commit, relative to the root; those that are not in it are left out. What comes from another
   * commit than `commit` is there to be read.
   */
  sources: readonly { commit: string; paths: readonly string[] }[];
  /** What Git needs to run at all. */
  environment: Readonly<Record<string, string>>;
}

/** Some files of a commit, in a temporary folder. */
export interface CheckedOut {
  folder: string;
  /**
   * A commit on top of the one that was checked out, in which the named files are as they are in the folder; `null` where none differs.
   * It is on no branch.
   */
  commit(paths: readonly string[], message: string): Promise<{ id: string; tree: string } | null>;
  /** Removes the folder; the end of the process does too. */
  remove(): void;
}

/**
 * Puts files of a commit into a folder, byte by byte. That is a work tree of its own with a configuration of its own: no hook, filter,
 * attribute or setting of the repository, the person or the machine has a say, and symbolic links are plain files. Its objects are
 * in the repository. Throws `unsupported` for a partial clone.
 */
export async function checkOutFiles(input: CheckOutInput): Promise<CheckedOut> {
  const { root, commit, environment } = input;
  const isolated = { ...environment, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
  const ended = new AbortController();
  const at = (directory: string, more: Record<string, string> = {}): Git =>
    gitIn({
      directory,
      environment: { ...isolated, ...more },
      timeoutMs: TIMEOUT_MS,
      signal: ended.signal,
    });
  const original = gitIn({ directory: root, environment, timeoutMs: TIMEOUT_MS });
  await refusePartial(original);
  const ask = async (...args: string[]): Promise<string> =>
    (await original('rev-parse', ...args)).replace(/\r?\n$/, '');
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vkit-drift-')));
  const remove = (): void =>
    rmSync(folder, { recursive: true, force: true, maxRetries: RETRIES_MAX });
  const removeAtExit = (): void => {
    ended.abort();
    try {
      remove();
    } catch {
      // The process has said how it ended. What is thrown now would be said after that, as a second end.
    }
  };
  process.once('exit', removeAtExit);
  const done = (): void => {
    process.removeListener('exit', removeAtExit);
    remove();
  };
  try {
    await at(folder)(
      'init',
      '--quiet',
      '--initial-branch=vkit',
      `--object-format=${await ask('--show-object-format')}`,
    );
    configure(join(folder, '.git'));
    const shallow = resolve(root, await ask('--git-path', 'shallow'));
    // Absent in a full clone.
    await copyFile(shallow, join(folder, '.git/shallow')).catch(() => undefined);
    const objects = resolve(root, await ask('--git-path', 'objects'));
    const git = at(folder, { GIT_OBJECT_DIRECTORY: objects });
    await git('read-tree', commit);
    for (const source of input.sources) await restore(git, source);
    return {
      folder,
      commit: (paths, message) => commitFiles(git, { commit, paths, message }),
      remove: done,
    };
  } catch (error) {
    done();
    throw error;
  }
}

/** The index stays as it is: it is what the next commit begins with. */
async function restore(
  git: Git,
  { commit, paths }: CheckOutInput['sources'][number],
): Promise<void> {
  const present: string[] = [];
  for (const path of paths) {
    const spec = `:(top,literal)${path}`;
    if ((await git('ls-tree', '-r', '-z', '--full-tree', commit, '--', spec)) !== '') {
      present.push(spec);
    }
  }
  if (present.length === 0) return;
  await git('restore', '--quiet', `--source=${commit}`, '--worktree', '--', ...present);
}

/** Nothing of the repository's attributes counts: theirs are read before those of the work tree. */
function configure(gitFolder: string): void {
  appendFileSync(
    join(gitFolder, 'config'),
    `[core]
	autocrlf = false
	symlinks = false
	fileMode = false
	hooksPath = /dev/null
[commit]
	gpgSign = false
[user]
	name = ${AUTHOR.name}
	email = ${AUTHOR.email}
	useConfigOnly = true
`,
  );
  writeFileSync(
    join(gitFolder, 'info/attributes'),
    '* -text -eol -filter -ident -working-tree-encoding\n',
  );
}

async function commitFiles(
  git: Git,
  { commit, paths, message }: { commit: string; paths: readonly string[]; message: string },
): Promise<{ id: string; tree: string } | null> {
  await git('add', '--force', '--', ...paths.map((path) => `:(top,literal)${path}`));
  const tree = (await git('write-tree')).trim();
  const before = (await git('rev-parse', '--verify', `${commit}^{tree}`)).trim();
  if (tree === before) return null;
  const text = `${message}\n\n${OWN_TRAILER}\n`;
  const id = (await git('commit-tree', tree, '-p', commit, '-m', text)).trim();
  return { id, tree };
}

/** Its objects come one by one from the remote, with a configuration that this folder does not have. */
async function refusePartial(git: Git): Promise<void> {
  const found = await git('config', '--get-regexp', '^remote\\..*\\.promisor$').catch(() => '');
  if (found.trim() === '') return;
  throw new VkitError('unsupported', 'The repository is a partial clone, which lacks files.', {
    hint: 'Clone it without --filter; --depth 1 is fine.',
  });
}
