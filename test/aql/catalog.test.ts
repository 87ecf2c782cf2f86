import { describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/aql/catalog.js';
import type { BundleDatasource } from '../../src/bundle/model.js';

const dataset = (name: string, datasource: string) => ({
  name,
  datasource,
  table: { schema: 'public', name, oid: 16_402 },
  fields: [],
});
const datasource = (name: string): BundleDatasource => ({
  name,
  type: 'postgres',
  environment: 'production',
  region: null,
  config: {},
});

describe('what a query expects of its tables', () => {
  it('is their identity, too, where the datasource says so', () => {
    const catalog = createCatalog({
      registry: {
        datasets: [dataset('a', 'strict'), dataset('b', 'usual')],
        datasources: [{ ...datasource('strict'), schema_check: 'identity' }, datasource('usual')],
      },
    });
    expect(catalog.dataset('a')?.expectation).toMatchObject({
      identity: true,
      table: { oid: 16_402 },
    });
    expect(catalog.dataset('b')?.expectation).not.toHaveProperty('identity');
  });
});
