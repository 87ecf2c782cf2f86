import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/policy/evaluate.js';
import type { Policy } from '../../src/policy/model.js';
import { normaliseBundlePolicy } from '../../src/policy/normalise-bundle-policy.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { packageRoot } from '../../src/util/package-root.js';
import { seedOfRun } from '../helpers/property-runs.js';
import { foreignImportsOf } from '../helpers/reference-imports.js';
import { compilableBundleArbitrary, SMALL_CASES } from './arbitrary-bundles.js';
import { CHANGING_ZONES } from './arbitrary-conditions.js';
import { bundleOfCase, caseFiles, inputOfCase } from './cases.js';
import { describeDisagreement, disagreement, disagreementOn } from './compare-with-reference.js';
import { FAULTS } from './faults.js';
import { isLike, namesOfDataset } from './reference/names.js';
import { referenceEvaluate } from './reference/reference-evaluate.js';
import { changesOfClocks, wallClock } from './reference/wall-clock.js';

const FOLDER = join(packageRoot(), 'test/policy/reference');
/** Always the same, so that a fault which few cases show is not found by chance alone. */
const SEED = seedOfRun(20_260_302);
/** Within so many cases every fault must be found. */
const CASES_PER_FAULT = 2_000;
const REQUESTS_PER_BUNDLE = 2;

describe('the reference', () => {
  it.each(readdirSync(FOLDER))('imports nothing of the engine but types: %s', (file) => {
    expect(foreignImportsOf(join(FOLDER, file))).toEqual([]);
  });

  it.each(caseFiles())('decides the written cases as they expect: $name', ({ cases }) => {
    for (const one of cases) {
      const [bundle, input] = [bundleOfCase(one), inputOfCase(one)];
      // What the engine decides is compared with the expectation elsewhere.
      const found = disagreementOn(bundle, input, evaluate(compilePolicySet(bundle), input));
      expect(found && describeDisagreement(bundle, found), one.name).toBeNull();
    }
  });

  it('knows globs', () => {
    const like = ['*', 'customers', 'CUST*', '*ers', 'c*t*m*s', 'customer?', '?ustomers*', '**s'];
    for (const glob of like) expect(isLike(glob, 'Customers'), glob).toBe(true);
    const unlike = ['', 'c.stomers', 'ust*', 'customers?', '?', 'c*x*', 'customer'];
    for (const glob of unlike) expect(isLike(glob, 'Customers'), glob).toBe(false);
    expect(isLike('gr??e', 'GRÖßE')).toBe(true);
    expect(isLike('?', '😀')).toBe(true);
  });

  it('knows the names of a dataset', () => {
    const dataset = (name: string, datasource: string, schema: string) =>
      new Set(namesOfDataset({ name, datasource, table: { schema, name: 't' }, fields: [] }));
    const all = ['db.sales.t', 'db.t', 'sales.t', 't'];
    expect(dataset('db.sales.t', 'DB', 'Sales')).toEqual(new Set(all));
    expect(dataset('sales.t', 'db', 'sales')).toEqual(new Set(['sales.t', 't']));
    expect(dataset('t', 'db', '')).toEqual(new Set(['t']));
    expect(dataset('db.', 'db', '')).toEqual(new Set(['db.']));
  });

  it('knows when the clocks change', () => {
    const iso = (zone: string) =>
      changesOfClocks(zone, 2026).map((moment) => new Date(moment).toISOString().slice(0, 16));
    expect(iso('Europe/Berlin')).toEqual(['2026-03-29T01:00', '2026-10-25T01:00']);
    expect(iso('America/New_York')).toEqual(['2026-03-08T07:00', '2026-11-01T06:00']);
    expect(iso('Australia/Lord_Howe')).toEqual(['2026-10-03T15:30', '2026-04-04T15:00']);
  });

  it('tells the time as the time zone database does', () => {
    const zones = [...CHANGING_ZONES, 'Asia/Kolkata', 'Pacific/Kiritimati', 'UTC'];
    for (const timeZone of zones) {
      const format = new Intl.DateTimeFormat('en-GB', {
        timeZone,
        dateStyle: 'full',
        timeStyle: 'short',
      });
      const nearChanges = [2025, 2026, 2027, 2028]
        .flatMap((year) => changesOfClocks(timeZone, year))
        .flatMap((change) => [-3_600_000, -1, 0, 1, 3_600_000].map((ms) => change + ms));
      const days = Array.from({ length: 1_461 }, (_, day) => Date.UTC(2025, 0, 1 + day, 7, 13));
      for (const at of [...nearChanges, ...days]) {
        const clock = wallClock(timeZone, at);
        const minutes = String((clock?.minutes ?? 0) % 60).padStart(2, '0');
        const hours = String(Math.floor((clock?.minutes ?? 0) / 60)).padStart(2, '0');
        const text = format.format(at).toLowerCase();
        expect(text.slice(0, 3)).toBe(clock?.today);
        expect(text.endsWith(`${hours}:${minutes}`), `${timeZone} ${text}`).toBe(true);
      }
    }
  });
});

/** A mask that names no method hides in full, and is compiled to say so. */
function filled(policy: Policy): Policy {
  if (policy.masking === undefined) return policy;
  return { ...policy, masking: { default_method: 'full', ...policy.masking } };
}

describe('generated bundles', () => {
  it('hold policies as a bundle carries them', () => {
    fc.assert(
      fc.property(compilableBundleArbitrary, ({ policies, bundle: { clearances } }) => {
        for (const policy of policies) {
          const { policy: normal, problems } = normaliseBundlePolicy(
            policy,
            clearances && { clearances },
          );
          expect(problems).toEqual([]);
          expect(normal).toEqual(filled(policy));
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});

describe(`the comparison with the reference (seed ${SEED})`, () => {
  const bundles = fc.sample(
    fc.tuple(
      SMALL_CASES.bundles,
      fc.array(SMALL_CASES.inputs, {
        minLength: REQUESTS_PER_BUNDLE,
        maxLength: REQUESTS_PER_BUNDLE,
      }),
    ),
    { seed: SEED, numRuns: CASES_PER_FAULT / REQUESTS_PER_BUNDLE },
  );
  const cases = bundles.flatMap(([bundle, inputs]) =>
    inputs.map((input) => ({ bundle, input, answer: referenceEvaluate(bundle, input) })),
  );

  it.each(Object.keys(FAULTS) as (keyof typeof FAULTS)[])('finds the fault: %s', (name) => {
    const isFound = cases.some(
      ({ bundle, input, answer }) =>
        disagreement(input, FAULTS[name](bundle, input), answer) !== null,
    );
    expect(isFound).toBe(true);
  });
});
