// How long it takes to compare two bundles of 10,000 policies over 10,000 datasets of 20 fields: `tsx bench/compare-bundles.ts`.
import { compareBundles } from '../src/bundle/compare/compare-bundles.js';
import type { Bundle, BundleDataset } from '../src/bundle/model.js';
import type { Policy } from '../src/policy/model.js';
import { bundle, policy } from '../test/bundle/compare/bundles.js';

const DATASETS = Number(process.argv[2] ?? 10_000);
const POLICIES = 10_000;
const FIELDS = 20;
const ROLES = Array.from({ length: 30 }, (_, index) => `role_${index}`);
const SENSITIVITIES = ['low', 'medium', 'high'] as const;
const CATEGORIES = ['internal', 'pii', 'financial', 'phi'];

const datasets = Array.from({ length: DATASETS }, (_, index): BundleDataset => {
  const name = `table_${index}`;
  const fields = Array.from({ length: FIELDS }, (_, field) => ({
    name: `field_${field}`,
    type: 'text',
    sensitivity: SENSITIVITIES[(index + field) % 3] ?? 'low',
    category: CATEGORIES[(index * 7 + field) % 4] ?? 'internal',
  }));
  return { name, datasource: index % 2 ? 'eu' : 'us', table: { schema: '', name }, fields };
});

const general: Policy[] = [
  policy('agents_masked', 'mask', {
    match: { fields: { category: 'pii' } },
    when: { requester_role: 'ai_agent' },
  }),
  policy('region', 'deny', { when: { dataset_region: { neq: '$requester_region' } } }),
  policy('low', 'allow', {
    match: { fields: { sensitivity: 'low' } },
    when: { requester_clearance: { gte: 'low' } },
  }),
];

const own = Array.from({ length: POLICIES - general.length }, (_, index) =>
  policy(`own_${index}`, index % 3 === 0 ? 'mask' : 'allow', {
    match: { dataset: `table_${index % DATASETS}` },
    when: { requester_role: [ROLES[index % 30] ?? '', ROLES[(index + 7) % 30] ?? ''] },
  }),
);
const base = bundle([...general, ...own], datasets);

const cases: [string, Bundle][] = [
  ['the same', bundle([...general, ...own], datasets)],
  [
    'ten policies of single datasets differ',
    bundle(
      [
        ...general,
        ...own.map((one, index) =>
          index % 1_000 === 0 ? { ...one, action: 'deny' as const } : one,
        ),
      ],
      datasets,
    ),
  ],
  [
    'ten policies of field categories are added',
    bundle(
      [
        ...general,
        ...own,
        ...Array.from({ length: 10 }, (_, index) =>
          policy(`more_${index}`, 'mask', {
            match: { fields: { category: 'financial' } },
            when: { requester_role: ROLES[index] ?? '' },
          }),
        ),
      ],
      datasets,
    ),
  ],
  ['the default action differs', { ...base, bundle: { ...base.bundle, default_action: 'mask' } }],
];

for (const [what, other] of cases) {
  const startedAt = performance.now();
  const { summary, warnings } = compareBundles(base, other);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${what.padEnd(44)} ${seconds.padStart(6)} s`, JSON.stringify(summary));
  for (const warning of warnings) console.log(`  ${warning}`);
}
