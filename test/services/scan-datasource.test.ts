import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import { type Classifier, classifyField } from '../../src/schema/classification/index.js';
import { renderDriftText } from '../../src/schema/drift-report.js';
import { addDatasource } from '../../src/services/add-datasource.js';
import type { DatasourceVariables } from '../../src/services/datasource-secret.js';
import { listDatasources } from '../../src/services/list-datasources.js';
import { scanDatasource } from '../../src/services/scan-datasource.js';
import { testDatasource } from '../../src/services/test-datasource.js';
import { validateProject } from '../../src/services/validate-project.js';
import { findPostgres, withSchema } from '../helpers/postgres.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const SHOP = `
  CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL, full_name TEXT, notes TEXT);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_email TEXT REFERENCES customers (email), amount NUMERIC);
  CREATE VIEW mails AS SELECT email FROM customers;
`;

function run(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

/** A project with one SQLite datasource, `shop`, scanned or not. */
async function shopProject(): Promise<{ root: string; file: string }> {
  const root = await temporaryFolder();
  const file = join(root, 'shop.db');
  run(file, SHOP);
  await addDatasource({
    cwd: root,
    id: 'shop',
    engine: 'sqlite',
    config: '{"path": "./shop.db"}',
    environment: 'development',
    engines: ENGINES,
  });
  return { root, file };
}

function scan(
  cwd: string,
  options: {
    id?: string;
    apply?: boolean;
    variables?: DatasourceVariables;
    classify?: Classifier;
    withDefinitions?: boolean;
  } = {},
) {
  let time = 0;
  return scanDatasource({
    cwd,
    id: options.id ?? 'shop',
    apply: options.apply ?? false,
    withDefinitions: options.withDefinitions ?? false,
    engines: ENGINES,
    variables: () => options.variables ?? {},
    ...(options.classify === undefined ? {} : { classify: options.classify }),
    now: () => (time += 600),
  });
}

const readBoth = async (root: string) =>
  Promise.all(
    ['registry.yaml', 'registry.lock.json'].map((name) =>
      readFile(join(root, 'config', name), 'utf8'),
    ),
  );

describe('a scan of a SQLite file', () => {
  it('writes nothing unless it is applied, and nothing again when it is applied twice', async () => {
    const { root } = await shopProject();
    const dry = await scan(root);
    expect(dry.written).toEqual([]);
    expect(dry.changed).toBe(true);
    await expect(readBoth(root)).rejects.toThrow('ENOENT');
    const first = await scan(root, { apply: true });
    expect(first.written).toEqual(['config/registry.yaml', 'config/registry.lock.json']);
    const files = await readBoth(root);
    expect(files[0]).toContain('email: {type: text, sensitivity: medium, category: pii');
    expect(files[0]).toMatch(
      /mails:\n {2}datasource: shop\n {2}fields:\n {4}email: \{type: text, sensitivity: high/,
    );
    expect(files[0]).toMatch(/customer_email: \{.*category: pii/);
    const second = await scan(root, { apply: true });
    expect(second.written).toEqual([]);
    expect(second.report.drift).toEqual([]);
    expect(await readBoth(root)).toEqual(files);
  });

  it('reports what changed since, says what the policies do about it, and keeps what people wrote', async () => {
    const { root, file } = await shopProject();
    await scan(root, { apply: true });
    const path = join(root, 'config/registry.yaml');
    const text = await readFile(path, 'utf8');
    await writeFile(
      path,
      text.replace(
        /( {4}notes: ).*/,
        '$1{type: text, sensitivity: high, category: phi, tags: [diagnosis]} # by Ada',
      ),
    );
    await mkdir(join(root, 'config/policies'), { recursive: true });
    await writeFile(
      join(root, 'config/policies/mask_pii.yaml'),
      'id: mask_pii\nmatch: {fields: {category: pii}}\naction: {mask: true}\nmasking: {default_method: full}\n',
    );
    run(
      file,
      `ALTER TABLE customers RENAME COLUMN notes TO remarks;
       ALTER TABLE customers ADD COLUMN phone TEXT;
       DROP VIEW mails;
       CREATE TABLE visits (id INTEGER PRIMARY KEY, ip_address TEXT);`,
    );
    const found = await scan(root);
    expect(renderDriftText(found.report)).toBe(
      `Scanning shop (${found.report.server}) … 3 tables, 10 fields in 0.6 s

+ dataset: visits
    + field: ip_address (text) [PII]          NEW - masked by mask_pii
    + 1 more field, nothing sensitive found
~ dataset: customers
    + field: phone (text) [PII]               NEW - masked by mask_pii
    ~ field: remarks (was notes) [PHI, high]  renamed - uncovered
- dataset: mails                              no longer there

1 new dataset, 3 new fields, 1 changed, 1 removed. Run with --apply to update the baseline.
`,
    );
    await scan(root, { apply: true });
    const [registry = '', lock = ''] = await readBoth(root);
    expect(registry).toContain(
      '    remarks: {type: text, sensitivity: high, category: phi, tags: [diagnosis]} # by Ada\n',
    );
    expect(registry).toContain('mails:\n  datasource: shop\n  gone: true\n');
    expect(Object.keys(JSON.parse(lock).datasets)).toEqual(['customers', 'orders', 'visits']);
    expect((await scan(root)).report.drift).toEqual([]);
  });

  it('records the texts of defaults and views only where it is asked for them', async () => {
    const { root, file } = await shopProject();
    run(file, `CREATE TABLE keys (id INTEGER, secret TEXT DEFAULT 'sk_live_secret')`);
    await scan(root, { apply: true });
    const [registry, lock = ''] = await readBoth(root);
    expect(lock).not.toMatch(/sk_live|SELECT email/);
    await scan(root, { apply: true, withDefinitions: true });
    const [sameRegistry, told = ''] = await readBoth(root);
    expect(sameRegistry).toBe(registry);
    const { datasets } = JSON.parse(told);
    expect(datasets.keys.fields.secret.texts).toEqual({ default: "'sk_live_secret'" });
    expect(datasets.mails.definition).toContain('SELECT email FROM customers');
    const again = await scan(root, { apply: true, withDefinitions: true });
    expect([again.written, again.report.drift]).toEqual([[], []]);
    expect((await scan(root, { apply: true })).report.drift).toEqual([]);
    expect(await readBoth(root)).toEqual([registry, lock]);
  });

  it('mends a registry that a killed process left ahead of its lock, without losing a tag', async () => {
    const { root, file } = await shopProject();
    await scan(root, { apply: true });
    const [registry = '', lock = ''] = await readBoth(root);
    const tagged = registry.replace(
      /( {4}notes: ).*/,
      '$1{type: text, sensitivity: high, category: phi}',
    );
    await writeFile(join(root, 'config/registry.yaml'), tagged);
    run(file, 'ALTER TABLE customers RENAME COLUMN notes TO remarks');
    await scan(root, { apply: true });
    const whole = await readBoth(root);
    await writeFile(join(root, 'config/registry.lock.json'), lock);
    const mended = await scan(root, { apply: true });
    expect(mended.report.drift).toEqual([]);
    expect(await readBoth(root)).toEqual(whole);
    expect(whole[0]).toContain('remarks: {type: text, sensitivity: high, category: phi}');
  });

  it('writes both files or neither', async () => {
    const { root } = await shopProject();
    const lock = join(root, 'config/registry.lock.json');
    // A folder of that name, made while the scan is merging, is no file that could be replaced.
    const classify: Classifier = (column) => {
      mkdirSync(join(lock, 'x'), { recursive: true });
      return classifyField(column);
    };
    await expect(scan(root, { apply: true, classify })).rejects.toThrow();
    expect(await readdir(join(root, 'config'))).toEqual(['datasources', 'registry.lock.json']);
    await rm(lock, { recursive: true });
    await scan(root, { apply: true });
    const [registry = ''] = await readBoth(root);
    const edited = registry.replace('orders:', 'orders: # kept');
    await writeFile(join(root, 'config/registry.yaml'), edited);
    run(join(root, 'shop.db'), 'ALTER TABLE orders ADD COLUMN note TEXT');
    await rm(lock);
    await expect(scan(root, { apply: true, classify })).rejects.toThrow();
    expect(await readFile(join(root, 'config/registry.yaml'), 'utf8')).toBe(edited);
  });

  it('does not overwrite what somebody saved while it was running', async () => {
    const { root } = await shopProject();
    const path = join(root, 'config/registry.yaml');
    const classify: Classifier = (column) => {
      writeFileSync(path, '# mine\n');
      return classifyField(column);
    };
    await expect(scan(root, { apply: true, classify })).rejects.toMatchObject({ code: 'conflict' });
    expect(await readFile(path, 'utf8')).toBe('# mine\n');
  });

  it('lets several scans of one project apply at the same time', async () => {
    const { root } = await shopProject();
    run(join(root, 'other.db'), 'CREATE TABLE customers (id INTEGER PRIMARY KEY)');
    await addDatasource({
      cwd: root,
      id: 'crm',
      url: 'sqlite:./other.db',
      environment: 'production',
      region: 'EU',
      engines: ENGINES,
    });
    await Promise.all([scan(root, { apply: true }), scan(root, { id: 'crm', apply: true })]);
    const [registry = ''] = await readBoth(root);
    expect(registry).toMatch(/^(shop|crm)\.customers:$/m);
    expect((await scan(root)).report.drift).toEqual([]);
    expect((await scan(root, { id: 'crm' })).report.drift).toEqual([]);
  });

  it('is refused where the registry has problems, with all of them', async () => {
    const { root } = await shopProject();
    await writeFile(join(root, 'config/registry.yaml'), 'a: 1\nb: {datasource: d, field: {}}\n');
    await writeFile(join(root, 'config/registry.lock.json'), '{');
    const error = await scan(root).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'invalid_registry' });
    const { problems } = (error as { details: { problems: { file: string }[] } }).details;
    expect(problems.map(({ file }) => file)).toEqual([
      'config/registry.yaml',
      'config/registry.yaml',
      'config/registry.yaml',
      'config/registry.lock.json',
    ]);
  });

  it("follows the project's own rules, and classifies nothing where they have problems", async () => {
    const { root } = await shopProject();
    const path = join(root, 'config/classifiers.yaml');
    const rule = 'id: remark, classification: remark, category: phi, sensitivity: high';
    await writeFile(path, `rules: [{${rule}, phrases: [notes]}]\n`);
    const { report, registryText } = await scan(root, { apply: true });
    expect(registryText).toContain(
      '    notes: {type: text, sensitivity: high, category: phi, classification: remark}\n',
    );
    expect(report.drift.find(({ field }) => field === 'notes')?.because).toBe(
      'name "note" (remark)',
    );
    await writeFile(path, `rules: [{${rule}}]\n`);
    await expect(scan(root)).rejects.toMatchObject({
      code: 'config_invalid',
      details: { problems: [{ file: 'config/classifiers.yaml', line: 1, column: 9 }] },
    });
    const { findings } = await validateProject({ root });
    expect(findings).toMatchObject([{ file: 'config/classifiers.yaml', severity: 'error' }]);
  });

  it('names the datasource that was probably meant', async () => {
    const { root } = await shopProject();
    await expect(scan(root, { id: 'shp' })).rejects.toMatchObject({
      code: 'not_found',
      hint: 'Did you mean "shop"?',
    });
  });

  it('says that a file which is not there cannot be reached, and is no drift', async () => {
    const { root, file } = await shopProject();
    await scan(root, { apply: true });
    await rm(file);
    await expect(scan(root, { apply: true })).rejects.toMatchObject({
      code: 'datasource_unreachable',
    });
    expect((await readBoth(root))[0]).not.toContain('  gone: true');
  });
});

describe('the datasources of a project', () => {
  it('are listed and tested', async () => {
    const { root } = await shopProject();
    const { datasources } = await listDatasources({ cwd: root, engines: ENGINES });
    expect(datasources).toEqual([
      {
        id: 'shop',
        engine: 'sqlite',
        environment: 'development',
        region: null,
        credentials: 'env',
        config: { path: './shop.db' },
      },
    ]);
    const tested = await testDatasource({
      cwd: root,
      id: 'shop',
      engines: ENGINES,
      variables: () => ({}),
    });
    expect(tested.server).toMatch(/^sqlite \d/i);
    expect(tested.latency_ms).toBeGreaterThanOrEqual(0);
  });
});

const server = await findPostgres();

describe.skipIf(server.url === null)(`a scan of PostgreSQL ${server.reason ?? ''}`, () => {
  it('follows renamed tables and columns by what the engine knows of them', async () => {
    await withSchema(server.url ?? '', async ({ url, schema, client }) => {
      const root = await temporaryFolder();
      const variables = {
        username: new URL(url).username || 'root',
        password: new URL(url).password,
      };
      const added = await addDatasource({
        cwd: root,
        id: 'pg_db',
        url,
        config: JSON.stringify({ schema }),
        environment: 'production',
        region: 'US',
        engines: ENGINES,
      });
      expect(added.variables).toEqual(['VKIT_DS_PG_DB_USERNAME', 'VKIT_DS_PG_DB_PASSWORD']);
      expect(added.created).toBe(true);
      const path = join(root, 'config/datasources/pg_db.yaml');
      const text = await readFile(path, 'utf8');
      await writeFile(path, `${text}include: ["${schema}.*"]\n`);
      await client.query(`
        CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL, payload jsonb, born date);
        CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer REFERENCES customers (id));
        CREATE VIEW v AS SELECT id FROM orders`);
      const first = await scan(root, { id: 'pg_db', apply: true, variables });
      expect(first.report).toMatchObject({ tables: 3, fields: 7 });
      const registryPath = join(root, 'config/registry.yaml');
      const registry = await readFile(registryPath, 'utf8');
      expect(registry).toMatch(/payload: \{type: jsonb, sensitivity: high/);
      await writeFile(
        registryPath,
        registry.replace(/(born: \{.*)\}/, '$1, tags: [secret_age]} # asked'),
      );
      await client.query(`
        ALTER TABLE customers RENAME COLUMN born TO b;
        ALTER TABLE customers ALTER COLUMN email TYPE varchar(200);
        ALTER TABLE customers RENAME TO clients;
        CREATE OR REPLACE VIEW v AS SELECT id + 1::bigint AS id FROM orders`);
      const { report, registryText } = await scan(root, { id: 'pg_db', apply: true, variables });
      expect(
        report.drift.map(({ kind, dataset, field, from, to }) => [kind, dataset, field, from, to]),
      ).toEqual([
        ['renamed', 'customers', undefined, `${schema}.customers`, `${schema}.clients`],
        ['type_changed', 'customers', 'email', 'text', 'varchar'],
        ['renamed', 'customers', 'b', 'born', 'b'],
        ['keys_changed', 'orders', undefined, expect.anything(), expect.anything()],
        ['redefined', 'v', undefined, 'view', 'another definition'],
      ]);
      expect(registryText).toMatch(/ {4}b: \{.*tags: \[secret_age\].*\} # asked\n/);
      expect((await scan(root, { id: 'pg_db', variables })).report.drift).toEqual([]);
    });
  });

  it('sends the secret to no address but the reviewed one', async () => {
    const root = await temporaryFolder();
    await addDatasource({
      cwd: root,
      id: 'pg_db',
      url: 'postgres://db.internal/analytics',
      environment: 'production',
      engines: ENGINES,
    });
    const variables = { url: 'postgres://u:hunter2@127.0.0.1:5432/analytics' };
    const error = await scan(root, { id: 'pg_db', variables }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'config_invalid' });
    expect(String(error)).toContain('differ in host');
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
  });
});
