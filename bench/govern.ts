// Request → grant → fetch of one row, each with its audit records on disk, 1, 16 and 64 at once, over SQLite and PostgreSQL: beside the commits that the
// same disk does one by one, and beside three empty requests of the same client.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { packageRoot } from '../src/util/package-root.js';
import { findPostgres } from '../test/helpers/postgres.js';
import { createPoster, type Measured, measure } from './govern/cycles.js';
import { commitsPerSecond, postgresCommitsPerSecond } from './govern/disk.js';

const SECONDS = Number(process.argv[2] ?? 5);
const WARM_UP_SECONDS = 2;

/** Where the state is; PostgreSQL is the one that tests use. */
const postgres = await findPostgres();
const STATES: Readonly<Record<string, string | null>> = { SQLite: null, PostgreSQL: postgres.url };

const cache = join(packageRoot(), 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'govern-'));
const entry = join(folder, 'server.mjs');
await build({
  entryPoints: [join(packageRoot(), 'bench/govern/server.ts')],
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  outfile: entry,
  logLevel: 'error',
  define: { BUILD_ID: '""' },
});
try {
  for (const [state, url] of Object.entries(STATES)) {
    if (url === null && state !== 'SQLite') console.log(`${state}: ${postgres.reason}`);
    else await measureState(state, url);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureState(state: string, url: string | null): Promise<void> {
  const server = spawn(process.execPath, [entry], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(url === null ? {} : { VKIT_TEST_STATE_URL: url }) },
  });
  try {
    const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    const { address, emptyAddress, token, folder } = JSON.parse(line) as Record<string, string>;
    const disk =
      url === null ? commitsPerSecond(folder ?? '', 2) : await postgresCommitsPerSecond(url, 2);
    console.log(`${state}: ${disk.toFixed(0)} durable commits a second, one by one`);
    const vkit = createPoster(address ?? '', token ?? '');
    const empty = createPoster(emptyAddress ?? '', token ?? '');
    const aql = { source_table: 'customers', columns: ['id', 'email'], limit: 1 };
    const body = JSON.stringify({ aql });
    const org = '/api/v1/orgs/acme';
    const govern = async () => {
      const asked = JSON.parse(await vkit.post(`${org}/requests`, body)) as { grant_ref: string };
      const rows = await vkit.post(`${org}/grants/${asked.grant_ref}/fetch`, '{}');
      if (!rows.includes('"row_count":1')) throw new Error(rows);
    };
    const nothing = async () => {
      for (let turn = 0; turn < 3; turn += 1) await empty.post('/empty', body);
    };
    await measure(govern, 16, WARM_UP_SECONDS);
    await measure(nothing, 16, WARM_UP_SECONDS);
    for (const atOnce of [1, 16, 64]) {
      const governed = await measure(govern, atOnce, SECONDS);
      const beside = await measure(nothing, atOnce, SECONDS);
      console.log(
        `${String(atOnce).padStart(2)} at once: ${told(governed)} governed, ${(governed.perSecond / disk).toFixed(2)} cycles per commit of the disk; ` +
          `three empty requests ${told(beside)}; ${(governed.perSecond / beside.perSecond).toFixed(2)} of that`,
      );
    }
    vkit.close();
    empty.close();
  } finally {
    server.kill('SIGTERM');
    if (server.exitCode === null) await once(server, 'exit');
  }
}

function told({ perSecond, p99Ms }: Measured): string {
  return `${perSecond.toFixed(0)} a second (p99 ${p99Ms.toFixed(1)} ms)`;
}
