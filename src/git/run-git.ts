import { simpleGit } from 'simple-git';
import { gitError } from './git-error.js';

export interface GitOptions {
  directory: string;
  /** The whole environment Git runs in; nothing of the process's own reaches it. */
  environment: Readonly<Record<string, string>>;
  /** Git is ended when it has said nothing for so long. */
  timeoutMs: number;
  /** Ends the Git that runs. */
  signal?: AbortSignal;
}

/** Runs one Git command and gives what it wrote to stdout. */
export type Git = (...args: string[]) => Promise<string>;

/**
 * Git in a folder, in English, which never asks anything on a terminal. simple-git refuses Git's variables and settings that
 * run a program, so that no argument brings them in; here they come from the given environment alone, and the arguments are
 * vkit's own. Throws what `gitError` makes of a failure.
 */
export function gitIn({ directory, environment, timeoutMs, signal }: GitOptions): Git {
  const whole = { ...environment, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' };
  const runner = simpleGit({
    baseDir: directory,
    timeout: { block: timeoutMs },
    ...(signal === undefined ? {} : { abort: signal }),
    maxConcurrentProcesses: 1,
    allowEnvironment: Object.keys(whole).filter((name) => /^(git_|ssh_askpass$)/i.test(name)),
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeHooksPath: true,
      allowUnsafeSshCommand: true,
      allowUnsafeUrlRewrite: true,
    },
  }).env(whole);
  return async (...args) => {
    try {
      return await runner.raw(args);
    } catch (cause) {
      throw gitError(cause, args);
    }
  };
}
