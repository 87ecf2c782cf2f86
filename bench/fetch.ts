// A governed fetch over HTTP beside a bare endpoint that runs the same SQL and beside PostGraphile, in one run on PostgreSQL:
// 100 rows of 8 columns at three concurrencies, then a stream of a million rows.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { packageRoot } from '../src/util/package-root.js';
import { openGround, STREAMED_ROWS } from './fetch/ground.js';
import { type Contender, load, start, stop, stream } from './fetch/run.js';

const AIMS: Readonly<Record<number, number>> = { 1: 0.7, 16: 1.0, 64: 1.2 };
const STREAM_RATIO_MIN = 1.5;
const STREAM_MEMORY_MAX = 100;
const SECONDS = Number(process.argv[2] ?? 5);
/** Each contender is measured this often, in turn: the machine's moods hit all of them. */
const ROUNDS = Number(process.argv[3] ?? 3);

const url = process.env.VKIT_BENCH_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const folder = mkdtempSync(join(packageRoot(), 'bench', '.fetch-'));
const ground = await openGround(url);
const contenders: Contender[] = [];
try {
  const server = join(folder, 'vkit-server.mjs');
  await build({
    entryPoints: [join(packageRoot(), 'bench/fetch/vkit-server.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile: server,
    logLevel: 'error',
    define: { BUILD_ID: '""' },
  });
  const peers = join(packageRoot(), 'bench', 'peers');
  const at = [url, ground.schema];
  contenders.push(
    await start('vkit', [server, ...at]),
    await start('bare fastify + pg', [join(peers, 'bare-server.mjs'), ...at]),
    await start('PostGraphile', [join(peers, 'postgraphile-server.mjs'), ...at]),
  );
  let reached = true;
  for (const connections of [1, 16, 64]) {
    const measured = contenders.map(() => ({ rates: [] as number[], p99s: [] as number[] }));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [index, contender] of contenders.entries()) {
        // The first round warms up.
        const result = await load(contender, connections, round === 0 ? 2 : SECONDS);
        if (round === 0) continue;
        measured[index]?.rates.push(result.requestsPerSecond);
        measured[index]?.p99s.push(result.p99);
      }
    }
    const rates = measured.map((one) => median(one.rates));
    const bare = rates[1] ?? Number.NaN;
    for (const [index, contender] of contenders.entries()) {
      const rate = rates[index] ?? 0;
      const p99 = median(measured[index]?.p99s ?? []);
      console.log(
        `${contender.name.padEnd(20)} ${String(connections).padStart(3)} at once ` +
          `${rate.toFixed(0).padStart(6)} a second, p99 ${String(p99).padStart(4)} ms, ${(rate / bare).toFixed(2)} of bare`,
      );
    }
    reached &&= (rates[0] ?? 0) / bare >= (AIMS[connections] ?? 0);
  }
  const ratios: number[] = [];
  let memory = 0;
  for (let round = 0; round < 2; round += 1) {
    const speeds = [];
    for (const contender of contenders.slice(0, 2)) {
      const result = await stream(contender, 'application/x-ndjson');
      if (result.rows !== STREAMED_ROWS)
        throw new Error(`${contender.name} sent ${result.rows} rows.`);
      speeds.push(result.megabytesPerSecond);
      if (contender === contenders[0]) memory = Math.max(memory, result.memoryMegabytes);
      console.log(
        `${contender.name.padEnd(20)} a million rows: ${result.megabytesPerSecond.toFixed(0)} MB/s, ` +
          `${result.memoryMegabytes.toFixed(0)} MB above idle`,
      );
    }
    ratios.push((speeds[0] ?? 0) / (speeds[1] ?? 1));
  }
  const ratio = median(ratios);
  reached &&= ratio >= STREAM_RATIO_MIN && memory <= STREAM_MEMORY_MAX;
  console.log(
    `stream ${ratio.toFixed(2)} of a pg-cursor loop (at least ${STREAM_RATIO_MIN}), ` +
      `${memory.toFixed(0)} MB above idle (at most ${STREAM_MEMORY_MAX})`,
  );
  process.exitCode = reached ? 0 : 1;
} finally {
  for (const contender of contenders) await stop(contender);
  await ground.drop();
  rmSync(folder, { recursive: true, force: true });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
