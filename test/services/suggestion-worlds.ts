import fc from 'fast-check';
import { createCatalog } from '../../src/aql/catalog.js';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import { parsePolicyFile } from '../../src/policy/parse-policy.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import type { ActiveBundle } from '../../src/services/control/active-bundle.js';

/** Names that are near each other, differ in case or belong to two datasets: what could be taken for another. */
export const FIELDS = ['id', 'email', 'emial', 'ssn', 'dob', 'Email'] as const;
export const DATASETS = ['customers', 'orders', 'custmers'] as const;

const field = fc.constantFrom(...FIELDS);
const dataset = fc.constantFrom(...DATASETS);
const condition = fc.option(
  fc.constantFrom(
    'context: {requester_role: analyst}',
    'context: {requester_role: agent}',
    'context: {requester_clearance: {gte: high}}',
    'context: {purpose: support}',
  ),
  { nil: '' },
);
const action = fc.constantFrom(
  'allow: true',
  'allow: true',
  'allow: true',
  'mask: true, mask_type: full',
  'deny: true, reason: "No."',
  'require_approval: true, approver_role: dpo, reason: "Ask."',
  'require_approval: true, approver_role: cfo, reason: "Ask.", approval_metadata_required: [ticket]',
);
const fieldMatch = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  {
    weight: 4,
    arbitrary: fc
      .uniqueArray(field, { minLength: 1, maxLength: 3 })
      .map((names) => `, fields: {any: [${names.join(', ')}]}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .uniqueArray(fc.constantFrom('id', 'ssn', 'dob'), { minLength: 2, maxLength: 2 })
      .map((names) => `, fields: {all: [${names.join(', ')}]}`),
  },
);

/** The texts of some policies. */
export const policyTexts = fc
  .array(fc.tuple(fc.constantFrom(...DATASETS, '*'), fieldMatch, condition, action), {
    minLength: 1,
    maxLength: 6,
  })
  .map((all) =>
    all.map(([name, fields, when, does], index) => {
      // What opens fields only together makes known what is known of none of them by itself.
      const action = fields.includes('all:') ? 'deny: true, reason: "No."' : does;
      return `id: p${index}\nmatch: {dataset: "${name}"${fields}}\n${when}\naction: {${action}}\n`;
    }),
  );

const bare = fc.oneof(field, fc.constantFrom('emai', 'snn', 'nothing', 'EMAIL'));
const qualified = fc
  .tuple(fc.constantFrom('customers', 'orders', 'o'), bare)
  .map((all) => all.join('.'));

/** Queries of one dataset, or of two joined ones, in the normal form. */
export const queries = fc
  .record({
    source_table: fc.constantFrom('customers', 'customers', 'custmers', 'custoners', 'CUSTOMERS'),
    joined: fc.option(dataset, { nil: undefined, freq: 2 }),
    columns: fc.uniqueArray(fc.oneof(bare, qualified, fc.constant('*')), {
      minLength: 1,
      maxLength: 4,
    }),
    filter: fc.option(fc.oneof(bare, qualified), { nil: undefined }),
    order: fc.option(bare, { nil: undefined }),
    count: fc.boolean(),
  })
  .map(({ source_table, joined, columns, filter, order, count }) => ({
    source_table,
    columns,
    ...(joined && {
      joins: [
        {
          type: 'INNER' as const,
          table: joined,
          alias: 'o',
          left_field: `${source_table}.id`,
          right_field: 'o.id',
        },
      ],
    }),
    ...(filter && { filters: [{ operator: 'is_not_null' as const, field: filter }] }),
    ...(order && !count && { order_by: [{ column: order, direction: 'ASC' as const }] }),
    ...(count && {
      aggregates: [{ func: 'count' as const, field: '*' }],
      group_by: columns.filter((name) => name !== '*'),
    }),
  }));

/** What a requester says beside the query. */
export const narrowings = fc.record(
  {
    role: fc.constantFrom('analyst', 'clerk'),
    requester_clearance: fc.constantFrom('low', 'high'),
    purpose: fc.constantFrom('support', 'marketing'),
  },
  { requiredKeys: [] },
);

/** A registry of datasets and their fields, all of text. */
export function registryText(datasets: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(datasets)
    .map(([name, fields]) => {
      const lines = fields.map(
        (one) => `    ${one}: {type: text, sensitivity: low, category: internal}\n`,
      );
      return `${name}:\n  datasource: shop\n  fields:\n${lines.join('')}`;
    })
    .join('');
}

export const WHOLE = registryText(
  Object.fromEntries(DATASETS.map((name) => [name, FIELDS.filter((one) => one !== 'Email')])),
);

/** Policies over a registry, as the server enforces them. */
export function activeOf(policies: readonly string[], registry: string): ActiveBundle {
  const bundle = compileBundle({
    org: 'acme',
    commit: { sha: 'a'.repeat(40), time: '2026-03-01T00:00:00Z' },
    sequence: 1,
    expiresAt: null,
    repo: 'example.test/acme/policies',
    dirty: false,
    defaultAction: 'deny',
    installedPacks: [],
    policies: policies.map((text) => {
      const { policy, problems } = parsePolicyFile(text, 'policy.yaml');
      if (!policy) throw new Error(JSON.stringify(problems));
      return policy;
    }),
    registry: parseRegistry(registry, 'registry.yaml').registry,
    lock: null,
    datasources: [
      {
        name: 'shop',
        type: 'sqlite',
        environment: 'production',
        region: 'US',
        config: { path: '/shop.db' },
        credentials: 'env',
      },
    ],
  });
  return {
    version: 1,
    checksum: 'x',
    epoch: 1,
    bundle,
    policies: compilePolicySet(bundle),
    catalog: createCatalog(bundle),
  };
}
