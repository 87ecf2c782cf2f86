import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/model.js';
import { effectiveMasks } from '../../src/policy/combine-decisions.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type { EvaluationInput } from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { discoverable, fieldVisibility } from '../../src/policy/visibility.js';
import { casesOfRun, seedOfRun } from '../helpers/property-runs.js';
import { type CaseArbitraries, SMALL_CASES, WIDE_CASES } from '../policy/arbitrary-bundles.js';
import { describeDisagreement, disagreementOn } from '../policy/compare-with-reference.js';
import { Coverage } from '../policy/coverage.js';
import {
  referenceDiscoverable,
  referenceMasks,
  referenceVisibility,
} from '../policy/reference/visibility.js';

const CASES_DEFAULT = 12_000;
const CASES = casesOfRun(CASES_DEFAULT);
const SEED = seedOfRun();
/** Of the cases, one in this many is of a bundle with hundreds of policies, where both need longer. */
const WIDE_OF = 20;
/** Compiling a bundle costs more than a request. */
const REQUESTS_PER_BUNDLE = 8;
/** A tenth of it is enough on a machine with nothing else to do. */
const CASE_MS_MAX = 20;
const REPLAY = `VKIT_SEED=${SEED} VKIT_RUNS=${CASES} npx vitest run test/properties/policy-reference.test.ts`;

const coverage = new Coverage();
let cases = 0;

/** Runs a property on generated bundles with several requests each; what fails is made small, and told how to repeat. */
function holdsFor(
  { bundles, inputs }: CaseArbitraries,
  count: number,
  problemOf: (bundle: Bundle, inputs: readonly EvaluationInput[]) => string | null,
): void {
  const length = REQUESTS_PER_BUNDLE;
  const requests = fc.array(inputs, { minLength: length, maxLength: length });
  const property = fc.property(bundles, requests, (bundle, all) => {
    const problem = problemOf(bundle, all);
    if (problem !== null) throw new Error(problem);
  });
  const numRuns = Math.ceil(count / length);
  const details = fc.check(property, { seed: SEED, numRuns });
  if (!details.failed) return;
  const { errorInstance: error } = details;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  throw new Error(`${what}\nTo see it again: ${REPLAY}`);
}

/** Compares every request, and counts what the cases covered. */
function firstDisagreement(bundle: Bundle, inputs: readonly EvaluationInput[]): string | null {
  const set = compilePolicySet(bundle);
  for (const input of inputs) {
    coverage.note('policies of a bundle', sizeOf(bundle.policies.length));
    const found = disagreementOn(bundle, input, evaluate(set, input), coverage.note);
    coverage.endCase();
    cases += 1;
    if (found) return describeDisagreement(bundle, found);
  }
  return null;
}

function sizeOf(policies: number): string {
  if (policies === 0) return 'none';
  if (policies <= 10) return 'up to ten';
  return policies <= 100 ? 'up to a hundred' : 'more';
}

afterAll(() => {
  const heading = `${cases} cases, the number of them that reached each cell; to repeat: ${REPLAY}`;
  process.stdout.write(`\n${heading}\n${coverage.table()}\n`);
});

describe(`the engine and the reference (seed ${SEED})`, { timeout: CASES * CASE_MS_MAX }, () => {
  it('decide alike where few policies meet often', () => {
    const count = CASES - Math.ceil(CASES / WIDE_OF);
    holdsFor(SMALL_CASES, count, firstDisagreement);
  });

  it('decide alike where hundreds of policies meet over many datasets', () => {
    const count = Math.ceil(CASES / WIDE_OF);
    holdsFor(WIDE_CASES, count, firstDisagreement);
  });

  it.runIf(CASES >= CASES_DEFAULT)('were compared on all that policies can say', () => {
    expect(cases).toBeGreaterThanOrEqual(CASES);
    expect(coverage.unexpected).toEqual([]);
    expect(coverage.missing).toEqual([]);
  });

  it('show the same of every field', () => {
    holdsFor(SMALL_CASES, CASES / 40, (bundle, inputs) => {
      const set = compilePolicySet(bundle);
      for (const input of inputs) {
        const name = input.references[0]?.dataset ?? 'ghosts';
        const reference = [...referenceVisibility(bundle, input, name)];
        expect([...fieldVisibility(set, input, name)]).toEqual(reference);
      }
      return null;
    });
  });

  it('let the same datasets be discovered', () => {
    holdsFor(SMALL_CASES, CASES / 40, (bundle, inputs) => {
      const set = compilePolicySet(bundle);
      for (const input of inputs) {
        expect(discoverable(set, input)).toEqual(referenceDiscoverable(bundle, input));
      }
      return null;
    });
  });

  it('unmask the same by an approval', () => {
    holdsFor(SMALL_CASES, CASES / 20, (bundle, inputs) => {
      const set = compilePolicySet(bundle);
      for (const input of inputs) {
        const decision = evaluate(set, input);
        for (const approved of [false, true]) {
          const reference = [...referenceMasks(decision.references, approved)];
          expect([...effectiveMasks(decision, { approved })]).toEqual(reference);
        }
      }
      return null;
    });
  });
});
