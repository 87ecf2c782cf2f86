// Asks twin databases, which differ only in what masks hide, generated queries for as long as one wants. What it finds it makes
// small and writes to a file, which `--replay` runs again.
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AqlCoverage } from '../test/aql/differential/coverage.js';
import { enginesUnderTest } from '../test/conformance/engines.js';
import { CELLS } from '../test/masking/twins/note-clauses.js';
import { runTwins, type TwinRun } from '../test/masking/twins/run-twins.js';
import { differenceOf, type FoundCase } from '../test/masking/twins/shrink.js';
import { build } from './build.mjs';

const USAGE = `npm run fuzz -- [--minutes N] [--seed S] [--engine sqlite|postgres|mysql] [--out FILE]
npm run fuzz -- --replay FILE`;
const PROGRESS_MS = 10_000;
const MINUTES_DEFAULT = 1;
const MINUTE_MS = 60_000;

type EngineName = keyof typeof enginesUnderTest;

/** What is wrong with the command line. */
class UsageError extends Error {}

interface Wanted {
  minutes: number;
  seed: number;
  engines: readonly EngineName[];
  out: string | undefined;
  replay: string | undefined;
}

function readFlags(args: readonly string[]): Wanted {
  const text = { type: 'string' } as const;
  const options = { minutes: text, seed: text, engine: text, out: text, replay: text };
  const { values } = (() => {
    try {
      return parseArgs({ args: [...args], options });
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
  })();
  const minutes = Number(values.minutes ?? MINUTES_DEFAULT);
  if (!(minutes > 0))
    throw new UsageError(`--minutes is a number above 0, not "${values.minutes}".`);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  if (!Number.isInteger(seed) || Math.abs(seed) >= 2 ** 31 || values.seed === '') {
    throw new UsageError(`--seed is an integer of 32 bits, not "${values.seed}".`);
  }
  const names = Object.keys(enginesUnderTest) as EngineName[];
  const engines = names.filter((name) => values.engine === undefined || name === values.engine);
  if (engines.length === 0) {
    throw new UsageError(`--engine is one of ${names.join(', ')}, not "${values.engine}".`);
  }
  return { minutes, seed, engines, out: values.out, replay: values.replay };
}

/** Answers whether nothing was found. */
async function fuzz({ minutes, seed, engines, out }: Wanted): Promise<boolean> {
  for (const name of engines) {
    const under = enginesUnderTest[name];
    if (under.skipped !== null) {
      console.log(`${name} is left out: ${under.skipped}`);
      if (engines.length === 1) return false;
      continue;
    }
    const coverage = new AqlCoverage(CELLS);
    // Of several engines each has its share of the time.
    const until = performance.now() + (minutes * MINUTE_MS) / engines.length;
    let told = performance.now();
    const run = await runTwins(under, {
      seed,
      coverage,
      goesOn: () => performance.now() < until,
      onSchema: (soFar) => {
        if (performance.now() - told < PROGRESS_MS) return;
        told = performance.now();
        console.log(summary(soFar));
      },
    });
    console.log(`${summary(run)}, seed ${seed}\n${coverage.table()}`);
    if (run.found !== null) return await report(run.found, seed, out);
  }
  return true;
}

function summary({ engine, cases, schemas, withRows, refused, failed }: TwinRun): string {
  return `${engine}: ${cases} cases over ${schemas} pairs of databases, ${withRows} with rows, ${refused} refused, ${failed} failed`;
}

async function report(found: FoundCase, seed: number, out: string | undefined): Promise<false> {
  const file = out ?? join(tmpdir(), `vkit-fuzz-${found.engine}-${seed}.json`);
  await writeFile(file, `${JSON.stringify(found, null, 2)}\n`);
  console.log(`A requester can tell the twins apart.\n  ${found.difference}`);
  console.log(`The case is in ${file}; to see it again: npm run fuzz -- --replay ${file}`);
  return false;
}

async function replay(file: string): Promise<boolean> {
  const found = await readCase(file);
  const under = enginesUnderTest[found.engine as EngineName];
  if (under === undefined) throw new UsageError(`${file} is of no engine that runs here.`);
  if (under.skipped !== null) throw new UsageError(`${file} cannot be replayed: ${under.skipped}`);
  const difference = await differenceOf(under, found);
  console.log(difference ?? 'The twins cannot be told apart.');
  return difference === null;
}

async function readCase(file: string): Promise<FoundCase> {
  try {
    const found = JSON.parse(await readFile(file, 'utf8'));
    if (found?.twins !== undefined && found.testCase !== undefined) return found;
  } catch (error) {
    throw new UsageError(`--replay cannot read ${file}: ${(error as Error).message}`);
  }
  throw new UsageError(`--replay takes a file that this script has written, and ${file} is none.`);
}

async function main(): Promise<boolean> {
  const wanted = readFlags(process.argv.slice(2));
  // The processes that read SQLite run what is built.
  await build();
  return wanted.replay === undefined ? fuzz(wanted) : replay(wanted.replay);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
