import type { Bundle, BundleDataset, BundleField } from '../../src/bundle/model.js';

/** A registry, and the words in which policies may speak of it. */
export interface World {
  registry: Bundle['registry'];
  datasourceNames: readonly string[];
  datasourceGlobs: readonly string[];
  /** Names that datasets go by: all their forms, also in another case, and one of none. */
  datasetNames: readonly string[];
  datasetGlobs: readonly string[];
  /** Names of fields, also in another case, and one of none. */
  fieldNames: readonly string[];
}

const id: BundleField = { name: 'Id', type: 'integer', sensitivity: 'low', category: 'internal' };
const email: BundleField = {
  name: 'email',
  type: 'text',
  sensitivity: 'medium',
  category: 'pii',
  tags: ['contact'],
};
const ssn: BundleField = {
  name: 'ssn',
  type: 'text',
  sensitivity: 'high',
  category: 'pii',
  tags: ['national', 'Financial'],
};
const card: BundleField = { name: 'CARD', type: 'text', sensitivity: 'high', tags: ['financial'] };
const total: BundleField = {
  name: 'total',
  type: 'numeric',
  sensitivity: 'medium',
  category: 'Financial',
};
const note: BundleField = { name: 'note', type: 'text', sensitivity: 'low' };

const DATASOURCES: Bundle['registry']['datasources'] = [
  { name: 'eu_db', type: 'postgres', environment: 'production', region: 'EU', config: {} },
  { name: 'us_db', type: 'sqlite', environment: 'staging', region: 'US', config: {} },
  // Its attributes were never filled in: unknown.
  { name: 'nowhere', type: 'sqlite', environment: '', region: null, config: {} },
];

const FIELD_NAMES = ['Id', 'id', 'email', 'EMAIL', 'ssn', 'CARD', 'card', 'total', 'note', 'ghost'];

function dataset(
  name: string,
  datasource: string,
  schema: string,
  fields: readonly BundleField[],
): BundleDataset {
  return { name, datasource, table: { schema, name: name.split('.').at(-1) ?? name }, fields };
}

/** So small that generated policies and requests meet often. */
export const SMALL_WORLD: World = {
  registry: {
    datasources: DATASOURCES,
    datasets: [
      // Two fields whose names differ in case alone.
      dataset('people', 'eu_db', 'public', [id, { ...id, name: 'id' }, email, ssn]),
      // Two datasets that share their short forms.
      dataset('us_db.sales.Orders', 'us_db', 'sales', [card, id, total]),
      dataset('sales.orders', 'eu_db', 'sales', [card, total]),
      dataset('nowhere.events', 'nowhere', '', [email, note]),
      dataset('empty', 'eu_db', '', []),
      // The registry has no such datasource.
      dataset('lost', 'gone', 'public', [note]),
    ],
  },
  datasourceNames: ['eu_db', 'EU_db', 'us_db', 'nowhere', 'gone'],
  datasourceGlobs: ['*', '*_db', 'E?_db', 'no*'],
  datasetNames: [
    'people',
    'People',
    'us_db.sales.Orders',
    'US_DB.sales.orders',
    'sales.Orders',
    'sales.orders',
    'us_db.Orders',
    'us_db.orders',
    'Orders',
    'orders',
    'ORDERS',
    'nowhere.events',
    'events',
    'Events',
    'empty',
    'lost',
    'ghosts',
  ],
  datasetGlobs: ['*', 'P*e', '*orders', 'sales.*', '?mpty', '*.events', 'l?s*', '*o*e*', 'orders?'],
  fieldNames: FIELD_NAMES,
};

const TABLES = ['orders', 'people', 'events', 'invoices', 'logins', 'größe'];
const SCHEMAS = ['sales', 'hr', 'public', ''];

/** Some twenty datasets of several datasources, schemas and names, many of which share their short forms. */
export const WIDE_WORLD: World = wideWorld();

function wideWorld(): World {
  const kinds = [id, email, ssn, card, total, note];
  const datasets = TABLES.flatMap((table, t) =>
    SCHEMAS.map((schema, s) => {
      const source = DATASOURCES[(t + s) % DATASOURCES.length]?.name ?? '';
      // As each of the forms in turn, so that a key has both prefixes, one or none.
      const parts = [
        ...((t + s) % 2 === 0 ? [source] : []),
        ...(s % 2 === 0 && schema !== '' ? [schema] : []),
        t % 3 === 0 ? table.toUpperCase() : table,
      ];
      const fields = kinds.filter((_, index) => (index + t + s) % 4 !== 0);
      return dataset(parts.join('.'), source, schema, fields);
    }),
  );
  const unique = datasets.filter(
    ({ name }, index) => datasets.findIndex((one) => one.name === name) === index,
  );
  const names = unique.flatMap(({ name, datasource, table }) => {
    const forms = [
      name,
      `${datasource}.${table.name}`,
      `${table.schema}.${table.name}`,
      table.name,
    ];
    return [...forms, table.name.toUpperCase()];
  });
  return {
    registry: { datasources: DATASOURCES, datasets: unique },
    datasourceNames: SMALL_WORLD.datasourceNames,
    datasourceGlobs: SMALL_WORLD.datasourceGlobs,
    datasetNames: [...new Set([...names, 'ghosts'])],
    datasetGlobs: [
      '*',
      '*.orders',
      'sales.*',
      '*people',
      'in?oices',
      'eu_db.*',
      '*_db.*s',
      'gr??e',
    ],
    fieldNames: FIELD_NAMES,
  };
}
