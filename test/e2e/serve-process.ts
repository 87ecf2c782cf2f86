import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startCli } from '../helpers/run-cli.js';

export interface ServeProcess {
  url: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface ServeOptions {
  cwd: string;
  dataDir: string;
  publicKeyFile: string;
  adminPassword: string;
}

const START_MS_MAX = 30_000;

/** Starts the built `vkit serve` at a free port and resolves when it listens. */
export async function startServe(options: ServeOptions): Promise<ServeProcess> {
  const child = startCli(
    ['serve', '--json', '--port', '0', '--org', 'acme', '--log-level', 'error'].concat([
      ...['--admin-email', 'admin@acme.test', '--data-dir', options.dataDir],
    ]),
    {
      cwd: options.cwd,
      env: { VKIT_PUBLIC_KEY: options.publicKeyFile, VKIT_ADMIN_PASSWORD: options.adminPassword },
    },
  );
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = once(child, 'exit');
  const late = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
  try {
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      const { url } = JSON.parse(line) as { url: string };
      return {
        url,
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
