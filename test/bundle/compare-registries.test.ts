import { describe, expect, it } from 'vitest';
import { compareRegistries } from '../../src/bundle/compare-registries.js';
import type { BundleDataset, BundleField } from '../../src/bundle/model.js';
import { registryOfBundle } from '../../src/bundle/registry-of-bundle.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { printRegistry } from '../../src/schema/print-registry.js';

const field = (name: string, change: Partial<BundleField> = {}): BundleField => ({
  name,
  type: 'text',
  sensitivity: 'low',
  category: 'internal',
  position: 1,
  nullable: true,
  ...change,
});

const dataset = (name: string, change: Partial<BundleDataset> = {}): BundleDataset => ({
  name,
  datasource: 'shop',
  table: { schema: 'public', name, oid: 7 },
  kind: 'table',
  primary_key: ['id'],
  unique_keys: [],
  fields: [field('id')],
  ...change,
});

const differences = (before: Partial<BundleDataset>, after: Partial<BundleDataset>) =>
  compareRegistries([dataset('a', before)], [dataset('a', after)]).map(
    ({ kind, field: name, from, to }) => [kind, name, from, to],
  );

describe('the differences of two registries', () => {
  it('are none between equals, whatever their order and the ids of their tables', () => {
    const other = dataset('a', { table: { schema: 'public', name: 'a', oid: 8 } });
    expect(compareRegistries([dataset('a'), dataset('b')], [dataset('b'), other])).toEqual([]);
  });

  it('are datasets and fields that are there on one side alone', () => {
    const found = compareRegistries([dataset('a'), dataset('b')], [dataset('b'), dataset('c')]);
    expect(found.map(({ kind, dataset: name, field: of }) => [kind, name, of])).toEqual([
      ['dataset_removed', 'a', undefined],
      ['dataset_added', 'c', undefined],
      ['field_added', 'c', 'id'],
    ]);
    expect(differences({}, { fields: [field('x')] })).toEqual([
      ['field_removed', 'id', undefined, undefined],
      ['field_added', 'x', undefined, undefined],
    ]);
  });

  it.each<[Partial<BundleDataset>, unknown[]]>([
    [{ datasource: 'crm' }, ['redefined', undefined, 'datasource shop', 'datasource crm']],
    [{ table: { schema: '', name: 'b' } }, ['renamed', undefined, 'public.a', 'b']],
    [{ kind: 'view' }, ['redefined', undefined, 'table', 'view']],
    [{ definition_digest: 'x' }, ['redefined', undefined, 'table', 'another definition']],
    [{ primary_key: ['id', 'x'] }, ['keys_changed', undefined, '(id)', '(id, x)']],
    [{ fields: [field('id', { type: 'integer' })] }, ['type_changed', 'id', 'text', 'integer']],
    [
      { fields: [field('id', { nullable: false })] },
      ['nullability_changed', 'id', 'nullable', 'not null'],
    ],
    [{ fields: [field('id', { position: 2 })] }, ['moved', 'id', 'position 1', 'position 2']],
    [
      { fields: [field('id', { sensitivity: 'high', tags: ['vip'] })] },
      ['tags_changed', 'id', 'low internal', 'high internal #vip'],
    ],
    [
      { fields: [field('id', { category: 'pii', classification: 'email' })] },
      ['tags_changed', 'id', 'low internal', 'low pii email'],
    ],
  ])('are what changed: %j', (change, expected) => {
    expect(differences({}, change)).toEqual([expected]);
  });
});

describe('the registry of a bundle', () => {
  it('is a file that reads as what the bundle says, in the order of the table', () => {
    const fields = [
      field('zip', { position: 1 }),
      field('email', { position: 2, category: 'pii', classification: 'email', tags: ['contact'] }),
      field('constructor', { position: 3, type: 'text[]', sensitivity: 'high' }),
    ];
    const bundle = {
      registry: { datasets: [dataset('b', { fields }), dataset('a')], datasources: [] },
    };
    const text = printRegistry(registryOfBundle(bundle));
    const { registry, problems } = parseRegistry(text, 'registry.yaml');
    expect(problems).toEqual([]);
    expect(registry).toEqual(registryOfBundle(bundle));
    expect([...(registry.get('b')?.fields.keys() ?? [])]).toEqual(['zip', 'email', 'constructor']);
    expect(text.indexOf('\na:')).toBeLessThan(text.indexOf('\nb:'));
  });
});
