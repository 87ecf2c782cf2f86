import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/util/package-root.js';
import { temporaryFolder } from '../../helpers/temporary-folder.js';
import { type FakeSnowflake, startFakeSnowflake } from './fake-snowflake.js';

const run = promisify(execFile);
const EXIT_TIMEOUT_MS = 50_000;

let fake: FakeSnowflake;

beforeAll(async () => {
  fake = await startFakeSnowflake({
    answer({ sql }) {
      if (sql === 'SELECT 7')
        return { columns: [{ name: 'N', type: 'fixed', scale: 0 }], rows: [['7']] };
      return sql === 'SELECT LOST' ? 'drops' : undefined;
    },
  });
});
afterAll(() => fake.close());

/** Runs the driver with a home and a working directory of its own. */
async function runIn(sql: string) {
  const folder = await temporaryFolder();
  const home = join(folder, 'home');
  const cwd = join(folder, 'work');
  await Promise.all([home, cwd].map((path) => mkdir(path)));
  const script = fileURLToPath(new URL('./own-process.ts', import.meta.url));
  const loader = join(packageRoot(), 'node_modules', 'tsx', 'dist', 'loader.mjs');
  const { stdout, stderr } = await run(
    process.execPath,
    ['--import', loader, script, fake.url.port, sql],
    {
      cwd,
      env: { PATH: process.env.PATH, HOME: home, USERPROFILE: home, TSX_DISABLE_CACHE: '1' },
      timeout: EXIT_TIMEOUT_MS,
    },
  );
  return { stdout, stderr, files: [...(await readdir(home)), ...(await readdir(cwd))] };
}

describe('a program that uses the Snowflake driver', () => {
  it('has no file left in its home and its working directory, and no word that is not its own', async () => {
    expect(await runIn('SELECT 7')).toEqual({ stdout: '[["7"]]\n', stderr: '', files: [] });
  });

  it('ends soon after the service is lost', async () => {
    const { stdout, files } = await runIn('SELECT LOST');
    expect({ stdout, files }).toEqual({ stdout: 'query_timeout\n', files: [] });
  });
});
