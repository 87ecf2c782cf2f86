import { VkitError } from '../errors/index.js';
import { isOwn, OWN_FORMAT } from './own-commit.js';
import { type Git, gitIn } from './run-git.js';

/** With `--progress`, Git says something every second or so, however large the repository is. */
const TIMEOUT_MS = 120_000;

/** More commits than anybody puts on such a branch by hand; what is beyond is not looked at, and kept. */
const COMMITS_MAX = 1_000;

/** Git must not begin to tidy up somebody's repository, nor run what is there. */
const QUIET = ['gc.auto=0', 'maintenance.auto=false', 'core.hooksPath=/dev/null'].flatMap(
  (setting) => ['-c', setting],
);

/** Replacements are local to a clone, and say nothing of the remote. */
const PLAIN = ['--no-replace-objects'];

export interface RemoteBranchInput {
  /** The root of the work tree of the person or machine that runs vkit. */
  root: string;
  /** `origin` */
  remote: string;
  /** The branch that is vkit's own, without `refs/heads/`. */
  branch: string;
  /** Logins, proxies and certificates for the remote. */
  environment: Readonly<Record<string, string>>;
}

/** How the remote stands. */
export interface RemoteState {
  /** The default branch, without `refs/heads/`, and its commit. */
  defaultBranch: string;
  base: string;
  /** The commit of vkit's branch; `null` where there is none. */
  head: string | null;
  /** Whether somebody else's commits are on vkit's branch and not on the default branch. */
  foreign: boolean;
}

/** One branch of a remote. The repository gets objects of it, and nothing else: no work tree, index, HEAD, stash or branch changes. */
export interface RemoteBranch {
  /** Asks the remote, and gets the commits. Throws `unsupported` where the branch is the default branch. */
  read(): Promise<RemoteState>;
  /**
   * Makes the branch be a commit, which is in the repository. `over` is what was there, `null` for nothing; where something else is
   * there now, that is a `conflict`.
   */
  push(commit: string, over: string | null): Promise<void>;
  /** Whether a commit has this tree and this one parent. */
  isMadeOf(commit: string, made: { tree: string; parent: string }): Promise<boolean>;
  /** Deletes the branch if it is at a commit still. */
  remove(at: string): Promise<void>;
}

export function remoteBranch(input: RemoteBranchInput): RemoteBranch {
  const { root: directory, remote, branch, environment } = input;
  const git = gitIn({ directory, environment, timeoutMs: TIMEOUT_MS });
  const ref = `refs/heads/${branch}`;
  const push = (source: string, expected: string): Promise<string> =>
    git(
      ...QUIET,
      'push',
      '--progress',
      '--no-verify',
      '--no-signed',
      '--no-follow-tags',
      '--recurse-submodules=no',
      `--force-with-lease=${ref}:${expected}`,
      '--',
      remote,
      `${source}:${ref}`,
    );
  return {
    async read() {
      const state = await ask(git, remote, ref);
      const { defaultBranch, base, head } = state;
      if (defaultBranch === branch) {
        throw new VkitError('unsupported', `The default branch of ${remote} is named ${branch}.`, {
          hint: 'vkit never writes to a default branch. Make another one the default branch.',
        });
      }
      const fetch = (...more: string[]): Promise<string> =>
        git(
          ...QUIET,
          'fetch',
          '--progress',
          '--no-tags',
          '--no-prune',
          '--no-write-fetch-head',
          '--no-recurse-submodules',
          '--refmap=',
          ...more,
          '--',
          remote,
          `refs/heads/${defaultBranch}`,
          ...(head === null ? [] : [ref]),
        );
      await fetch();
      if (head === null) return { ...state, foreign: false };
      if (await isOwnOn(git, base, head)) return { ...state, foreign: false };
      const shallow = await git('rev-parse', '--is-shallow-repository');
      // Without its history, all that was on the default branch before looks as if it were not on it.
      if (shallow.trim() === 'true') await fetch('--unshallow');
      return { ...state, foreign: await hasForeign(git, base, head) };
    },
    push: async (commit, over) => {
      await push(commit, over ?? '');
    },
    isMadeOf: async (commit, { tree, parent }) => {
      const log = ['log', '-1', '--no-show-signature', '--format=%T %P', commit, '--'];
      return (await git(...PLAIN, ...log)).trim() === `${tree} ${parent}`;
    },
    remove: async (at) => {
      await push('', at);
    },
  };
}

async function ask(git: Git, remote: string, ref: string): Promise<Omit<RemoteState, 'foreign'>> {
  const answer = await git('ls-remote', '--symref', '--', remote, 'HEAD', ref);
  const lines = answer.split('\n').map((line) => line.split('\t'));
  const at = (name: string) =>
    lines.find(([left = '', right]) => right === name && /^[0-9a-f]{40,64}$/.test(left))?.[0];
  const symbolic = lines.find(([left = '', right]) => right === 'HEAD' && left.startsWith('ref: '));
  const target = symbolic?.[0]?.slice('ref: '.length) ?? '';
  const base = at('HEAD');
  if (!target.startsWith('refs/heads/') || base === undefined) {
    throw new VkitError(
      'git_failed',
      `The remote ${remote} does not say which branch is its default branch.`,
      {
        hint: 'It has no commit yet, or its HEAD names a branch that is not there.',
      },
    );
  }
  return { defaultBranch: target.slice('refs/heads/'.length), base, head: at(ref) ?? null };
}

/** Whether a commit is vkit's, and right on top of another. Throws `conflict` where it came and went meanwhile. */
async function isOwnOn(git: Git, base: string, head: string): Promise<boolean> {
  const format = `--format=%P%n${OWN_FORMAT}`;
  const log = await git(...PLAIN, 'log', '-1', '--no-show-signature', format, head, '--').catch(
    (cause: unknown) => {
      throw new VkitError('conflict', 'The branch of the remote was changed meanwhile.', {
        hint: 'Run the command again; it begins with what is there now.',
        cause,
      });
    },
  );
  const [parents = '', ...rest] = log.split('\n');
  return parents === base && isOwn(rest.join('\n'));
}

/** Also true where there are more commits than anybody looks at. */
async function hasForeign(git: Git, base: string, head: string): Promise<boolean> {
  const log = await git(
    ...PLAIN,
    'log',
    '-z',
    `--max-count=${COMMITS_MAX + 1}`,
    '--no-show-signature',
    `--format=${OWN_FORMAT}`,
    head,
    `^${base}`,
    '--',
  );
  const commits = log.split('\0').filter((commit) => commit !== '');
  return commits.length > COMMITS_MAX || !commits.every(isOwn);
}
