import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/model.js';
import { combineStricter } from '../../src/policy/combine-decisions.js';
import { evaluate } from '../../src/policy/evaluate.js';
import {
  ACTIONS,
  type Decision,
  type EvaluationInput,
  type Policy,
  type ReferenceDecision,
} from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { discoverable, fieldVisibility } from '../../src/policy/visibility.js';
import { casesOfRun, seedOfRun } from '../helpers/property-runs.js';
import { bundleArbitrary, inputArbitrary, policyArbitrary } from '../policy/arbitraries.js';
import { type CaseArbitraries, SMALL_CASES, WIDE_CASES } from '../policy/arbitrary-bundles.js';
import { isMatched } from '../policy/reference/matched.js';
import { widenings, widerBounds, widerReferences } from '../policy/widenings.js';

const SEED = seedOfRun();
const RUNS = { seed: SEED, numRuns: casesOfRun(1_000) };

/** Three fields and two roles, so that everything meets. */
const PLAIN_CASES: CaseArbitraries = {
  bundles: bundleArbitrary,
  inputs: inputArbitrary,
  policies: policyArbitrary,
};

const WORLDS = [
  { world: 'plain', cases: PLAIN_CASES, runs: someOf(RUNS, 2) },
  { world: 'rich', cases: SMALL_CASES, runs: RUNS },
  // Hundreds of policies take longer.
  { world: 'wide', cases: WIDE_CASES, runs: someOf(RUNS, 25) },
];

function someOf({ seed, numRuns }: typeof RUNS, part: number): typeof RUNS {
  return { seed, numRuns: Math.ceil(numRuns / part) };
}

/** For the longest of them, on a machine that has more to do. */
const TIMEOUT = { timeout: RUNS.numRuns * 200 };

function decide(bundle: Bundle, input: EvaluationInput): Decision {
  return evaluate(compilePolicySet(bundle), input);
}

function plus(bundle: Bundle, policy: Policy): Bundle {
  return { ...bundle, policies: [...bundle.policies, { ...policy, id: 'added' }] };
}

/** The laws on what is unknown leave policies aside that ask whether it is. */
function withoutPresent(bundle: Bundle): Bundle {
  const asks = ({ when }: Policy) =>
    Object.values(when).some((value) => typeof value === 'object' && 'present' in value);
  return { ...bundle, policies: bundle.policies.filter((policy) => !asks(policy)) };
}

/** The request alone: not narrowed, and on nobody's behalf. */
function alone({ narrowing: _narrowing, onBehalfOf: _person, ...input }: EvaluationInput) {
  return input;
}

const WITHOUT_ATTRIBUTE: Readonly<Record<string, (input: EvaluationInput) => EvaluationInput>> = {
  clearance: (input) => ({ ...input, requester: { ...input.requester, clearance: null } }),
  region: (input) => ({ ...input, requester: { ...input.requester, region: null } }),
  purposes: (input) => ({ ...input, requester: { ...input.requester, purposes: [] } }),
  purpose: ({ purpose: _purpose, ...input }) => input,
  environment: (input) => input,
  dataset_region: (input) => input,
};

function withoutOfDatasource(bundle: Bundle, attribute: string): Bundle {
  const datasources = bundle.registry.datasources.map((source) => ({
    ...source,
    ...(attribute === 'environment' && { environment: '' }),
    ...(attribute === 'dataset_region' && { region: null }),
  }));
  return { ...bundle, registry: { ...bundle.registry, datasources } };
}

/** Everything in another order. */
function disordered(bundle: Bundle, turns: number): Bundle {
  const { datasets, datasources } = bundle.registry;
  return {
    ...bundle,
    policies: turned(bundle.policies, turns),
    registry: {
      datasources: turned(datasources, turns),
      datasets: turned(
        datasets.map((dataset) => ({ ...dataset, fields: turned(dataset.fields, turns) })),
        turns,
      ),
    },
  };
}

function turned<T>(list: readonly T[], turns: number): T[] {
  const at = list.length === 0 ? 0 : turns % list.length;
  return [...list.slice(at), ...list.slice(0, at)].reverse();
}

/** A bare `count(*)` that is open by its fields, each of which a policy matches. */
function isBoundByFields(
  bundle: Bundle,
  input: EvaluationInput,
  { dataset, field, action }: ReferenceDecision,
): boolean {
  if (field !== null || action === 'deny') return false;
  const fields = bundle.registry.datasets.find(({ name }) => name === dataset)?.fields ?? [];
  // One without fields is decided by the default alone.
  if (fields.length === 0) return false;
  return fields.every(({ name }) => {
    const references = [{ dataset, field: name }];
    return references.every((one) => isMatched(bundle, { ...input, references }, one));
  });
}

/** Who must approve follows from what matches the dataset whole, where something does. */
function isOfBounds(widening: string): boolean {
  return widening.includes('ttl') || widening.includes('rows') || widening.includes('revoked');
}

describe.each(WORLDS)(`a decision in a $world world (VKIT_SEED=${SEED})`, TIMEOUT, (given) => {
  const { runs } = given;
  const { bundles, inputs, policies } = given.cases;
  const people = inputs.map(({ requester }) => requester);

  it('meets every action often enough for these properties to mean something', () => {
    const seen = new Map<string, number>();
    for (const [bundle, input] of fc.sample(fc.tuple(bundles, inputs), 1_000)) {
      for (const { action } of decide(bundle, input).references) {
        seen.set(action, (seen.get(action) ?? 0) + 1);
      }
    }
    for (const action of ACTIONS) expect(seen.get(action) ?? 0, action).toBeGreaterThan(20);
  });

  it('is the same, byte for byte, in whatever order things are', () => {
    const same = (bundle: Bundle, input: EvaluationInput, turns: number) => {
      const references = [...turned(input.references, turns), ...input.references];
      const traced = { ...input, trace: true };
      const other = decide(disordered(bundle, turns), { ...traced, references });
      expect(JSON.stringify(other)).toBe(JSON.stringify(decide(bundle, traced)));
    };
    fc.assert(fc.property(bundles, inputs, fc.nat({ max: 9 }), same), runs);
  });

  it('is the same, byte for byte, however often and whatever else is asked, and changes nothing', () => {
    const same = (bundle: Bundle, input: EvaluationInput, other: EvaluationInput) => {
      const before = JSON.stringify([bundle, input]);
      const set = compilePolicySet(bundle);
      const first = JSON.stringify(evaluate(set, input));
      evaluate(set, other);
      expect(JSON.stringify(evaluate(set, input))).toBe(first);
      expect(JSON.stringify(decide(bundle, input))).toBe(first);
      expect(JSON.stringify([bundle, input])).toBe(before);
    };
    fc.assert(fc.property(bundles, inputs, inputs, same), runs);
  });

  it('is never widened by a further deny', () => {
    const deny = policies(['deny']);
    fc.assert(
      fc.property(bundles, inputs, deny, (bundle, input, policy) => {
        const after = decide(plus(bundle, policy), input);
        expect(widenings(decide(bundle, input), after)).toEqual([]);
      }),
      runs,
    );
  });

  it('is never widened by a further mask, or approval that lifts nothing, on what was matched', () => {
    const restriction = policies(['mask', 'require_approval']).map((policy) => ({
      ...policy,
      ...(policy.approval && { approval: { ...policy.approval, lifts_mask: false } }),
    }));
    fc.assert(
      fc.property(bundles, inputs, restriction, (bundle, input, policy) => {
        const before = decide(bundle, input);
        const after = decide(plus(bundle, policy), input);
        const matched = before.references.filter((one) => isMatched(bundle, input, one));
        expect(widerReferences(before, after, (one) => matched.includes(one))).toEqual([]);
        const bounded = before.references.every(
          (one) => matched.includes(one) || isBoundByFields(bundle, input, one),
        );
        if (bounded) expect(widerBounds(before, after).filter(isOfBounds)).toEqual([]);
        if (matched.length < before.references.length) return;
        expect(widerBounds(before, after)).toEqual([]);
      }),
      runs,
    );
  });

  it('never gets more for a request that narrows itself', () => {
    fc.assert(
      fc.property(bundles, inputs, (bundle, input) => {
        const { narrowing: _narrowing, ...whole } = input;
        expect(widenings(decide(bundle, whole), decide(bundle, input))).toEqual([]);
      }),
      runs,
    );
  });

  it('gives an agent no more than it gets by itself, or the person it acts for', () => {
    fc.assert(
      fc.property(bundles, inputs, people, (bundle, input, person) => {
        const own = alone(input);
        const both = decide(bundle, { ...own, onBehalfOf: person });
        expect(widenings(decide(bundle, own), both)).toEqual([]);
        expect(widenings(decide(bundle, { ...own, requester: person }), both)).toEqual([]);
      }),
      runs,
    );
  });

  it.each(Object.keys(WITHOUT_ATTRIBUTE))(
    'never gets more when %s becomes unknown',
    (attribute) => {
      fc.assert(
        fc.property(bundles.map(withoutPresent), inputs, (bundle, input) => {
          const less = WITHOUT_ATTRIBUTE[attribute]?.(input) ?? input;
          const after = decide(withoutOfDatasource(bundle, attribute), less);
          expect(widenings(decide(bundle, input), after)).toEqual([]);
        }),
        runs,
      );
    },
  );

  it('agrees with the visibility of each field', () => {
    const states = { deny: 'hidden', require_approval: 'approval', mask: 'masked', allow: 'raw' };
    fc.assert(
      fc.property(bundles, inputs, (bundle, input) => {
        const set = compilePolicySet(bundle);
        for (const { dataset, field, action, unknown } of evaluate(set, input).references) {
          if (field === null || unknown) continue;
          expect(fieldVisibility(set, input, dataset).get(field)?.state).toBe(states[action]);
        }
      }),
      runs,
    );
  });
});

describe('the stricter of two decisions', TIMEOUT, () => {
  it('is a decision itself where both are the same, and never wider than either', () => {
    fc.assert(
      fc.property(SMALL_CASES.bundles, SMALL_CASES.bundles, SMALL_CASES.inputs, (a, b, input) => {
        const [one, two] = [decide(a, input), decide(b, input)];
        const both = combineStricter(one, two);
        expect(combineStricter(one, one)).toEqual(one);
        expect(widenings(one, both)).toEqual([]);
        expect(widenings(two, both)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('is what an agent gets on behalf of a person', () => {
    fc.assert(
      fc.property(
        SMALL_CASES.bundles,
        SMALL_CASES.inputs,
        SMALL_CASES.inputs.map(({ requester }) => requester),
        (bundle, input, person) => {
          const own = alone(input);
          const together = decide(bundle, { ...own, onBehalfOf: person });
          const combined = combineStricter(
            decide(bundle, own),
            decide(bundle, { ...own, requester: person }),
          );
          const partsOf = ({ action, masks, denied_fields, references }: Decision) => ({
            action,
            masks,
            denied_fields,
            references: references.map(({ policyIds, ...one }) => ({
              ...one,
              policyIds: [...policyIds].sort(),
            })),
          });
          expect(partsOf(combined)).toEqual(partsOf(together));
        },
      ),
      RUNS,
    );
  });
});

describe('discovery', TIMEOUT, () => {
  it('never shows a further dataset when an attribute becomes unknown', () => {
    fc.assert(
      fc.property(SMALL_CASES.bundles.map(withoutPresent), SMALL_CASES.inputs, (bundle, input) => {
        const set = compilePolicySet(bundle);
        const namesFor = (given: EvaluationInput) =>
          discoverable(set, given).map(({ name }) => name);
        const requester = { ...input.requester, region: null, clearance: null };
        const known = namesFor(input);
        expect(known).toEqual(expect.arrayContaining(namesFor({ ...input, requester })));
      }),
      RUNS,
    );
  });
});
