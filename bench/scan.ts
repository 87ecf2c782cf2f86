// The promise of a scan: 10,000 tables of 20 columns on PostgreSQL beside `pg_dump --schema-only` of the same database. What is measured
// is the built command as a user runs it, `vkit scan ID --apply`, the registry written; then the same without drift. Runs are
// interleaved and the quickest of each counts, so that a slow moment decides nothing.
// VKIT_BENCH_POSTGRES names the server (default: root on 127.0.0.1); the login makes databases and a
// role that can only read them, as which both sides log in; all of it is dropped at the end.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { packageRoot } from '../src/util/package-root.js';
import { makeTables } from './scan/tables.js';

const TABLES = Number(process.argv[2] ?? 10_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const SMALLER = TABLES / 10;
const DUMP_RATIO_MAX = 0.4;
const AGAIN_RATIO_MAX = 0.5;
const GROWTH_MAX = 1.5;

const server = new URL(
  process.env.VKIT_BENCH_POSTGRES ?? 'postgres://root@127.0.0.1:5432/postgres',
);
const READER = 'vkit_bench_reader';
const password = randomBytes(16).toString('hex');
const folder = mkdtempSync(join(tmpdir(), 'vkit-bench-'));
const cli = join(packageRoot(), 'bin', 'run.js');

interface Run {
  seconds: number;
  /** Megabytes, at most. */
  peak: number;
}

const databases = new Map([TABLES, SMALLER].map((tables) => [tables, `vkit_bench_${tables}`]));
try {
  await onServer(`drop role if exists ${READER}`);
  await onServer(`create role ${READER} login password '${password}'`);
  for (const [tables, database] of databases) await make(database, tables);
  const first = new Map<number, Run>();
  let [dump, again]: (Run | undefined)[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    dump = quicker(dump, pgDump(databases.get(TABLES) ?? ''));
    for (const tables of databases.keys()) {
      const root = project(tables, round);
      first.set(tables, quicker(first.get(tables), scan(root, ['--apply'], tables)));
      if (tables === TABLES) again = quicker(again, scan(root, ['--fail-on-drift'], tables));
    }
  }
  const [whole, small] = [first.get(TABLES), first.get(SMALLER)];
  if (!dump || !again || !whole || !small) throw new Error('There was no round.');
  tell(`pg_dump --schema-only, ${TABLES} tables`, dump);
  tell('vkit scan ID --apply, first', whole);
  tell('vkit scan ID, no drift', again);
  tell(`vkit scan ID --apply, ${SMALLER} tables`, small);
  const ratios = [
    { what: 'first scan of pg_dump', value: whole.seconds / dump.seconds, max: DUMP_RATIO_MAX },
    { what: 'again of the first', value: again.seconds / whole.seconds, max: AGAIN_RATIO_MAX },
    {
      what: `per table at ${TABLES} of ${SMALLER}`,
      value: whole.seconds / TABLES / (small.seconds / SMALLER),
      max: GROWTH_MAX,
    },
  ];
  for (const { what, value, max } of ratios) {
    console.log(
      `${what.padEnd(32)} ${value.toFixed(2)}  ${value <= max ? 'within' : 'OVER'} ${max}`,
    );
  }
  process.exitCode = ratios.every(({ value, max }) => value <= max) ? 0 : 1;
} finally {
  for (const database of databases.values()) await onServer(`drop database if exists ${database}`);
  await onServer(`drop role if exists ${READER}`);
  rmSync(folder, { recursive: true, force: true });
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function make(database: string, tables: number): Promise<void> {
  await onServer(`drop database if exists ${database}`);
  await onServer(`create database ${database}`);
  const url = new URL(server);
  url.pathname = `/${database}`;
  await makeTables(url.href, tables, READER);
}

/** A project that has scanned nothing yet. */
function project(tables: number, round: number): string {
  const root = join(folder, `${tables}-${round}`);
  mkdirSync(join(root, 'config/datasources'), { recursive: true });
  const config = {
    host: server.hostname,
    port: Number(server.port || 5432),
    database: databases.get(tables),
    ssl_mode: 'prefer',
  };
  writeFileSync(
    join(root, 'config/datasources/bench.yaml'),
    `id: bench\nengine: postgres\nenvironment: development\ncredentials: env\nconfig: ${JSON.stringify(config)}\n`,
  );
  return root;
}

function scan(root: string, flags: readonly string[], tables: number): Run {
  const env = {
    ...process.env,
    VKIT_DS_BENCH_USERNAME: READER,
    VKIT_DS_BENCH_PASSWORD: password,
  };
  const args = ['--import', peakOnExit(), cli, 'scan', 'bench', ...flags];
  const { seconds, stdout, stderr } = run(process.execPath, args, { cwd: root, env });
  if (!stdout.includes(`${tables.toLocaleString('en-US')} tables`)) {
    throw new Error(`The scan says otherwise: ${stdout.slice(0, 500)}`);
  }
  return { seconds, peak: Number(/peak (\d+) MB/.exec(stderr)?.[1]) };
}

function pgDump(database: string): Run {
  const url = new URL(server);
  url.pathname = `/${database}`;
  url.username = READER;
  url.password = '';
  const file = join(folder, 'dump.sql');
  const { seconds } = run('pg_dump', ['--schema-only', '--file', file, url.href], {
    cwd: folder,
    env: { ...process.env, PGPASSWORD: password },
  });
  return { seconds, peak: Number.NaN };
}

function run(
  program: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
) {
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(program, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.slice(-2_000)}`);
  return { seconds, stdout, stderr };
}

function peakOnExit(): string {
  const source = `process.on('exit', () => {
    console.error('peak ' + Math.round(process.resourceUsage().maxRSS / 1024) + ' MB');
  });`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

function quicker(one: Run | undefined, other: Run): Run {
  return one === undefined || other.seconds < one.seconds ? other : one;
}

function tell(what: string, { seconds, peak }: Run): void {
  const memory = Number.isNaN(peak) ? '' : `${String(peak).padStart(6)} MB`;
  console.log(`${what.padEnd(40)} ${seconds.toFixed(2).padStart(6)} s ${memory}`);
}
