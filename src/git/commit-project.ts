import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { VkitError } from '../errors/index.js';

/** A commit of a few files takes milliseconds. */
const TIMEOUT_MS = 30_000;

export interface CommitInput {
  /** An existing folder that is no repository yet. */
  root: string;
  message: string;
  author: { name: string; email: string };
  /** The whole environment Git runs in; nothing of the process's own reaches it. */
  environment: Readonly<Record<string, string>>;
}

/**
 * Makes a folder a repository and commits everything in it that is not ignored, the same on every machine: neither
 * the person's nor the machine's configuration is read, no hook runs, nothing is signed. Throws `dependency_missing` without
 * Git, `git_failed` otherwise.
 */
export async function commitProject(input: CommitInput): Promise<void> {
  const { root, message, author, environment } = input;
  const git = async (...args: string[]): Promise<void> => {
    try {
      await promisify(execFile)('git', args, {
        cwd: root,
        timeout: TIMEOUT_MS,
        env: {
          ...environment,
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_CONFIG_GLOBAL: '/dev/null',
          GIT_AUTHOR_NAME: author.name,
          GIT_AUTHOR_EMAIL: author.email,
          GIT_COMMITTER_NAME: author.name,
          GIT_COMMITTER_EMAIL: author.email,
        },
      });
    } catch (cause) {
      throw translate(cause, args[0] ?? '');
    }
  };
  await git('init', '--quiet', '--template=');
  // Whoever asks Git about these files later does so under a configuration of their own.
  await git('config', 'core.autocrlf', 'false');
  await git('add', '--all', '--', '.');
  await git('commit', '--quiet', '--no-verify', '--message', message);
}

/** Throws `dependency_missing` where Git cannot be run. */
export async function requireGit(environment: CommitInput['environment']): Promise<void> {
  try {
    await promisify(execFile)('git', ['--version'], { env: environment, timeout: TIMEOUT_MS });
  } catch (cause) {
    throw translate(cause, '--version');
  }
}

function translate(cause: unknown, what: string): VkitError {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
    return new VkitError('dependency_missing', 'Git is not installed, or not on the PATH.', {
      hint: 'Install Git 2.25 or newer: https://git-scm.com/downloads',
      cause,
    });
  }
  return new VkitError('git_failed', `Git could not do "git ${what}".`, {
    hint: 'Its configuration may be broken; this says where: git config --list --show-origin',
    cause,
  });
}
