import { describe, expect, it } from 'vitest';
import { bigquery } from '../../../src/engines/bigquery/index.js';
import { runGoverned, scannedRegistry } from '../governed-query.js';

const {
  VKIT_LIVE_BIGQUERY_PROJECT: project,
  VKIT_LIVE_BIGQUERY_DATASET: dataset,
  VKIT_LIVE_BIGQUERY_LOCATION: location,
  VKIT_LIVE_BIGQUERY_CREDENTIALS: credentials_file,
} = process.env;

const isLive = project !== undefined && dataset !== undefined;
const skipped = isLive ? '' : ' (skipped: VKIT_LIVE_BIGQUERY_PROJECT and _DATASET name none)';
const MAXIMUM_BYTES_BILLED = 100_000_000;

/** Reads the first rows of the first table, every field masked: what is in it shows nowhere. */
describe.skipIf(!isLive)(`a dataset of BigQuery${skipped}`, () => {
  it('is scanned, and gives rows whose every value is hidden', async () => {
    const config = {
      project,
      dataset,
      maximum_bytes_billed: MAXIMUM_BYTES_BILLED,
      ...(location ? { location } : {}),
      ...(credentials_file ? { credentials_file } : {}),
    };
    const connector = await bigquery.connect({ id: 'live', config, credentials: {} });
    try {
      expect((await connector.test()).server).toMatch(/^bigquery \(.+\)$/);
      const { tables } = await connector.introspect({ include: [`${dataset}.*`] });
      const table = tables.find(({ kind }) => kind === 'table');
      if (table === undefined) throw new Error('The dataset has no table to read.');
      const { name } = table.table;
      const masks = Object.fromEntries(
        table.columns.map((column) => [`${name}.${column.name}`, 'full']),
      );
      const query = { source_table: name, columns: table.columns.map((column) => column.name) };
      const registry = scannedRegistry([table]);
      const rows = await runGoverned(bigquery, connector, registry, { ...query, limit: 3 }, masks);
      expect(rows).toEqual((rows as unknown[]).map(() => table.columns.map(() => '*****')));
      const count = { source_table: name, aggregates: [{ func: 'count', field: '*' }] };
      const [[counted]] = (await runGoverned(bigquery, connector, registry, count)) as [[number]];
      expect(rows).toHaveLength(Math.min(3, counted));
    } finally {
      await connector.close();
    }
  });
});
