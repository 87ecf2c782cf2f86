import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compareBundles } from '../../src/bundle/compare/compare-bundles.js';
import type { DecisionChange } from '../../src/bundle/compare/model.js';
import type { Bundle } from '../../src/bundle/model.js';
import { ACTIONS, type OperatorCondition, type Policy } from '../../src/policy/model.js';
import { rolesOfRequester } from '../../src/policy/requester-roles.js';
import { type Asker, type Compare, missedWidening } from '../bundle/compare/widening-oracle.js';
import { casesOfRun, seedOfRun } from '../helpers/property-runs.js';
import { SMALL_CASES } from '../policy/arbitrary-bundles.js';
import { CLEARANCES, PURPOSES, REGIONS, ROLES } from '../policy/arbitrary-conditions.js';

const CASES = casesOfRun(300);
const SEED = seedOfRun();
const ASKERS_PER_PAIR = 12;
/** A comparison decides thousands of cells; a tenth of it is enough on a machine with nothing else to do. */
const CASE_MS_MAX = 2_000;
const REPLAY = `VKIT_SEED=${SEED} VKIT_RUNS=${CASES} npx vitest run test/properties/compare-bundles-widening.test.ts`;
/** The weeks whose moments a comparison takes for all. */
const WEEKS = ['2026-01-12', '2026-03-16', '2026-07-13'];
const MINUTES_OF_WEEK = 7 * 24 * 60;

type BundlePair = readonly [Bundle, Bundle];

/** One bundle with policies taken away and added, or with another default. */
const anyPairs: fc.Arbitrary<BundlePair> = fc
  .tuple(
    SMALL_CASES.bundles,
    fc.array(SMALL_CASES.policies(ACTIONS), { maxLength: 2 }),
    fc.array(fc.nat({ max: 20 }), { maxLength: 2 }),
    fc.constantFrom<(Bundle['bundle']['default_action'] | null)[]>(
      null,
      null,
      null,
      null,
      'deny',
      'mask',
      'allow',
    ),
  )
  .map(([a, more, gone, byDefault]): BundlePair => {
    const kept = a.policies.filter((_, index) => !gone.includes(index));
    const policies = [...kept, ...more.map((one, index) => ({ ...one, id: `new_${index}` }))];
    const bundle = byDefault === null ? a.bundle : { ...a.bundle, default_action: byDefault };
    return [a, { ...a, bundle, policies }];
  });

const someRoles = fc.subarray([...ROLES], { minLength: 1, maxLength: 2 });
const onRoles: fc.Arbitrary<OperatorCondition> = fc.oneof(
  someRoles.map((list) => ({ in: list })),
  fc.tuple(fc.constantFrom(...ROLES), someRoles).map(([eq, list]) => ({ eq, in: list })),
  someRoles.map((nin) => ({ nin })),
);

/** The same, of policies that ask for roles alone and match nearly everything, so that many roles meet. */
const pairsOnRoles: fc.Arbitrary<BundlePair> = fc
  .tuple(anyPairs, fc.array(onRoles, { minLength: 16, maxLength: 16 }))
  .map(([[a, b], conditions]) => {
    const places = new Map([...a.policies, ...b.policies].map(({ id }, place) => [id, place]));
    const rolesOnly = (bundle: Bundle): Bundle => ({
      ...bundle,
      bundle: { ...bundle.bundle, default_action: a.bundle.default_action },
      policies: bundle.policies.map((policy): Policy => {
        const place = places.get(policy.id) ?? 0;
        const match = place % 3 === 0 ? policy.match : {};
        return { ...policy, match, when: { requester_role: conditions[place % 16] ?? {} } };
      }),
    });
    return [rolesOnly(a), rolesOnly(b)];
  });

const pairs = fc.oneof(anyPairs, pairsOnRoles);

const requester = fc
  .record({
    roles: fc.subarray([...ROLES], { minLength: 0, maxLength: 4 }),
    clearance: fc.constantFrom(...CLEARANCES, null),
    region: fc.constantFrom(...REGIONS, null),
    purposes: fc.subarray([...PURPOSES]),
  })
  .map(({ roles, ...rest }) => ({ roles: rolesOfRequester(roles), ...rest }));

const askers: fc.Arbitrary<Asker> = fc
  .record({
    requester,
    onBehalfOf: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, requester),
    purpose: fc.constantFrom(undefined, undefined, ...PURPOSES),
    week: fc.constantFrom(...WEEKS),
    minute: fc.nat({ max: MINUTES_OF_WEEK - 1 }),
  })
  .map(({ requester: own, onBehalfOf, purpose, week, minute }) => ({
    requester: own,
    ...(onBehalfOf && { onBehalfOf }),
    ...(purpose !== undefined && { purpose }),
    at: Date.parse(week) + minute * 60_000,
  }));

const reached = new Map<string, number>();
const note = (what: string) => reached.set(what, (reached.get(what) ?? 0) + 1);

/** What a comparison with one thing wrong, or right, misses first in this many cases. */
function firstMissed(compare: Compare, cases: number): string | null {
  let missed: string | null = null;
  const inputs = fc.array(askers, { minLength: ASKERS_PER_PAIR, maxLength: ASKERS_PER_PAIR });
  const property = fc.property(pairs, inputs, (pair, all) => {
    const found = missedWidening(compare, pair, all, note);
    missed = found ?? missed;
    return found === null;
  });
  const { failed, errorInstance } = fc.check(property, {
    seed: SEED,
    numRuns: cases,
    endOnFailure: true,
  });
  // What is missed fails the property too, and is the answer.
  if (missed === null && failed) throw errorInstance;
  return missed;
}

/** The comparison with some of its changes forgotten. */
function forgetting(isForgotten: (change: DecisionChange) => boolean): Compare {
  return (a, b) => {
    const comparison = compareBundles(a, b);
    return { ...comparison, changes: comparison.changes.filter((one) => !isForgotten(one)) };
  };
}

const FAULTS: readonly [string, Compare][] = [
  [
    'compares one role at a time',
    forgetting(({ roles }) => roles?.every((one) => one.length > 1) ?? false),
  ],
  [
    'compares two roles at most',
    forgetting(({ roles }) => roles?.every((one) => one.length > 2) ?? false),
  ],
  [
    'forgets who has no clearance',
    forgetting(({ clearances }) => clearances?.includes(null) ?? false),
  ],
  [
    'forgets purposes that are only said',
    forgetting(({ purposes }) => purposes?.some((one) => one?.assigned === false) ?? false),
  ],
  [
    'forgets what can be asked for',
    forgetting((one) => one.kind === 'decision' && one.to.action === 'require_approval'),
  ],
  ['forgets bounds', forgetting(({ kind }) => ['ttl', 'max_rows', 'auto_revoke'].includes(kind))],
  ['takes the bundles for each other', (a, b) => compareBundles(b, a)],
];

afterAll(() => {
  const counts = [...reached].map(([what, count]) => `${what} ${count}`).join(', ');
  process.stdout.write(`\nwidenings that were looked for: ${counts}; to repeat: ${REPLAY}\n`);
});

describe(`a comparison of bundles (seed ${SEED})`, { timeout: CASES * CASE_MS_MAX }, () => {
  it('reports a widening wherever somebody with up to four roles gets more than before', () => {
    const missed = firstMissed(compareBundles, CASES);
    if (missed !== null) throw new Error(`${missed}\nTo see it again: ${REPLAY}`);
    expect(reached.get('access') ?? 0).toBeGreaterThan(CASES / 10);
    expect(reached.get('for a person') ?? 0).toBeGreaterThan(CASES / 10);
  });

  it.each(FAULTS)('is found out where it %s', (_what, compare) => {
    expect(firstMissed(compare, 4 * CASES)).not.toBeNull();
  });
});
