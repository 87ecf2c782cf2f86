import { describe, expect, it } from 'vitest';
import { compareBundles } from '../../../src/bundle/compare/compare-bundles.js';
import type { Bundle, BundleDataset, BundleDatasource } from '../../../src/bundle/model.js';
import { bundle, dataset } from './bundles.js';

const pointersOf = (a: Bundle, b: Bundle) => compareBundles(a, b).bundle_changes;

function pointing(change: Partial<BundleDataset>): Bundle {
  return bundle([], [{ ...dataset('t', ['f']), ...change }]);
}

function at(change: Partial<BundleDatasource>): Bundle {
  const base = bundle([]);
  const datasources = base.registry.datasources.map((one) =>
    one.name === 'eu' ? { ...one, config: { host: 'db1', port: 1 }, ...change } : one,
  );
  return { ...base, registry: { ...base.registry, datasources } };
}

describe('what stands for something else', () => {
  const table = { schema: '', name: 't' };

  it.each<[string, Partial<BundleDataset>, object, object]>([
    [
      'another table',
      { table: { ...table, name: 'u' } },
      { 'table.name': 't' },
      { 'table.name': 'u' },
    ],
    [
      'another schema',
      { table: { ...table, schema: 'hr' } },
      { 'table.schema': '' },
      { 'table.schema': 'hr' },
    ],
    [
      'a table of the same name in its place',
      { table: { ...table, oid: 7 } },
      { 'table.oid': null },
      { 'table.oid': 7 },
    ],
    ['another datasource', { datasource: 'us' }, { datasource: 'eu' }, { datasource: 'us' }],
    [
      'a view',
      { kind: 'view', definition_digest: 'd' },
      { definition_digest: null, kind: null },
      { definition_digest: 'd', kind: 'view' },
    ],
  ])('is a dataset that is %s', (_what, change, from, to) => {
    const found = compareBundles(pointing({}), pointing(change));
    expect(found.bundle_changes).toEqual([
      { kind: 'dataset', name: 't', direction: 'changed', from, to },
    ]);
    expect(found.summary).toMatchObject({ widening: 0, changed: 1, narrowing: 0 });
  });

  it.each<[string, Partial<BundleDatasource>, object, object]>([
    [
      'host',
      { config: { host: 'db2', port: 1 } },
      { 'config.host': 'db1' },
      { 'config.host': 'db2' },
    ],
    [
      'option inside of another',
      { config: { host: 'db1', port: 1, tls: { verify: false } } },
      { 'config.tls.verify': null },
      { 'config.tls.verify': false },
    ],
    ['engine', { type: 'postgres' }, { type: 'sqlite' }, { type: 'postgres' }],
    [
      'credentials',
      { credentials: 'env:OTHER' },
      { credentials: null },
      { credentials: 'env:OTHER' },
    ],
    [
      'check of the schema',
      { schema_check: 'identity' },
      { schema_check: null },
      { schema_check: 'identity' },
    ],
  ])('is a datasource with another %s', (_what, change, from, to) => {
    expect(pointersOf(at({}), at(change))).toEqual([
      { kind: 'datasource', name: 'eu', direction: 'changed', from, to },
    ]);
  });

  it('is a datasource that a dataset named before there was one', () => {
    const after = at({});
    const none = { ...after, registry: { ...after.registry, datasources: [] } };
    expect(pointersOf(none, after)).toMatchObject([
      { kind: 'datasource', name: 'eu', direction: 'changed' },
    ]);
  });

  it('is nothing that is written in another order, is new, or is used by no dataset', () => {
    expect(pointersOf(at({}), at({ config: { port: 1, host: 'db1' } }))).toEqual([]);
    expect(pointersOf(bundle([], []), pointing({}))).toEqual([]);
    const unused = bundle([], []);
    const [first, ...rest] = unused.registry.datasources;
    const datasources = [{ ...(first as BundleDatasource), type: 'mysql' }, ...rest];
    expect(pointersOf(unused, { ...unused, registry: { datasets: [], datasources } })).toEqual([]);
  });
});

describe('what a bundle says of itself', () => {
  const [early, late] = ['2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'];

  it.each<[string, string | null, string | null, string | null]>([
    ['a later expiry widens', early, late, 'widening'],
    ['none widens', early, null, 'widening'],
    ['an earlier one narrows', late, early, 'narrowing'],
    ['one where there was none narrows', null, early, 'narrowing'],
    ['the same moment in other words is neither', early, '2026-01-01T00:00:00.000Z', null],
    ['one that cannot be read widens', 'soon', late, 'widening'],
    ['one that can no longer be read widens', early, 'soon', 'widening'],
  ])('%s', (_what, from, to, direction) => {
    const of = (expires_at: string | null) => bundle([], [], { expires_at });
    expect(pointersOf(of(from), of(to))).toEqual([
      { kind: 'bundle', name: null, direction, from: { expires_at: from }, to: { expires_at: to } },
    ]);
  });

  it('says that it is older or of another organisation, which counts as nothing', () => {
    const of = (org_slug: string, sequence: number) => bundle([], [], { org_slug, sequence });
    const found = compareBundles(of('acme', 5), of('other', 4));
    expect(found.bundle_changes).toEqual([
      {
        kind: 'bundle',
        name: null,
        direction: null,
        from: { org_slug: 'acme' },
        to: { org_slug: 'other' },
      },
      { kind: 'bundle', name: null, direction: null, from: { sequence: 5 }, to: { sequence: 4 } },
    ]);
    expect(found.summary).toMatchObject({ widening: 0, changed: 0, narrowing: 0 });
    expect(pointersOf(of('acme', 5), of('acme', 6))).toEqual([]);
  });
});
