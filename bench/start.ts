// The promise of cli.md, "Feel": version, help and a command that needs no server answer within twice
// the time of an empty Node program. Runs are interleaved, so that a slow moment hits all alike.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/util/package-root.js';

const ROUNDS = Number(process.argv[2] ?? 25);
const RATIO_MAX = 2.0;
/** Shown for comparison: it makes keys and starts another program. */
const NOT_PROMISED = 'vkit keys generate';

const folder = mkdtempSync(join(tmpdir(), 'vkit-bench-'));
const empty = join(folder, 'empty.mjs');
writeFileSync(empty, '');
const cli = join(packageRoot(), 'bin', 'run.js');

const programs: [string, (round: number) => string[]][] = [
  ['empty Node program', () => [empty]],
  ['vkit --version', () => [cli, '--version']],
  ['vkit --help', () => [cli, '--help']],
  ['vkit completion bash', () => [cli, 'completion', 'bash']],
  [
    'vkit keys generate',
    (round) => [cli, 'keys', 'generate', '--out-dir', join(folder, `${round}`)],
  ],
];

const times = new Map<string, number[]>(programs.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, args] of programs) times.get(name)?.push(run(args(round)));
}
rmSync(folder, { recursive: true, force: true });

const base = median(times.get('empty Node program') ?? []);
let within = true;
for (const [name, values] of times) {
  const ratio = median(values) / base;
  const promised = name !== NOT_PROMISED;
  if (promised) within &&= ratio <= RATIO_MAX;
  const verdict = `${ratio <= RATIO_MAX ? 'within' : 'OVER'} ${RATIO_MAX.toFixed(1)}`;
  const time = `${median(values).toFixed(1).padStart(7)} ms  ${ratio.toFixed(2)} times`;
  console.log(`${name.padEnd(22)} ${time}  ${promised ? verdict : 'starts git too'}`);
}
process.exitCode = within ? 0 : 1;

function run(args: string[]): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - startedAt;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return ((sorted[middle] ?? 0) + (sorted[sorted.length - 1 - middle] ?? 0)) / 2;
}
