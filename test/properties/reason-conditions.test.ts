import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/policy/attributes.js';
import { compileConditions } from '../../src/policy/conditions.js';
import type { Conditions } from '../../src/policy/model.js';
import { contradictionIn, implies } from '../../src/policy/reason-conditions.js';

const LEVELS = ['low', 'medium', 'high', 'admin'];
const RUNS = { numRuns: 3_000 };

function operators<T extends string | number>(values: fc.Arbitrary<T>) {
  const list = fc.array(values, { maxLength: 3 });
  return { eq: values, neq: values, in: list, nin: list };
}

const text = fc.constantFrom('a', 'b', 'c');
const level = fc.constantFrom<string | number>(...LEVELS, 1, 2, 3, 4);
const textCondition = fc.record(operators(text), { requiredKeys: [] });
const levelCondition = fc.record(
  { ...operators(level), lt: level, lte: level, gt: level, gte: level },
  { requiredKeys: [] },
);
const conditions = fc.record(
  {
    requester_role: fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 2 }), textCondition),
    requester_region: fc.oneof(text, textCondition),
    requester_clearance: fc.oneof(level, levelCondition),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Conditions>;

/** Every requester there can be in this world: each set of roles, each region and level, known or not. */
function everyFacts(): Facts[] {
  const roles = [
    [],
    ['a'],
    ['b'],
    ['c'],
    ['a', 'b'],
    ['a', 'c'],
    ['b', 'c'],
    ['a', 'b', 'c'],
    ['d'],
  ];
  return roles.flatMap((held) =>
    [null, 'a', 'b', 'c', 'd'].flatMap((region) =>
      [null, 1, 2, 3, 4].map((one) => ({
        at: 0,
        level: one,
        values: {
          requester_role: held,
          requester_region: region === null ? null : [region],
          requester_clearance: one === null ? null : [LEVELS[one - 1] ?? ''],
          dataset_region: null,
          environment: null,
          purpose: null,
        },
      })),
    ),
  );
}

const FACTS = everyFacts();
const truths = (given: Conditions) => {
  const { decide } = compileConditions(given, LEVELS);
  return FACTS.map(decide);
};

describe('what can be told of conditions by their text', () => {
  it('is a contradiction only where no requester fulfils them', () => {
    let found = 0;
    fc.assert(
      fc.property(conditions, (given) => {
        if (contradictionIn(given, LEVELS) === undefined) return;
        found += 1;
        expect(truths(given)).not.toContain('yes');
      }),
      RUNS,
    );
    expect(found).toBeGreaterThan(100);
  });

  it('is a contradiction wherever one attribute alone cannot be fulfilled', () => {
    fc.assert(
      fc.property(conditions, (given) => {
        const isImpossible = Object.entries(given).some(([attribute, value]) => {
          const isEmpty = typeof value === 'object' && Object.keys(value).length === 0;
          return !isEmpty && !truths({ [attribute]: value }).includes('yes');
        });
        if (isImpossible) expect(contradictionIn(given, LEVELS)).toBeDefined();
      }),
      RUNS,
    );
  });

  it('is an implication only where a restriction holds for everybody for whom the other holds', () => {
    let found = 0;
    fc.assert(
      fc.property(conditions, conditions, (given, wanted) => {
        if (Object.keys(wanted).length === 0 || !implies(given, wanted, LEVELS)) return;
        found += 1;
        const here = truths(given);
        const there = truths(wanted);
        for (const [index, truth] of here.entries()) {
          if (truth !== 'no') expect(there[index]).not.toBe('no');
        }
      }),
      { numRuns: 10_000 },
    );
    expect(found).toBeGreaterThan(100);
  });
});
