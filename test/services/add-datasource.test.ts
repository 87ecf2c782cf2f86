import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import type { VkitError } from '../../src/errors/index.js';
import { type AddDatasourceInput, addDatasource } from '../../src/services/add-datasource.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const add = (cwd: string, input: Partial<AddDatasourceInput> = {}) =>
  addDatasource({
    cwd,
    id: 'production_db',
    engine: 'postgres',
    config: '{"host": "db.internal", "database": "analytics"}',
    environment: 'production',
    engines: ENGINES,
    ...input,
  });

describe('adding a datasource', () => {
  it('writes a reviewable file without a secret, and names the variables to set', async () => {
    const cwd = await temporaryFolder();
    const added = await add(cwd, {
      engine: undefined,
      config: undefined,
      url: 'postgres://ada:hunter2@db.internal:6432/analytics?sslmode=verify-full',
      region: 'US',
    } as Partial<AddDatasourceInput>);
    const text = await readFile(join(cwd, 'config/datasources/production_db.yaml'), 'utf8');
    expect(text).toMatch(
      /^id: production_db\nengine: postgres\nenvironment: production\nregion: US\ncredentials: env\n/m,
    );
    expect(text).toContain('port: 6432');
    expect(text).not.toMatch(/hunter2|ada/);
    expect(added).toMatchObject({
      path: 'config/datasources/production_db.yaml',
      created: true,
      passwordLeftOut: true,
      variables: ['VKIT_DS_PRODUCTION_DB_USERNAME', 'VKIT_DS_PRODUCTION_DB_PASSWORD'],
    });
    expect(JSON.stringify(added)).not.toContain('hunter2');
  });

  it('writes into the project that it is called in', async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, 'vkit.yaml'), 'org: acme\n');
    await mkdir(join(root, 'a/b'), { recursive: true });
    const added = await add(join(root, 'a/b'));
    expect(added).toMatchObject({ root, created: false });
    expect(await readdir(join(root, 'config/datasources'))).toEqual(['production_db.yaml']);
  });

  it('refuses an id that is taken, whatever the name of the file that has it', async () => {
    const cwd = await temporaryFolder();
    await add(cwd);
    const before = await readFile(join(cwd, 'config/datasources/production_db.yaml'), 'utf8');
    await expect(add(cwd)).rejects.toMatchObject({ code: 'conflict' });
    expect(await readFile(join(cwd, 'config/datasources/production_db.yaml'), 'utf8')).toBe(before);
    await writeFile(join(cwd, 'config/datasources/broken.yml'), 'id: [');
    await expect(add(cwd, { id: 'broken' })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('says everything that is wrong at once and writes nothing', async () => {
    const cwd = await temporaryFolder();
    const error = await add(cwd, {
      id: 'Prod-DB',
      environment: 'a b',
      config: '{"prt": 1, "password": "hunter2", "host": 7}',
    }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'invalid_input' });
    const text = JSON.stringify((error as { details: unknown }).details);
    for (const part of ['id', 'environment']) expect(text).toContain(part);
    expect(text).not.toContain('hunter2');
    expect(await readdir(cwd)).toEqual([]);
  });

  it('compares the config with the engine and suggests what was meant', async () => {
    const cwd = await temporaryFolder();
    const error = await add(cwd, { config: '{"host": "h", "databse": "x"}' }).catch(
      (caught: unknown) => caught,
    );
    expect(JSON.stringify((error as { details: unknown }).details)).toContain(
      'Did you mean \\"database\\"?',
    );
    await expect(add(cwd, { engine: 'postgrs' })).rejects.toMatchObject({
      details: { problems: [{ code: 'unknown_engine', suggestion: 'Did you mean "postgres"?' }] },
    });
  });

  it.each(['{', '[]', '"x"', 'hunter2'])(
    'refuses a config that is no JSON object: %s',
    async (config) => {
      const error = await add(await temporaryFolder(), { config }).catch(
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({ code: 'invalid_input' });
      expect(JSON.stringify(error)).not.toContain('hunter2');
    },
  );

  it('refuses a URL that no engine reads, without repeating it', async () => {
    const cwd = await temporaryFolder();
    const url = 'gopher://u:hunter2@h/x';
    for (const engine of ['postgres', undefined]) {
      const error = await add(cwd, { url, engine } as Partial<AddDatasourceInput>).catch(
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({ code: 'invalid_input' });
      expect(`${JSON.stringify(error)} ${String(error)}`).not.toContain('hunter2');
    }
  });

  it('says of a URL what its engine says, without repeating it', async () => {
    const cwd = await temporaryFolder();
    const url = 'postgres://u:hunter2@h/x?sslmode=verify-full&frob=hunter2';
    const error = await add(cwd, {
      url,
      engine: undefined,
      config: undefined,
    } as unknown as Partial<AddDatasourceInput>).catch((caught: unknown) => caught);
    const [problem, ...others] = (error as VkitError).details?.problems ?? [];
    expect([problem?.message, others]).toEqual([
      expect.stringContaining('has a parameter other than sslmode'),
      [],
    ]);
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });
});
