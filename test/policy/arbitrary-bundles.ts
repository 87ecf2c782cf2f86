import fc from 'fast-check';
import type { Bundle, BundleHeader } from '../../src/bundle/model.js';
import type {
  Action,
  EvaluationInput,
  Narrowing,
  Policy,
  Reference,
  Requester,
} from '../../src/policy/model.js';
import { CHANGING_ZONES, CLEARANCES, PURPOSES, REGIONS, ROLES } from './arbitrary-conditions.js';
import { actionsOf, type PolicyOptions, policyArbitraryOf, withIds } from './arbitrary-policies.js';
import { changesOfClocks } from './reference/wall-clock.js';
import { SMALL_WORLD, WIDE_WORLD, type World } from './worlds.js';

/** As `vkit.yaml` may name them; every one of the usual names is in it, at another level. */
const OWN_CLEARANCES = ['public', 'low', 'medium', 'high', 'secret', 'admin'];
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface BundleOptions extends PolicyOptions {
  policiesMax: number;
}

/** A bundle of a world; what generated policies leave out of it are unique ids. */
function bundleArbitraryOf(world: World, options: BundleOptions): fc.Arbitrary<Bundle> {
  const { policiesMax, ...ofPolicies } = options;
  const policies = fc.array(policyArbitraryOf(world, ofPolicies), {
    maxLength: policiesMax,
    size: 'max',
  });
  return fc
    .tuple(
      // Many or few alike: fast-check would rather begin with few.
      fc.noBias(policies),
      fc.constantFrom<BundleHeader['default_action'][]>(
        'deny',
        'deny',
        'deny',
        'allow',
        'mask',
        'require_approval',
      ),
      fc.constantFrom(undefined, undefined, OWN_CLEARANCES),
    )
    .map(([all, default_action, clearances]) =>
      bundleOfWorld(world, withIds(all), { default_action, ...(clearances && { clearances }) }),
    );
}

function bundleOfWorld(
  world: World,
  policies: readonly Policy[],
  header: Partial<BundleHeader> = {},
): Bundle {
  return {
    bundle: {
      format_version: 'v1',
      org_slug: 'acme',
      bundle_version: '1',
      sequence: 1,
      created_at: '2026-03-02T12:00:00Z',
      expires_at: null,
      source: { type: 'git', repo: 'example.com/acme', commit_sha: '1', dirty: false },
      checksum: 'c'.repeat(64),
      installed_packs: [],
      default_action: 'deny',
      ...header,
    },
    registry: world.registry,
    policies,
    signing: null,
  };
}

/** Around each change of the clocks of a zone, and anywhere in four years. */
const moment: fc.Arbitrary<number> = fc.oneof(
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 * 366 * 24 * 60 }).map(afterStart) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...changes()),
        fc.constantFrom(-DAY_MS, 0, 0, 0, DAY_MS / 2),
        fc.integer({ min: -90, max: 90 }),
        fc.constantFrom(-1, 0),
      )
      .map(([change, near, minutes, ms]) => change + near + minutes * MINUTE_MS + ms),
  },
);

function afterStart(minutes: number): number {
  return Date.UTC(2025, 0, 1) + minutes * MINUTE_MS;
}

function changes(): number[] {
  const years = [2025, 2026, 2027, 2028];
  return CHANGING_ZONES.flatMap((zone) => years.flatMap((year) => changesOfClocks(zone, year)));
}

const clearance = fc.constantFrom<(string | number)[]>(...CLEARANCES, ...CLEARANCES, 1, 2, 3, 4);
const odd = fc.constantFrom<(string | number)[]>('public', 'cosmic', 5, 7, 0, 1.5);

const requester: fc.Arbitrary<Requester> = fc.record({
  roles: fc.subarray([...ROLES]),
  clearance: fc.oneof(
    { weight: 8, arbitrary: clearance },
    { weight: 1, arbitrary: odd },
    { weight: 2, arbitrary: fc.constant(null) },
  ),
  region: fc.constantFrom(...REGIONS, 'EU', 'US', '', null),
  purposes: fc.subarray([...PURPOSES]),
});

const narrowing: fc.Arbitrary<Narrowing> = fc.record(
  { roles: fc.subarray([...ROLES]), clearance },
  { requiredKeys: [] },
);

/** What a query touches: a dataset and fields of it, seldom of several, seldom what is not in the registry. */
function referencesArbitrary({ registry, fieldNames }: World): fc.Arbitrary<Reference[]> {
  const ofDataset = registry.datasets.map(({ name, fields }) =>
    fc
      .subarray([null, ...fields.map((field) => field.name)], { minLength: 1 })
      .map((touched): Reference[] => touched.map((field) => ({ dataset: name, field }))),
  );
  const one = fc.oneof(...ofDataset);
  // A bare `count(*)`.
  const whole = fc
    .constantFrom(...registry.datasets)
    .map(({ name }): Reference[] => [{ dataset: name, field: null }]);
  const unknown: fc.Arbitrary<Reference[]> = fc.oneof(
    fc.constantFrom(null, 'Id').map((field) => [{ dataset: 'ghosts', field }]),
    fc
      .tuple(fc.constantFrom(...registry.datasets), fc.constantFrom(...fieldNames))
      .map(([{ name }, field]) => [{ dataset: name, field }]),
  );
  return fc.oneof(
    { weight: 12, arbitrary: one },
    { weight: 4, arbitrary: whole },
    { weight: 3, arbitrary: fc.tuple(one, one).map((all) => all.flat()) },
    { weight: 2, arbitrary: fc.tuple(one, unknown).map((all) => all.flat()) },
    { weight: 1, arbitrary: fc.tuple(one, one, one).map((all) => all.flat()) },
    { weight: 1, arbitrary: fc.constant<Reference[]>([]) },
  );
}

function inputArbitraryOf(world: World): fc.Arbitrary<EvaluationInput> {
  return fc
    .tuple(
      requester,
      referencesArbitrary(world),
      moment,
      fc.oneof(fc.constant({}), fc.constant({}), fc.record({ narrowing })),
      fc.oneof(
        { weight: 3, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.record({ onBehalfOf: requester }) },
      ),
      fc.oneof(
        fc.constant({}),
        fc.record({ purpose: fc.constantFrom(...PURPOSES, ...PURPOSES, '') }),
      ),
      fc.constantFrom({}, {}, {}, { trace: true }),
    )
    .map(([who, references, at, ...rest]) =>
      Object.assign({ requester: who, references, at }, ...rest),
    );
}

/** Bundles, requests for them, and policies that may be added to them. */
export interface CaseArbitraries {
  bundles: fc.Arbitrary<Bundle>;
  inputs: fc.Arbitrary<EvaluationInput>;
  policies(actions: readonly Action[]): fc.Arbitrary<Policy>;
}

/** Few policies that meet often, also with what no file may say. */
export const SMALL_CASES: CaseArbitraries = {
  bundles: bundleArbitraryOf(SMALL_WORLD, { policiesMax: 9, strange: true }),
  inputs: inputArbitraryOf(SMALL_WORLD),
  policies: (actions) => policyArbitraryOf(SMALL_WORLD, { actions, strange: true }),
};

/** Hundreds of policies over some twenty datasets, most of which name theirs. */
export const WIDE_CASES: CaseArbitraries = {
  bundles: bundleArbitraryOf(WIDE_WORLD, {
    policiesMax: 300,
    named: 9,
    // So many policies meet that hardly anything would be open.
    actions: actionsOf({ deny: 1, require_approval: 2, mask: 6, allow: 11 }),
  }),
  inputs: inputArbitraryOf(WIDE_WORLD),
  policies: (actions) => policyArbitraryOf(WIDE_WORLD, { actions }),
};

/** Bundles whose policies files could say. */
export const compilableBundleArbitrary = bundleArbitraryOf(SMALL_WORLD, { policiesMax: 7 });
