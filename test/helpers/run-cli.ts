import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { inject } from 'vitest';
import { packageRoot } from '../../src/util/package-root.js';

export type CliOptions = {
  /** The working folder; the repository if absent. */
  cwd?: string;
  /** Variables added to a clean environment (PATH, HOME and TMPDIR only); undefined removes one. */
  env?: Record<string, string | undefined>;
  /** What the process reads from stdin, which is then closed. Never a terminal. */
  stdin?: string;
  timeoutMs?: number;
};

export type CliResult = {
  stdout: string;
  stderr: string;
  /** The exit code; null when a signal ended the process. */
  code: number | null;
  signal: NodeJS.Signals | null;
};

const TIMEOUT_MS = 30_000;

/** Runs the built command line as users do, in a process of its own, and waits for its end. */
export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const child = startCli(args, options);
  child.stdin?.on('error', () => undefined); // A command that ends without reading its input.
  child.stdin?.end(options.stdin ?? '');
  return finished(child, options.timeoutMs ?? TIMEOUT_MS);
}

/** Starts the built command line; for servers, and for commands that are to be interrupted. */
export function startCli(args: readonly string[], options: CliOptions = {}): ChildProcess {
  const failure = inject('buildError');
  if (failure !== '') throw new Error(`dist/ could not be built: ${failure}`);
  const { PATH, HOME, TMPDIR } = process.env;
  return spawn(process.execPath, [join(packageRoot(), 'bin', 'run.js'), ...args], {
    cwd: options.cwd ?? packageRoot(),
    env: { PATH, HOME, TMPDIR, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Collects a started command's output until it ends; kills it when it takes too long. */
export function finished(child: ChildProcess, timeoutMs = TIMEOUT_MS): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ stdout, stderr, code, signal });
    });
  });
}

/** The one JSON document on stdout; throws when stdout is anything else. */
export function jsonOf<T = unknown>(result: CliResult): T {
  return JSON.parse(result.stdout) as T;
}
