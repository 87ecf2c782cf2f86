// What compiling costs beside only parsing: a bundle of 10,000 policies and 10,000 tables of 20 columns. Each part is a process
// of its own, as a build server runs it, and all read the same files. What counts is the time of the processor, which tells more
// than a clock where the machine has something else to do.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { packageRoot } from '../src/util/package-root.js';
import { writePolicy, writeProject } from './bundle/project.js';

const POLICIES = Number(process.argv[2] ?? 10_000);
const TABLES = Number(process.argv[3] ?? 10_000);
const RATIO_MAX = 1.3;
const AGAIN_RATIO_MAX = 0.25;

const folder = mkdtempSync(join(tmpdir(), 'vkit-bench-'));
const root = join(folder, 'project');
const parse = join(folder, 'parse.mjs');
const cli = join(packageRoot(), 'bin', 'run.js');
/** What is kept from one run to the next begins empty. */
const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };

try {
  writeProject(root, POLICIES, TABLES);
  git(['init', '-q', '-b', 'main']);
  commit('Policies');
  // Bundled, so that both sides start from few files.
  await build({
    entryPoints: [fileURLToPath(new URL('./bundle/parse-only.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: parse,
    logLevel: 'error',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  const bundle = [cli, 'policy', 'bundle', '--unsigned', '--json'];
  const onlyParsing = time('only parsing the same YAML', [parse, root]);
  const first = time('vkit policy bundle', bundle);
  for (let index = 0; index < 10; index += 1) writePolicy(root, index, TABLES, 1);
  commit('Ten policies changed');
  const second = time('again, ten policies changed', bundle);
  const within = first / onlyParsing <= RATIO_MAX && second / onlyParsing <= AGAIN_RATIO_MAX;
  console.log(
    `first ${(first / onlyParsing).toFixed(2)} of only parsing (at most ${RATIO_MAX}), ` +
      `again ${(second / onlyParsing).toFixed(2)} of it (at most ${AGAIN_RATIO_MAX}), ${(second / first).toFixed(2)} of the first`,
  );
  process.exitCode = within ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function time(what: string, args: string[]): number {
  const startedAt = performance.now();
  const program = ['--import', whatItUsed(), ...args];
  const { status, stderr } = spawnSync(process.execPath, program, {
    cwd: root,
    encoding: 'utf8',
    env,
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  if (status !== 0) throw new Error(`${what} ended with ${status}: ${stderr.slice(-2_000)}`);
  const [, cpu, peak] = /used ([\d.]+) s, (\d+) MB/.exec(stderr) ?? [];
  if (cpu === undefined || peak === undefined) throw new Error(`${what} did not say what it used.`);
  console.log(
    `${what.padEnd(30)} ${seconds.toFixed(1).padStart(6)} s, of the processor ${cpu.padStart(5)} s  ${peak.padStart(5)} MB`,
  );
  return Number(cpu);
}

/** A module that says at the end what the process used: seconds of the processor, on all threads, and memory at most. */
function whatItUsed(): string {
  const source = `process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const seconds = ((userCPUTime + systemCPUTime) / 1e6).toFixed(2);
    console.error('used ' + seconds + ' s, ' + Math.round(maxRSS / 1024) + ' MB');
  });`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

function git(args: string[]): void {
  const author = ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.com'];
  const { status, stderr } = spawnSync('git', [...author, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`git ${args[0]} ended with ${status}: ${stderr}`);
}

function commit(message: string): void {
  git(['add', '-A']);
  git(['commit', '-q', '-m', message]);
}
