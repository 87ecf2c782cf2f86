import { describe, expect, it } from 'vitest';
import { diceOfSeed } from '../aql/differential/dice.js';
import { ENGINE_PROFILES } from '../aql/differential/engine-profile.js';
import { enginesUnderTest } from '../conformance/engines.js';
import { seedOfRun } from '../helpers/property-runs.js';
import { arbitraryTwins } from './twins/arbitrary-twins.js';
import { compareTwins } from './twins/compare-twins.js';
import { MUTANTS } from './twins/mutants.js';
import { arbitraryTwinCase, type TwinTarget } from './twins/twin-cases.js';
import { withTwins } from './twins/with-twins.js';

/** Always the same, so that a mutant which few cases show is not found by chance alone. */
const SEED = seedOfRun(20_261_125);
/** Within so many cases every mutant must be found. */
const CASES_PER_MUTANT = 500;
const CASES_PER_SCHEMA = 50;
/** What the mutants are about; what few cases show comes twice. */
const MASKS = ['partial', 'partial', 'hash', 'tokenize', 'full', 'nullify', 'raw'];
const TARGETS = [
  'filter',
  'having',
  'having',
  'aggregate',
  'group_by',
  'columns',
  'order_by',
  'join pair',
  'join pair',
].flatMap((clause) => MASKS.map((method) => ({ clause, method }))) as TwinTarget[];
/** Not one after the other: so few of them would all be about one clause. */
const STRIDE = 11;

describe(`twins that a mutant answers for (seed ${SEED})`, () => {
  const found = new Map<string, number>();

  it('are told apart, and others are not', { timeout: 300_000 }, async () => {
    const under = enginesUnderTest.sqlite;
    for (let start = 0; start < CASES_PER_MUTANT; start += CASES_PER_SCHEMA) {
      const twins = arbitraryTwins(diceOfSeed(SEED + start), ENGINE_PROFILES[under.name]);
      await withTwins(under, twins, async (ground) => {
        for (let at = start; at < start + CASES_PER_SCHEMA; at += 1) {
          const testCase = arbitraryTwinCase(
            diceOfSeed(SEED + at),
            ground,
            TARGETS[(at * STRIDE) % TARGETS.length],
          );
          const { difference } = await compareTwins(ground, testCase);
          expect(difference).toBeNull();
          for (const [name, fault] of Object.entries(MUTANTS)) {
            if (found.has(name)) continue;
            const answers = await compareTwins(ground, testCase, fault);
            // A query that the mutant breaks altogether shows nothing.
            const isBroken = 'failed' in answers.one && 'failed' in answers.other;
            if (answers.difference !== null && !isBroken) found.set(name, at + 1);
          }
        }
      });
    }
  });

  it.each(Object.keys(MUTANTS))('are told apart by the mutant: %s', (name) => {
    expect(found.get(name)).toBeLessThanOrEqual(CASES_PER_MUTANT);
  });
});
