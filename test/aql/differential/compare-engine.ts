import fc from 'fast-check';
import type { EngineUnderTest } from '../../conformance/engine-ground.js';
import { referenceAnswer } from '../reference/reference-answer.js';
import { arbitraryCase, type TestCase, worldOf } from './arbitrary-case.js';
import { type Target, targetOf, targetsOf, turnsOf } from './cells.js';
import { differenceOf } from './compare-answers.js';
import type { AqlCoverage } from './coverage.js';
import { diceOf } from './dice.js';
import { ENGINE_PROFILES } from './engine-profile.js';
import { type Ground, withTables } from './with-tables.js';

/** What a failure may take to be made small. */
const SHRINK_MS_MAX = 10_000;
const QUERIES_PER_SCHEMA = 400;
/** Cases that run at the same time. */
const CONNECTIONS = 3;
/** More would be the same again, most likely. */
const DISAGREEMENTS_MAX = 3;

export interface Comparison {
  cases: number;
  schemas: number;
  withRows: number;
  refused: number;
  /** The cases on which engine and reference do not agree, made small. */
  disagreements: string[];
}

/** Runs `count` cases on an engine, over a new schema for every few hundred of them. */
export async function compareEngine(
  under: EngineUnderTest,
  { seed, count, coverage }: { seed: number; count: number; coverage: AqlCoverage },
): Promise<Comparison> {
  const targets = targetsOf(ENGINE_PROFILES[under.name]);
  // Once every target has had its turn, cases are about anything.
  const turn = (at: number) => (at < turnsOf(targets) ? targetOf(at, targets) : undefined);
  const result: Comparison = { cases: 0, schemas: 0, withRows: 0, refused: 0, disagreements: [] };
  const isOver = () => result.disagreements.length >= DISAGREEMENTS_MAX;
  for (let start = 0; start < count && !isOver(); start += QUERIES_PER_SCHEMA) {
    result.schemas += 1;
    await withTables(under, seed + start, async (ground) => {
      const end = Math.min(count, start + QUERIES_PER_SCHEMA);
      let next = start;
      const work = async () => {
        while (next < end && !isOver()) {
          const at = next;
          next += 1;
          const found = await compareCase(ground, seed + at, turn(at), coverage, result);
          if (found !== null) result.disagreements.push(found);
          result.cases += 1;
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, work));
    });
  }
  return result;
}

async function compareCase(
  ground: Ground,
  seed: number,
  target: Target | undefined,
  coverage: AqlCoverage,
  result: Comparison,
): Promise<string | null> {
  let isFirst = true;
  const property = fc.asyncProperty(fc.gen(), async (generator) => {
    const one = arbitraryCase(diceOf(generator), ground.datasets, ground.profile, target);
    // What is tried to make a failure small is no case of its own.
    const note = isFirst ? coverage.note : undefined;
    const world = worldOf(one, ground.datasets, ground.profile);
    const reference = referenceAnswer(one.query, world, note);
    coverage.endCase();
    const real = await ground.ask(one.query, world);
    if (isFirst) {
      if ('refused' in real) result.refused += 1;
      else if (real.rows.length > 0) result.withRows += 1;
    }
    isFirst = false;
    const difference = differenceOf(real, reference);
    if (difference === null) return;
    const sql = 'sql' in real ? real.sql : '';
    const heading = `The engine and the reference disagree.\n  ${difference}\n  sql: ${sql}`;
    throw new Error(`${heading}\n${describeCase(ground, one)}`);
  });
  const { failed, errorInstance: error } = await fc.check(property, {
    seed,
    numRuns: 1,

    interruptAfterTimeLimit: SHRINK_MS_MAX,
  });
  if (!failed) return null;
  return error instanceof Error ? causes(error) : String(error);
}

function causes(error: Error): string {
  const { cause } = error;
  return cause instanceof Error
    ? `${error.message}\n  because: ${causes(cause)}`
    : (error.stack ?? error.message);
}

/** All that one needs to look at a case. */
export function describeCase({ sql }: Ground, one: TestCase): string {
  const seen = Object.entries(one.visibilities).map(
    ([key, state]) =>
      `    ${key}: ${state.state === 'masked' ? JSON.stringify(state.mask) : state.state}`,
  );
  return [
    `  query: ${JSON.stringify(one.query)}`,
    '  seen:',
    ...seen,
    `  max_rows: ${one.maxRows}`,
    `  tables:\n${sql}`,
  ].join('\n');
}
