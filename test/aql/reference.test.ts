import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package-root.js';
import { enginesUnderTest } from '../conformance/engines.js';
import { seedOfRun } from '../helpers/property-runs.js';
import { foreignImportsOf } from '../helpers/reference-imports.js';
import { arbitraryCase, worldOf } from './differential/arbitrary-case.js';
import { targetOf, targetsOf } from './differential/cells.js';
import { differenceOf } from './differential/compare-answers.js';
import { describeCase } from './differential/compare-engine.js';
import { diceOfSeed } from './differential/dice.js';
import { FAULTS } from './differential/faults.js';
import { type Ground, withTables } from './differential/with-tables.js';
import { referenceAnswer } from './reference/reference-answer.js';

const FOLDER = join(packageRoot(), 'test/aql/reference');
/** Always the same, so that a fault which few cases show is not found by chance alone. */
const SEED = seedOfRun(20_261_125);
/** Within so many cases every fault must be found. */
const CASES_PER_FAULT = 500;
const CASES_PER_SCHEMA = 100;
const STRIDE = 37;

describe('the reference of AQL', () => {
  it.each(readdirSync(FOLDER))('imports nothing of src/ but types: %s', (file) => {
    expect(foreignImportsOf(join(FOLDER, file), ['node:crypto'])).toEqual([]);
  });
});

describe(`the comparison with the reference (seed ${SEED})`, () => {
  const found = new Map<string, number>();

  it('finds nothing in the engine, and faults in what is faulty', {
    timeout: 300_000,
  }, async () => {
    for (let start = 0; start < CASES_PER_FAULT; start += CASES_PER_SCHEMA) {
      await withTables(enginesUnderTest.sqlite, SEED + start, (ground) =>
        lookForFaults(ground, start),
      );
    }
  });

  it.each(Object.keys(FAULTS))('finds the fault: %s', (name) => {
    expect(found.get(name)).toBeLessThanOrEqual(CASES_PER_FAULT);
  });

  async function lookForFaults(ground: Ground, start: number): Promise<void> {
    const { profile, datasets, ask } = ground;
    const targets = targetsOf(profile);
    for (let at = start; at < start + CASES_PER_SCHEMA; at += 1) {
      // Not one after the other: so few of them would all be about one clause.
      const target = targetOf(at * STRIDE, targets);
      const one = arbitraryCase(diceOfSeed(SEED + at), datasets, profile, target);
      const world = worldOf(one, datasets, profile);
      const reference = referenceAnswer(one.query, world);
      const difference = differenceOf(await ask(one.query, world), reference);
      expect(difference, describeCase(ground, one)).toBeNull();
      for (const [name, fault] of Object.entries(FAULTS)) {
        if (found.has(name)) continue;
        // A query that the fault breaks altogether shows nothing.
        const real = await ask(one.query, world, fault).catch(() => null);
        if (real !== null && differenceOf(real, reference) !== null) found.set(name, at + 1);
      }
    }
  }
});
