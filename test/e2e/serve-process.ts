import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startCli } from '../helpers/run-cli.js';

export interface ServeProcess {
  url: string;
  child: ChildProcess;
  /** What it has written to stderr so far. */
  errors(): string;
  /** How it ended. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface ServeOptions {
  cwd: string;
  dataDir: string;
  publicKeyFile: string;
  adminPassword: string;
  /** The state in PostgreSQL; absent: in the data directory. */
  databaseUrl?: string;
  /** A free one if absent. */
  port?: string;
  /** `error` if absent. */
  logLevel?: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

const START_MS_MAX = 30_000;

/** Starts the built `vkit serve` at a free port and resolves when it listens. */
export async function startServe(options: ServeOptions): Promise<ServeProcess> {
  const args = [
    ...['serve', '--json', '--port', options.port ?? '0', '--org', 'acme'],
    ...['--log-level', options.logLevel ?? 'error', '--admin-email', 'admin@acme.test'],
    ...['--data-dir', options.dataDir, ...(options.args ?? [])],
  ];
  const child = startCli(args, {
    cwd: options.cwd,
    env: {
      VKIT_PUBLIC_KEY: options.publicKeyFile,
      VKIT_ADMIN_PASSWORD: options.adminPassword,
      ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      ...options.env,
    },
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const late = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
  try {
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      // What is no answer in one line is an error, which goes on in the next ones.
      if (!line.endsWith('}')) {
        errors += `${line}\n`;
        continue;
      }
      const { url } = JSON.parse(line) as { url: string };
      return {
        url,
        child,
        errors: () => errors,
        exited,
        kill: async () => {
          child.kill('SIGKILL');
          await exited;
        },
      };
    }
    throw new Error(`The server did not start: ${errors}`);
  } finally {
    clearTimeout(late);
  }
}
