import { describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/aql/catalog.js';
import type { BundleDatasource } from '../../src/bundle/model.js';

describe('what a table must look like', () => {
  const expectationOf = (table: { oid?: number }, source: Partial<BundleDatasource>) => {
    const datasource = {
      ...{ name: 'db', type: 'postgres', environment: 'production', region: null, config: {} },
      ...source,
    };
    const dataset = {
      name: 't',
      datasource: 'db',
      table: { schema: 'public', name: 't', ...table },
      fields: [{ name: 'id', type: 'integer', sensitivity: 'low' as const }],
    };
    return createCatalog({ registry: { datasets: [dataset], datasources: [datasource] } }).dataset(
      't',
    )?.expectation;
  };

  it('says its object id where its datasource asks for that, and one is known', () => {
    expect(expectationOf({ oid: 7 }, { schema_check: 'identity' })?.oid).toBe(7);
    expect(expectationOf({ oid: 7 }, {})).not.toHaveProperty('oid');
    expect(expectationOf({}, { schema_check: 'identity' })).not.toHaveProperty('oid');
  });
});
