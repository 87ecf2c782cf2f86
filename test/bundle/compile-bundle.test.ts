import { describe, expect, it } from 'vitest';
import { bundleChecksum } from '../../src/bundle/canonicalise.js';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import { parsed, sampleInput } from './sample.js';

describe('compileBundle', () => {
  it('gives the same bytes for the same input in another order', () => {
    const input = sampleInput();
    const shuffled = sampleInput();
    shuffled.policies = [...shuffled.policies].reverse();
    shuffled.registry = new Map([...shuffled.registry].reverse());
    expect(JSON.stringify(compileBundle(shuffled))).toBe(JSON.stringify(compileBundle(input)));
  });

  it('fills in its own checksum and no signature', () => {
    const bundle = compileBundle(sampleInput());
    expect(bundle.bundle.checksum).toBe(bundleChecksum(bundle));
    expect(bundle.signing).toBeNull();
  });

  it('sorts policies by descending priority, then id, and names by code unit', () => {
    const input = sampleInput();
    const policy = input.policies[0];
    if (policy === undefined) throw new Error('The sample has policies.');
    input.policies = [
      { ...policy, id: 'b' },
      { ...policy, id: 'a_b' },
      { ...policy, id: 'z', priority: 900 },
      { ...policy, id: 'ab' },
    ];
    const bundle = compileBundle(input);
    expect(bundle.policies.map(({ id }) => id)).toEqual(['z', 'a_b', 'ab', 'b']);
    expect(bundle.registry.datasets.map(({ name }) => name)).toEqual(['customers', 'orders']);
  });

  it('joins the registry with what the scan recorded', () => {
    const [customers] = compileBundle(sampleInput()).registry.datasets;
    expect(customers).toEqual({
      name: 'customers',
      datasource: 'production_db',
      table: { schema: 'public', name: 'customers', oid: 16402 },
      kind: 'table',
      primary_key: ['id'],
      unique_keys: [],
      fields: [
        {
          name: 'email',
          type: 'text',
          sensitivity: 'medium',
          category: 'pii',
          tags: ['b2c', 'contact'],
          position: 2,
          nullable: true,
        },
        {
          name: 'id',
          type: 'integer',
          sensitivity: 'low',
          category: 'internal',
          position: 1,
          nullable: false,
        },
      ],
    });
  });

  it('leaves out datasets and fields that the last scan did not see', () => {
    const input = sampleInput();
    const orders = input.lock?.datasets.orders;
    if (orders === undefined) throw new Error('The sample has orders.');
    input.lock = { format_version: 'v1', datasets: { orders: { ...orders, fields: {} } } };
    const { datasets } = compileBundle(input).registry;
    expect(datasets.map(({ name, fields }) => [name, fields.length])).toEqual([['orders', 0]]);
  });

  it('does not take another datasource’s table for a dataset of the same name', () => {
    const input = sampleInput();
    const orders = input.lock?.datasets.orders;
    if (orders === undefined) throw new Error('The sample has orders.');
    input.lock = {
      format_version: 'v1',
      datasets: { orders: { ...orders, datasource: 'other_db' } },
    };
    expect(compileBundle(input).registry.datasets).toEqual([]);
  });

  it('is not confused by datasets named like members of every object', () => {
    const input = sampleInput();
    input.registry = new Map([['constructor', { datasource: 'production_db', fields: new Map() }]]);
    expect(compileBundle(input).registry.datasets).toEqual([]);
  });

  it('names tables after the keys where no scan ever ran', () => {
    const input = { ...sampleInput(), lock: null };
    const fields = new Map([
      ['id', { type: 'integer', sensitivity: 'low' as const, category: 'internal', tags: [] }],
    ]);
    input.registry = new Map(
      ['production_db.public.orders', 'sales.orders', 'orders'].map((key) => [
        key,
        { datasource: 'production_db', fields },
      ]),
    );
    expect(compileBundle(input).registry.datasets.map(({ name, table }) => [name, table])).toEqual([
      ['orders', { schema: '', name: 'orders' }],
      ['production_db.public.orders', { schema: 'public', name: 'orders' }],
      ['sales.orders', { schema: 'sales', name: 'orders' }],
    ]);
  });

  it('is read back by parseBundle as it was written', () => {
    const bundle = compileBundle(sampleInput());
    expect(parsed(JSON.parse(JSON.stringify(bundle))).bundle).toEqual(bundle);
  });
});
