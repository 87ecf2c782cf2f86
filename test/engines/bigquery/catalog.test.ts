import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TableResource } from '../../../src/engines/bigquery/api.js';
import { bigquery } from '../../../src/engines/bigquery/index.js';
import { readBigquerySettings } from '../../../src/engines/bigquery/settings.js';
import { nativeType, normaliseBigqueryType } from '../../../src/engines/bigquery/type.js';
import type { VkitError } from '../../../src/errors/index.js';
import { DATASET, PROJECT, withBigquery } from '../../helpers/bigquery-emulator.js';
import { withTemporaryFolder } from '../../helpers/temporary-folder.js';

const reference = (tableId: string, datasetId = DATASET) => ({
  projectId: PROJECT,
  datasetId,
  tableId,
});

const ORDERS: TableResource = {
  tableReference: reference('orders'),
  type: 'TABLE',
  schema: {
    fields: [
      { name: 'id', type: 'INTEGER', mode: 'REQUIRED', description: 'Its number.' },
      { name: 'customer', type: 'INTEGER' },
      { name: 'amount', type: 'NUMERIC', precision: '12', scale: '2', defaultValueExpression: '0' },
      {
        name: 'lines',
        type: 'RECORD',
        mode: 'REPEATED',
        fields: [{ name: 'sku', type: 'STRING' }],
      },
      { name: 'tags', type: 'STRING', mode: 'REPEATED' },
    ],
  },
  tableConstraints: {
    foreignKeys: [
      {
        referencedTable: reference('customers', 'crm'),
        columnReferences: [{ referencingColumn: 'customer', referencedColumn: 'id' }],
      },
    ],
  },
};
// What else the API answers is none of vkit's business, the keys that BigQuery does not enforce above all.
Object.assign(ORDERS.tableConstraints ?? {}, { primaryKey: { columns: ['id'] } });

const view = (query: string): TableResource => ({
  tableReference: reference('big_orders'),
  type: 'VIEW',
  schema: { fields: [{ name: 'id', type: 'INTEGER' }] },
  view: { query, useLegacySql: false },
});

async function scan(tables: readonly TableResource[], options = {}) {
  const run = () => Promise.reject(new Error('A scan runs no query.'));
  let scanned: Awaited<ReturnType<Awaited<ReturnType<typeof bigquery.connect>>['introspect']>>;
  await withBigquery({ tables: () => tables, run }, async ({ target }) => {
    const connector = await bigquery.connect(target);
    scanned = await connector.introspect(options);
    await connector.close();
  });
  // biome-ignore lint/style/noNonNullAssertion: withBigquery has awaited what sets it.
  return scanned!;
}

describe('a scan of BigQuery', () => {
  it('reads columns with their types, and foreign keys, but no key that nothing enforces', async () => {
    const { tables, server, defaultSchema } = await scan([ORDERS]);
    expect([server, defaultSchema]).toEqual(['bigquery (EU)', 'acme-prod.sales']);
    const [orders] = tables;
    expect(orders).toMatchObject({
      table: { schema: 'acme-prod.sales', name: 'orders' },
      kind: 'table',
      primary_key: [],
      unique_keys: [],
      foreign_keys: [
        {
          columns: ['customer'],
          references: { schema: 'acme-prod.crm', table: 'customers', columns: ['id'] },
        },
      ],
    });
    expect(
      orders?.columns.map(({ name, type, native, position, nullable, comment }) => [
        name,
        type,
        native,
        position,
        nullable,
        comment,
      ]),
    ).toEqual([
      ['id', 'bigint', 'INTEGER', 1, false, 'Its number.'],
      ['customer', 'bigint', 'INTEGER', 2, true, undefined],
      ['amount', 'numeric', 'NUMERIC(12, 2)', 3, true, undefined],
      ['lines', 'other[]', 'ARRAY<STRUCT>', 4, false, undefined],
      ['tags', 'text[]', 'ARRAY<STRING>', 5, false, undefined],
    ]);
    expect(orders?.columns[2]?.default_digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('knows a view by its definition', async () => {
    const digest = async (query: string) => (await scan([view(query)])).tables[0];
    const [first, second] = [await digest('SELECT 1 AS id'), await digest('SELECT 2 AS id')];
    expect(first?.kind).toBe('view');
    expect(first?.definition_digest).toMatch(/^[0-9a-f]{64}$/);
    expect(second?.definition_digest).not.toBe(first?.definition_digest);
  });

  it('reads every page of every dataset, and only what the globs name', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const tables = ['sales', 'crm', 'hr'].flatMap((dataset) =>
      names.map((name) => ({ ...ORDERS, tableReference: reference(name, dataset) })),
    );
    const found = async (options: object) =>
      (await scan(tables, options)).tables.map(({ table }) => `${table.schema}.${table.name}`);
    expect(await found({})).toHaveLength(15);
    expect(await found({ include: ['crm.*'], exclude: ['*.b', 'acme-prod.crm.c'] })).toEqual([
      'acme-prod.crm.a',
      'acme-prod.crm.d',
      'acme-prod.crm.e',
    ]);
    expect(await found({ include: ['acme-prod.hr.a'] })).toEqual(['acme-prod.hr.a']);
  });

  const kinds = {
    SNAPSHOT: 'table',
    MATERIALIZED_VIEW: 'materialized_view',
    EXTERNAL: 'foreign_table',
  };
  it.each(Object.entries(kinds))(
    'takes a %s for a %s, and leaves out what is no table',
    async (type, kind) => {
      const { tables } = await scan([
        { ...ORDERS, type },
        { ...ORDERS, tableReference: reference('other'), type: 'SOMETHING_NEW' },
      ]);
      expect(tables.map((table) => table.kind)).toEqual([kind]);
    },
  );
});

describe('the normalised type of a BigQuery column', () => {
  const cases: Record<string, string> = {
    STRING: 'text',
    BYTES: 'bytes',
    INTEGER: 'bigint',
    INT64: 'bigint',
    FLOAT: 'double',
    NUMERIC: 'numeric',
    BIGNUMERIC: 'numeric',
    BOOLEAN: 'boolean',
    TIMESTAMP: 'timestamptz',
    DATETIME: 'timestamp',
    DATE: 'date',
    TIME: 'time',
    INTERVAL: 'interval',
    GEOGRAPHY: 'geometry',
    JSON: 'json',
    RECORD: 'other',
    RANGE: 'other',
    constructor: 'other',
  };
  it.each(Object.entries(cases))('of %s is %s', (type, normalised) => {
    expect(normaliseBigqueryType({ type })).toBe(normalised);
    expect(normaliseBigqueryType({ type, mode: 'REPEATED' })).toBe(`${normalised}[]`);
  });

  it('has its sizes in the name for people', () => {
    expect(nativeType({ name: 'x', type: 'STRING', maxLength: '20' })).toBe('STRING(20)');
    expect(nativeType({ name: 'x', type: 'RECORD', mode: 'REPEATED' })).toBe('ARRAY<STRUCT>');
  });
});

describe('the login of a BigQuery datasource', () => {
  const KEY = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
  const target = (config: Record<string, unknown>) => ({
    id: 'warehouse',
    config: { project: PROJECT, dataset: DATASET, ...config },
    credentials: {},
  });

  it('is the key of a service account, without which it is what the machine has', () =>
    withTemporaryFolder(async (folder) => {
      const credentials_file = join(folder, 'key.json');
      const key = { type: 'service_account', client_email: 'a@b.test', private_key: KEY };
      await writeFile(credentials_file, JSON.stringify({ ...key, token_uri: 'https://evil.test' }));
      const settings = await readBigquerySettings(target({ credentials_file }));
      expect(settings.credentials).toEqual({ client_email: 'a@b.test', private_key: KEY });
      expect((await readBigquerySettings(target({}))).credentials).toBe('default');
      // Opening one asks nobody for a token yet.
      await (await bigquery.connect(target({ credentials_file }))).close();
    }));

  it('is refused where the file is something else, and what it holds is not repeated', () =>
    withTemporaryFolder(async (folder) => {
      const credentials_file = join(folder, 'key.json');
      const contents = [
        `{"type": "service_account", "private_key": "${'secret'}`,
        JSON.stringify({ type: 'external_account', private_key: 'secret' }),
        JSON.stringify({ type: 'service_account', private_key: 'secret' }),
        'null',
      ];
      for (const content of contents) {
        await writeFile(credentials_file, content);
        const error: VkitError = await bigquery.connect(target({ credentials_file })).then(
          () => Promise.reject(new Error('It was taken.')),
          (thrown: VkitError) => thrown,
        );
        expect(error.code).toBe('config_invalid');
        expect(`${error.message} ${error.hint} ${error.stack} ${error.cause}`).not.toContain(
          'secret',
        );
      }
      const missing = target({ credentials_file: join(folder, 'none.json') });
      await expect(bigquery.connect(missing)).rejects.toMatchObject({ code: 'config_invalid' });
    }));

  it('is never sent to an emulator', () =>
    withTemporaryFolder(async (folder) => {
      const credentials_file = join(folder, 'key.json');
      const key = { type: 'service_account', client_email: 'a@b.test', private_key: KEY };
      await writeFile(credentials_file, JSON.stringify(key));
      const run = () => Promise.reject(new Error('No query.'));
      await withBigquery({ tables: () => [], run }, async ({ target: emulator, calls }) => {
        const config = { ...emulator.config, credentials_file };
        const connector = await bigquery.connect({ ...emulator, config });
        await connector.test();
        await connector.close();
        expect(calls.length).toBeGreaterThan(0);
        for (const { headers } of calls) expect(headers.authorization).toBeUndefined();
      });
    }));

  it('goes to the address of the configuration, whatever the environment says', async () => {
    const before = process.env.BIGQUERY_EMULATOR_HOST;
    process.env.BIGQUERY_EMULATOR_HOST = 'http://127.0.0.1:1/bigquery/v2';
    try {
      expect((await scan([ORDERS])).tables).toHaveLength(1);
    } finally {
      if (before === undefined) delete process.env.BIGQUERY_EMULATOR_HOST;
      else process.env.BIGQUERY_EMULATOR_HOST = before;
    }
  });
});
