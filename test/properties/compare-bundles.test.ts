import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBundles } from '../../src/bundle/compare/compare-bundles.js';
import type {
  BundleComparison,
  DecisionChange,
  Direction,
  Outcome,
} from '../../src/bundle/compare/model.js';
import type { Bundle } from '../../src/bundle/model.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type { EvaluationInput, Reference } from '../../src/policy/model.js';
import { compilePolicySet, type PolicySet } from '../../src/policy/policy-set.js';
import { rolesOfRequester } from '../../src/policy/requester-roles.js';
import { bundleArbitrary, inputArbitrary, policyArbitrary } from '../policy/arbitraries.js';

const RUNS = { numRuns: 200 };
const AT = Date.parse('2026-03-02T12:00:00Z');
const OTHER = '(any other)';
const DATASETS = ['one', 'two', 'empty'];
const FIELDS = [null, 'a', 'b', 'c'];

type BundlePair = [Bundle, Bundle];
type Who = Pick<EvaluationInput, 'requester' | 'purpose'>;

/** Two bundles: strangers, or one with policies taken away and added, or one whose registry changed. */
const pairArbitrary: fc.Arbitrary<BundlePair> = fc.oneof(
  fc.tuple(bundleArbitrary, bundleArbitrary),
  fc
    .tuple(
      bundleArbitrary,
      fc.uniqueArray(policyArbitrary(), { maxLength: 2, selector: ({ id }) => id }),
      fc.nat(),
    )
    .map(([a, more, gone]): BundlePair => {
      const kept = a.policies.filter((_, index) => index !== gone % (a.policies.length + 1));
      const added = more.map((policy) => ({ ...policy, id: `new_${policy.id}` }));
      return [a, { ...a, policies: [...kept, ...added] }];
    }),
  fc
    .tuple(
      bundleArbitrary,
      fc.constantFrom(...DATASETS),
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('gone', 'moved', 'field gone', 'field tagged'),
    )
    .map(([a, dataset, field, how]): BundlePair => [a, changeRegistry(a, dataset, field, how)]),
);

function changeRegistry(bundle: Bundle, dataset: string, field: string, how: string): Bundle {
  const datasets = bundle.registry.datasets.flatMap((one) => {
    if (one.name !== dataset) return [one];
    if (how === 'gone') return [];
    if (how === 'moved') {
      return [{ ...one, datasource: one.datasource === 'eu' ? 'nowhere' : 'eu' }];
    }
    const fields = one.fields.flatMap((entry) => {
      if (entry.name !== field) return [entry];
      return how === 'field gone' ? [] : [{ ...entry, category: 'pii' }];
    });
    return [{ ...one, fields }];
  });
  return { ...bundle, registry: { ...bundle.registry, datasets } };
}

/** What is decided of one reference, in the words of a comparison. */
function outcomeOf(set: PolicySet, who: Who, { dataset, field }: Reference): Outcome;
function outcomeOf(set: PolicySet, who: Who, of: Reference, beside: readonly string[]): Outcome;
function outcomeOf(
  set: PolicySet,
  who: Who,
  { dataset, field }: Reference,
  beside: readonly string[] = [],
): Outcome {
  const references = [null, field, ...beside].map((name) => ({ dataset, field: name }));
  const decision = evaluate(set, { at: AT, ...who, references });
  const own = decision.references.find((one) => one.field === field);
  if (own === undefined || own.action === 'deny') return { action: 'deny', mask: null };
  const action = field === null && own.action === 'mask' ? 'allow' : own.action;
  if (own.mask === undefined || own.liftsMask) return { action, mask: null };
  if (own.mask.method !== 'partial') return { action, mask: { method: own.mask.method } };
  const { prefix, suffix, minLength } = own.mask;
  return { action, mask: { method: 'partial', prefix, suffix, min_length: minLength } };
}

type Named = Readonly<Record<'requester_role' | 'requester_region' | 'purpose', Set<string>>>;

/** The values that the conditions which can bear on a reference name; on a dataset, those of its fields can. */
function namedOn(bundles: BundlePair, { dataset, field }: Reference): Named {
  const bearing = bundles.flatMap((bundle) => {
    const policies = bundle.policies.map((policy) => ({ ...policy, when: {} }));
    const references = FIELDS.map((name) => ({ dataset, field: name }));
    const { references: decided } = evaluate(compilePolicySet({ ...bundle, policies }), {
      requester: { roles: [], clearance: null, region: null, purposes: [] },
      references,
      at: AT,
    });
    const ids = decided
      .filter((one) => field === null || one.field === null || one.field === field)
      .flatMap(({ policyIds }) => policyIds);
    return bundle.policies.filter(({ id }) => ids.includes(id));
  });
  const named = (attribute: string) =>
    bearing.flatMap(({ when }) => JSON.stringify(when[attribute] ?? '').match(/[$\w]+/g) ?? []);
  const regions = named('dataset_region');
  const own = bundles.flatMap(({ registry: { datasets, datasources } }) =>
    datasets
      .filter(({ name }) => name === dataset)
      .flatMap(({ datasource }) => datasources.filter(({ name }) => name === datasource))
      .map(({ region }) => region ?? ''),
  );
  const compared = regions.includes('$requester_region') ? [...regions, ...own] : [];
  return {
    requester_role: new Set(named('requester_role')),
    requester_region: new Set([...named('requester_region'), ...compared]),
    purpose: new Set(named('purpose')),
  };
}

/** Whether a change is for a requester; a value is another one only where no policy names it. */
function covers(change: DecisionChange, { requester, purpose }: Who, named: Named): boolean {
  const isOf = (attribute: keyof Named, listed: string | null, value: string | null) =>
    listed === value || (listed === OTHER && value !== null && !named[attribute].has(value));
  const roles = (set: readonly string[]) =>
    set.every((role) =>
      role === OTHER
        ? requester.roles.every((held) => isOf('requester_role', role, held))
        : requester.roles.includes(role),
    );
  const assigned = purpose !== undefined && requester.purposes.includes(purpose);
  const { clearances, requester_regions: regions, purposes } = change;
  return (
    (change.roles === null || change.roles.some(roles)) &&
    (clearances === null || clearances.includes(requester.clearance as string | null)) &&
    (regions === null || regions.some((one) => isOf('requester_region', one, requester.region))) &&
    (purposes === null ||
      purposes.some((one) =>
        one === null
          ? purpose === undefined
          : isOf('purpose', one.purpose, purpose ?? null) && one.assigned === assigned,
      ))
  );
}

/** Every requester that a change is for; where it is for all, one of them. */
function requestersOf(change: DecisionChange): Who[] {
  const among = <T>(list: readonly T[] | null, otherwise: T): readonly T[] => list ?? [otherwise];
  return among(change.roles, ['some role']).flatMap((roles) =>
    among(change.clearances, 'low').flatMap((clearance) =>
      among(change.requester_regions, null).flatMap((region) =>
        among(change.purposes, null).map((said) => ({
          requester: {
            roles: rolesOfRequester(roles),
            clearance,
            region,
            purposes: said?.assigned ? [said.purpose] : [],
          },
          ...(said && { purpose: said.purpose }),
        })),
      ),
    ),
  );
}

function decisionsOf({ changes }: BundleComparison) {
  return changes.filter((change) => change.kind === 'decision');
}

describe('a comparison of bundles', () => {
  it('finds every requester for whom an action or a mask differs', { timeout: 120_000 }, () => {
    let differing = 0;
    const check = ([a, b]: BundlePair, inputs: readonly EvaluationInput[]) => {
      const found = decisionsOf(compareBundles(a, b));
      const sets = [compilePolicySet(a), compilePolicySet(b)] as const;
      for (const { requester, purpose } of inputs) {
        const who = { requester, ...(purpose !== undefined && { purpose }) };
        for (const dataset of DATASETS) {
          for (const field of FIELDS) {
            const reference = { dataset, field };
            const [from, to] = sets.map((set) => outcomeOf(set, who, reference));
            if (JSON.stringify(from) === JSON.stringify(to)) continue;
            differing += 1;
            const named = namedOn([a, b], reference);
            const reported = found
              .filter((one) => one.dataset === dataset && one.field === field)
              .filter((one) => covers(one, who, named))
              .map((one) => JSON.stringify([one.from, one.to]));
            expect(reported, JSON.stringify({ reference, who })).toContain(
              JSON.stringify([from, to]),
            );
          }
        }
      }
    };
    const inputs = fc.array(inputArbitrary, { minLength: 4, maxLength: 4 });
    fc.assert(fc.property(pairArbitrary, inputs, check), RUNS);
    expect(differing).toBeGreaterThan(500);
  });

  it('reports only what is so when it is decided again', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(pairArbitrary, ([a, b]) => {
        const sets = [compilePolicySet(a), compilePolicySet(b)] as const;
        for (const change of decisionsOf(compareBundles(a, b))) {
          for (const who of requestersOf(change)) {
            const beside = change.together_with ?? [];
            const outcomes = sets.map((set) => outcomeOf(set, who, change, beside));
            expect(outcomes, JSON.stringify({ change, who })).toEqual([change.from, change.to]);
          }
        }
      }),
      RUNS,
    );
  });

  it('finds nothing between a bundle and itself, however its policies are ordered and named', () => {
    fc.assert(
      fc.property(bundleArbitrary, (a) => {
        const policies = [...a.policies]
          .reverse()
          .map((one) => ({ ...one, id: `x_${one.id}`, reason: 'new words' }));
        for (const b of [a, { ...a, policies }]) {
          const { changes, summary } = compareBundles(a, b);
          expect([changes, summary.cells_compared]).toEqual([[], 0]);
        }
      }),
      RUNS,
    );
  });

  it('is the same the other way round, with every direction reversed', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(pairArbitrary, ([a, b]) => {
        const there = compareBundles(a, b).changes.map(reversed).map(textOf);
        const back = compareBundles(b, a).changes.map(textOf);
        expect(back.sort()).toEqual(there.sort());
      }),
      RUNS,
    );
  });
});

const OPPOSITE: Readonly<Record<Direction, Direction>> = {
  widening: 'narrowing',
  changed: 'changed',
  narrowing: 'widening',
};

function reversed({ direction, from, to, policies, moved, ...change }: DecisionChange): object {
  return {
    ...change,
    direction: OPPOSITE[direction],
    from: to,
    to: from,
    policies: { from: policies.to, to: policies.from },
    moved: moved && { from: moved.to, to: moved.from },
  };
}

/** Where a dataset moved, the second bundle is asked where it lies, and that is not the same the other way round. */
function textOf(change: object): string {
  const { environment: _environment, dataset_region: _region, ...rest } = change as DecisionChange;
  return JSON.stringify(Object.entries(rest).sort(([x], [y]) => (x < y ? -1 : 1)));
}
