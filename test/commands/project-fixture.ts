import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect } from 'vitest';
import { type CliOptions, type CliResult, runCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const SHOP = `
  CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL, ssn TEXT);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), total NUMERIC);
`;

/** Runs statements in a SQLite file, which is made where it is missing. */
export function sqlite(file: string, statements: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(statements);
  } finally {
    database.close();
  }
}

/** Git in a folder, with an identity of its own and nobody's configuration. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];
  const env = { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: '1' };
  const { stdout } = await promisify(execFile)('git', [...identity, ...args], { cwd, env });
  return stdout;
}

export type CliProject = {
  root: string;
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** As `run`, and fails the test where the exit code is not 0. */
  ok(args: readonly string[], options?: CliOptions): Promise<CliResult>;
};

/** An empty folder to run commands in; its HOME is itself, so that no login of this machine is seen. */
export async function emptyFolder(): Promise<CliProject> {
  const root = await temporaryFolder();
  const run: CliProject['run'] = (args, options = {}) =>
    runCli(args, { cwd: root, ...options, env: { HOME: root, ...options.env } });
  return {
    root,
    run,
    ok: async (args, options) => {
      const result = await run(args, options);
      expect(result, args.join(' ')).toMatchObject({ code: 0 });
      return result;
    },
  };
}

/** A project with the SQLite datasource `shop`, scanned. */
export async function shopProject(): Promise<CliProject> {
  const project = await emptyFolder();
  sqlite(join(project.root, 'shop.db'), SHOP);
  await project.ok(['init', '--org', 'acme']);
  await project.ok(['datasource', 'add', 'shop', '--url', 'sqlite:./shop.db', '--region', 'US']);
  await project.ok(['scan', 'shop', '--apply']);
  return project;
}

/**
 * Variables that make a command believe that its output is a terminal; a real pseudo-terminal is not everywhere to be had.
 * What is written is collected as ever.
 */
export function terminal(columns: number): Record<string, string> {
  const code = `const nothing = () => true;
    for (const stream of [process.stdout, process.stderr]) Object.assign(stream, {
      isTTY: true, columns: ${columns}, getWindowSize: () => [${columns}, 40],
      cursorTo: nothing, moveCursor: nothing, clearLine: nothing,
    });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
