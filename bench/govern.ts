// Request → grant → fetch of one row, each with its audit records on disk, 1, 16 and 64 at once: beside the commits that the
// same disk does one by one, and beside three empty requests of the same client.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { packageRoot } from '../src/util/package-root.js';
import { createPoster, type Measured, measure } from './govern/cycles.js';
import { commitsPerSecond } from './govern/disk.js';

const SECONDS = Number(process.argv[2] ?? 5);
const WARM_UP_SECONDS = 2;

if (process.env.VKIT_BENCH_STATE_POSTGRES !== undefined) {
  console.log('PostgreSQL: this server keeps its state in SQLite alone; skipped.');
}
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
const server = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  const {
    address,
    emptyAddress,
    token,
    folder: state,
  } = JSON.parse(line) as Record<string, string>;
  const disk = commitsPerSecond(state ?? '', 2);
  console.log(`disk: ${disk.toFixed(0)} durable commits a second, one by one`);
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
  rmSync(folder, { recursive: true, force: true });
}

function told({ perSecond, p99Ms }: Measured): string {
  return `${perSecond.toFixed(0)} a second (p99 ${p99Ms.toFixed(1)} ms)`;
}
