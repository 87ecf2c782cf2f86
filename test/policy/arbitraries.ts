import fc from 'fast-check';
import type { Bundle } from '../../src/bundle/model.js';
import type {
  Action,
  EvaluationInput,
  Policy,
  Reference,
  Requester,
} from '../../src/policy/model.js';

/** A small world, so that generated policies and requests meet often. */
const FIELDS = ['a', 'b', 'c'];
const DATASETS = ['one', 'two', 'empty'];
const ROLES = ['x', 'y'];
const REGIONS = ['EU', 'US'];
const CLEARANCES = ['low', 'medium', 'high', 'admin'];

const registry: Bundle['registry'] = {
  datasources: [
    { name: 'eu', type: 'sqlite', environment: 'production', region: 'EU', config: {} },
    { name: 'nowhere', type: 'sqlite', environment: 'staging', region: null, config: {} },
  ],
  datasets: DATASETS.map((name) => ({
    name,
    datasource: name === 'two' ? 'nowhere' : 'eu',
    table: { schema: '', name },
    fields:
      name === 'empty'
        ? []
        : FIELDS.map((field) => ({
            name: field,
            type: 'text',
            sensitivity: 'low' as const,
            category: field === 'a' ? 'pii' : 'internal',
          })),
  })),
};

function condition(values: readonly string[], references: readonly string[]) {
  const operand = fc.constantFrom(...values, ...references);
  return fc.oneof(
    fc.record({ eq: operand }),
    fc.record({ neq: operand }),
    fc.record({ in: fc.array(operand, { minLength: 1, maxLength: 2 }) }),
    fc.record({ nin: fc.array(operand, { minLength: 1, maxLength: 2 }) }),
  );
}

const level = fc.constantFrom(...CLEARANCES);

const when = fc.record(
  {
    requester_role: condition(ROLES, []),
    requester_clearance: fc.oneof(
      fc.record({ lte: level }),
      fc.record({ gte: level }),
      fc.record({ eq: level }),
    ),
    requester_region: condition(REGIONS, []),
    dataset_region: condition(REGIONS, ['$requester_region']),
    environment: condition(['production', 'staging'], []),
    purpose: condition(['p', 'q'], []),
  },
  { requiredKeys: [] },
);

/** Conditions are mostly few: with all of them at once nothing would ever hold. */
const fewConditions = fc
  .tuple(
    when,
    fc.subarray(
      [
        'requester_role',
        'requester_clearance',
        'requester_region',
        'dataset_region',
        'environment',
        'purpose',
      ],
      { maxLength: 2 },
    ),
  )
  .map(([all, keys]) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key))),
  );

const names = fc.subarray(FIELDS, { minLength: 1 });

const match = fc.record(
  {
    dataset: fc.constantFrom(...DATASETS),
    fields: fc.oneof(
      fc.record({ any: names }),
      fc.record({ all: names }),
      fc.record({ category: fc.constantFrom('pii', 'internal') }),
    ),
  },
  { requiredKeys: [] },
);

const spec = fc.oneof(
  fc.constantFrom('nullify' as const, 'full' as const, 'hash' as const, 'partial' as const),
  fc.record({ method: fc.constant('partial' as const), prefix: fc.constantFrom(1, 3) }),
);

export function policyArbitrary(
  actions: readonly Action[] = ['deny', 'require_approval', 'mask', 'allow', 'allow'],
): fc.Arbitrary<Policy> {
  const common = fc.record(
    {
      ttl_seconds: fc.constantFrom(60, 7_200, 100_000),
      max_rows: fc.constantFrom(10, 1_000),
      auto_revoke: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  return fc
    .tuple(
      fc.constantFrom(...actions),
      fc.nat({ max: 999 }).map((number) => `p${number}`),
      match,
      fewConditions,
      common,
      fc.nat({ max: 3 }),
      spec,
      fc.boolean(),
      fc.subarray(FIELDS, { maxLength: 1 }),
    )
    .map(([action, id, matches, conditions, bounds, priority, mask, lifts, except]) => ({
      id,
      match: matches,
      when: conditions,
      action,
      ...bounds,
      priority,
      ...(action === 'mask' && { masking: { default_method: mask, except } }),
      ...(action === 'require_approval' && {
        approval: { approver_role: 'dpo', lifts_mask: lifts },
      }),
    }));
}

export const bundleArbitrary: fc.Arbitrary<Bundle> = fc
  .tuple(
    fc.uniqueArray(policyArbitrary(), { selector: (policy) => policy.id, maxLength: 7 }),
    fc.constantFrom(
      'deny' as const,
      'deny' as const,
      'deny' as const,
      'allow' as const,
      'mask' as const,
    ),
  )
  .map(([policies, default_action]) => withPolicies(policies, default_action));

export function withPolicies(
  policies: readonly Policy[],
  default_action: Bundle['bundle']['default_action'],
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
      default_action,
    },
    registry,
    policies,
    signing: null,
  };
}

const requester: fc.Arbitrary<Requester> = fc.record({
  roles: fc.subarray(ROLES),
  clearance: fc.constantFrom(...CLEARANCES, null),
  region: fc.constantFrom(...REGIONS, null),
  purposes: fc.subarray(['p', 'q']),
});

const reference: fc.Arbitrary<Reference> = fc.record({
  dataset: fc.constantFrom(...DATASETS, ...DATASETS, 'missing'),
  field: fc.constantFrom(...FIELDS, ...FIELDS, null, 'missing'),
});

export const inputArbitrary: fc.Arbitrary<EvaluationInput> = fc.record(
  {
    requester,
    onBehalfOf: requester,
    narrowing: fc.record({ roles: fc.subarray(ROLES), clearance: level }, { requiredKeys: [] }),
    purpose: fc.constantFrom('p', 'q'),
    references: fc.array(reference, { maxLength: 5 }),
    at: fc.constant(Date.parse('2026-03-02T12:00:00Z')),
  },
  { requiredKeys: ['requester', 'references', 'at'] },
);
