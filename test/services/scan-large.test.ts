import { mkdirSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import { classifyField } from '../../src/schema/classification/index.js';
import { DATASETS_TOGETHER_MAX } from '../../src/schema/edit-registry-files.js';
import { addDatasource } from '../../src/services/add-datasource.js';
import { loadProject } from '../../src/services/load-project.js';
import { scanDatasource } from '../../src/services/scan-datasource.js';
import { validateProject } from '../../src/services/validate-project.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

function run(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

function scan(cwd: string, id: string) {
  const options = { cwd, id, apply: true, engines: ENGINES, variables: () => ({}) };
  return scanDatasource({ ...options, classify: classifyField, now: () => 0 });
}

/** A project of two datasources, `shop` and `crm`, both scanned, `shop` with a comment of a person's. */
async function project() {
  const root = await temporaryFolder();
  const shop = join(root, 'shop.db');
  run(shop, 'CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT)');
  run(join(root, 'crm.db'), 'CREATE TABLE leads (id INTEGER PRIMARY KEY)');
  for (const id of ['shop', 'crm']) {
    const added = { cwd: root, id, url: `sqlite:./${id}.db`, environment: 'development' };
    await addDatasource({ ...added, engines: ENGINES });
    await scan(root, id);
  }
  const path = join(root, 'config/registry.yaml');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('customers:', '# Ask Ada.\ncustomers:'));
  return { root, shop, read: (name: string) => readFile(join(root, 'config', name), 'utf8') };
}

const MANY = Array.from(
  { length: DATASETS_TOGETHER_MAX },
  (_, index) => `CREATE TABLE t${index} (id INTEGER PRIMARY KEY);`,
).join('\n');

describe('a datasource too large for one file', { timeout: 60_000 }, () => {
  it('gets a file of its own, from which all is read as before', async () => {
    const { root, shop, read } = await project();
    run(shop, `BEGIN; ${MANY} COMMIT`);
    const outcome = await scan(root, 'shop');
    expect(outcome.written).toEqual([
      'config/registry/shop.yaml',
      'config/registry.yaml',
      'config/registry.lock.json',
    ]);
    expect(await read('registry.yaml')).toMatch(/^# yaml[\s\S]*\n\nleads:\n {2}datasource: crm\n/);
    expect(await read('registry/shop.yaml')).toMatch(
      /\n\n# Ask Ada\.\ncustomers:\n {2}datasource: shop\n/,
    );
    for (const id of ['shop', 'crm']) {
      const again = await scan(root, id);
      expect([again.report.drift, again.written]).toEqual([[], []]);
    }
    const { registry, findings } = await loadProject(root);
    expect(registry.size).toBe(DATASETS_TOGETHER_MAX + 2);
    expect(findings).toEqual([]);

    run(shop, 'ALTER TABLE t7 ADD COLUMN email TEXT');
    const later = await scan(root, 'shop');
    expect(later.written).toEqual(['config/registry/shop.yaml', 'config/registry.lock.json']);
    expect(await read('registry/shop.yaml')).toContain(
      '    email: {type: text, sensitivity: medium',
    );
  });

  it('has its problems named in that file, where they are', async () => {
    const { root, shop, read } = await project();
    run(shop, `BEGIN; ${MANY} COMMIT`);
    await scan(root, 'shop');
    const text = (await read('registry/shop.yaml')).replace('t7:\n', 't7_old:\n');
    const line = text.split('\n').indexOf('t7_old:') + 1;
    await writeFile(join(root, 'config/registry/shop.yaml'), text);
    const { findings } = await validateProject({ root });
    expect(findings).toMatchObject([
      { file: 'config/registry/shop.yaml', line, code: 'not_scanned' },
    ]);
    await writeFile(
      join(root, 'config/registry/shop.yaml'),
      text.replace('t7_old:\n', 't7_old:\n  colour: red\n'),
    );
    await expect(scan(root, 'crm')).rejects.toMatchObject({
      code: 'invalid_registry',
      details: {
        problems: [{ file: 'config/registry/shop.yaml', line: line + 1, code: 'unknown_key' }],
      },
    });
  });

  it('is in doubt at no moment, wherever the scan is killed', async () => {
    const { root, shop, read } = await project();
    run(shop, `BEGIN; ${MANY} ALTER TABLE customers ADD COLUMN phone TEXT; COMMIT`);
    const before = { main: await read('registry.yaml'), lock: await read('registry.lock.json') };
    const part = join(root, 'config/registry/shop.yaml');
    const outcome = await scan(root, 'shop');
    expect(outcome.written).toEqual([
      'config/registry/shop.yaml',
      'config/registry.yaml',
      'config/registry.lock.json',
    ]);
    const after = { main: await read('registry.yaml'), part: await read('registry/shop.yaml') };
    const moved = after.part.slice(0, after.part.indexOf('t0:')).replace(/ {4}phone: .*\n/, '');
    for (const [text, main] of [
      [moved, before.main],
      [moved, after.main],
      [after.part, after.main],
    ] as const) {
      await writeFile(part, text);
      await writeFile(join(root, 'config/registry.yaml'), main);
      await writeFile(join(root, 'config/registry.lock.json'), before.lock);
      await scan(root, 'shop');
      expect(await read('registry.yaml')).toBe(after.main);
      expect(await read('registry/shop.yaml')).toBe(after.part);
    }
  });

  it('is written with all files or none', async () => {
    const { root, shop, read } = await project();
    const before = await Promise.all(['registry.yaml', 'registry.lock.json'].map(read));
    run(shop, `BEGIN; ${MANY} COMMIT`);
    // A folder of that name is no file that could be replaced.
    mkdirSync(join(root, 'config/registry/shop.yaml/x'), { recursive: true });
    await expect(scan(root, 'shop')).rejects.toThrow();
    expect(await Promise.all(['registry.yaml', 'registry.lock.json'].map(read))).toEqual(before);
    expect((await readdir(join(root, 'config'))).filter((name) => name.endsWith('.tmp'))).toEqual(
      [],
    );
  });
});
