import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RegistryDifference } from '../../src/bundle/compare-registries.js';
import { ADMIN, type LiveServer, liveServer } from '../helpers/live-server.js';
import { jsonOf } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

let server: LiveServer;

beforeAll(async () => {
  server = await liveServer();
  await server.account('uma@example.com', ['analyst']);
}, 120_000);

afterAll(async () => {
  await server?.stop();
});

describe('vkit registry export and diff', () => {
  it('exit 2 where no bundle is active, 6 for who may not see it', async () => {
    for (const verb of ['export', 'diff']) {
      const none = await server.as(ADMIN, ['registry', verb, '--json']);
      expect([none.code, jsonOf<{ error: { code: string } }>(none).error.code]).toEqual([
        2,
        'not_found',
      ]);
      expect((await server.as('uma@example.com', ['registry', verb])).code).toBe(6);
    }
  });

  it('write what the server enforces, and say what the project would change', async () => {
    const deployed = await server.as(ADMIN, [
      'policy',
      'deploy',
      '--bundle',
      await server.bundle(1),
    ]);
    expect(deployed.code).toBe(0);
    const cwd = await temporaryFolder();
    const run = async (...args: string[]) => {
      const result = await server.as(ADMIN, ['registry', ...args], { cwd });
      return result;
    };
    const printed = await run('export');
    expect([printed.code, printed.stderr]).toEqual([0, '']);
    const path = join(cwd, 'config/registry.yaml');
    expect(jsonOf(await run('export', '--output', 'config/registry.yaml', '--json'))).toMatchObject(
      { id: 'v1', datasets: 4, output: 'config/registry.yaml' },
    );
    expect(await readFile(path, 'utf8')).toBe(printed.stdout);
    const same = await run('diff', '--json');
    expect([same.code, jsonOf(same)]).toMatchObject([0, { drift: false, findings: [] }]);

    const changed = printed.stdout
      .replace('email: {type: text, sensitivity: low', 'email: {type: text, sensitivity: high')
      .replace(/^ledger:/m, 'books:');
    await writeFile(path, changed);
    const differs = await run('diff', '--json');
    expect(differs.code).toBe(0);
    const { findings } = jsonOf<{ findings: RegistryDifference[] }>(differs);
    expect(findings.map(({ kind, dataset, field }) => [kind, dataset, field])).toEqual([
      ['dataset_added', 'books', undefined],
      ['field_added', 'books', 'amount'],
      ['field_added', 'books', 'id'],
      ['tags_changed', 'customers', 'email'],
      ['dataset_removed', 'ledger', undefined],
    ]);
    const people = await run('diff');
    expect(people.stdout).toContain('+ dataset: books\n    + field: amount (integer)\n');
    expect(people.stdout).toContain('~ field: email (tags: low pii -> high pii)');
    expect(people.stdout).toContain('- dataset: ledger\n');

    const refused = await run('export', '--output', 'config/registry.yaml');
    expect([refused.code, refused.stderr]).toEqual([8, expect.stringContaining('--force')]);
    expect(await readFile(path, 'utf8')).toBe(changed);
    expect((await run('export', '-o', 'config/registry.yaml', '--force')).code).toBe(0);
    expect(await readFile(path, 'utf8')).toBe(printed.stdout);
    const part = join(cwd, 'config/registry/shop.yaml');
    await mkdir(join(part, '..'));
    await writeFile(part, printed.stdout);
    const twice = await run('export', '-o', 'config/registry.yaml', '--force');
    expect([twice.code, twice.stderr]).toEqual([8, expect.stringContaining('config/registry has')]);
    await rm(part);
    await writeFile(path, 'customers: [');
    const broken = await run('diff', '--json');
    expect([broken.code, jsonOf<{ error: { code: string } }>(broken).error.code]).toEqual([
      2,
      'invalid_registry',
    ]);
  });
});
