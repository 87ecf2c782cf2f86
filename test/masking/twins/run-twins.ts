import { worldOf } from '../../aql/differential/arbitrary-case.js';
import type { AqlCoverage } from '../../aql/differential/coverage.js';
import { diceOfSeed } from '../../aql/differential/dice.js';
import { ENGINE_PROFILES } from '../../aql/differential/engine-profile.js';
import type { EngineUnderTest } from '../../conformance/engine-ground.js';
import { arbitraryTwins } from './arbitrary-twins.js';
import { compareTwins } from './compare-twins.js';
import { noteClauses } from './note-clauses.js';
import { type FoundCase, shrunk } from './shrink.js';
import { arbitraryTwinCase, targetOfCase } from './twin-cases.js';
import { type TwinGround, withTwins } from './with-twins.js';

const CASES_PER_SCHEMA = 125;
/** Cases that run at the same time. */
const CONNECTIONS = 3;

export interface TwinRun {
  engine: EngineUnderTest['name'];
  cases: number;
  schemas: number;
  withRows: number;
  refused: number;
  /** Queries that both databases answered with an error. */
  failed: number;
  /** The first case by which a requester can tell the twins apart, made small. */
  found: FoundCase | null;
}

export interface TwinRunOptions {
  seed: number;
  coverage: AqlCoverage;
  /** Whether another case is to be run. */
  goesOn(run: TwinRun): boolean;
  /** Called after each pair of databases. */
  onSchema?(run: TwinRun): void;
}

/** Asks pair after pair of twins until there is enough, or a difference. */
export async function runTwins(
  under: EngineUnderTest,
  { seed, coverage, goesOn, onSchema }: TwinRunOptions,
): Promise<TwinRun> {
  const run: TwinRun = {
    engine: under.name,
    cases: 0,
    schemas: 0,
    withRows: 0,
    refused: 0,
    failed: 0,
    found: null,
  };
  const isOver = () => run.found !== null || !goesOn(run);
  for (let start = 0; !isOver(); start += CASES_PER_SCHEMA) {
    const twins = arbitraryTwins(diceOfSeed(seed + start), ENGINE_PROFILES[under.name]);
    run.schemas += 1;
    await withTwins(under, twins, async (ground) => {
      let next = start;
      const work = async () => {
        while (next < start + CASES_PER_SCHEMA && !isOver()) {
          const at = next;
          next += 1;
          await runCase(ground, at, seed, coverage, run);
          run.cases += 1;
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, work));
    });
    onSchema?.(run);
  }
  if (run.found !== null) run.found = await shrunk(under, run.found);
  return run;
}

async function runCase(
  ground: TwinGround,
  at: number,
  seed: number,
  coverage: AqlCoverage,
  run: TwinRun,
): Promise<void> {
  const testCase = arbitraryTwinCase(diceOfSeed(seed + at), ground, targetOfCase(at));
  const { datasets, profile } = ground.ground;
  noteClauses(testCase, worldOf(testCase, datasets, profile), coverage.note);
  coverage.endCase();
  const { one, difference } = await compareTwins(ground, testCase);
  if ('problems' in one) run.refused += 1;
  else if ('failed' in one) run.failed += 1;
  else if (one.rows.length > 0) run.withRows += 1;
  if (difference === null) return;
  run.found ??= { engine: run.engine, twins: ground.twins, testCase, difference };
}
