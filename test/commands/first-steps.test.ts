import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonOf } from '../helpers/run-cli.js';
import { emptyFolder, git, sqlite, terminal } from './project-fixture.js';

/** The commands that a screen names as the next ones. */
const nextOf = (stderr: string): string => /Next: (.*)/.exec(stderr)?.[1] ?? '';

describe('from an empty folder to a signed bundle', () => {
  it('works in the order in which each screen names the next step', {
    timeout: 120_000,
  }, async () => {
    const { root, ok, run } = await emptyFolder();
    sqlite(
      join(root, 'shop.db'),
      'CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, ssn TEXT)',
    );
    const init = await ok(['init', '--org', 'acme']);
    expect(init.stdout).toContain('vkit.server.yaml');
    for (const step of ['git init', 'vkit keys generate', 'vkit policy pack add starter']) {
      expect(init.stderr).toContain(step);
    }
    await ok(['keys', 'generate']);
    const added = await ok(['datasource', 'add', 'shop', '--url', 'sqlite:./shop.db']);
    expect(nextOf(added.stderr)).toBe('vkit scan shop --apply');
    const scanned = await ok(['scan', 'shop', '--apply']);
    expect(scanned.stdout).toContain('+ field: ssn (text) [PII, high]  NEW - requires policy');
    expect(nextOf(scanned.stderr)).toBe('vkit policy pack add starter');
    const pack = await ok(['policy', 'pack', 'add', 'starter']);
    expect(pack.stdout).toMatch(/^✓ starter v1\.0\.0\n/);
    expect(nextOf(pack.stderr)).toBe('vkit policy validate');
    const validated = await ok(['policy', 'validate']);
    expect(validated.stdout).toBe('✓ 6 policies, 1 dataset, 1 datasource: valid\n');
    expect(nextOf(validated.stderr)).toContain('vkit policy bundle');

    const outside = await run(['policy', 'bundle']);
    expect(outside.code).toBe(2);
    expect(outside.stderr).toContain('git init');
    await git(root, 'init', '-q');
    expect((await run(['policy', 'bundle'])).stderr).toContain('no commit yet');
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'Policies');
    const tracked = (await git(root, 'ls-files')).split('\n');
    expect(tracked).toContain('.vkit/packs.yaml');
    expect(tracked.filter((path) => /\.pem$|\.db$/.test(path))).toEqual([]);

    const bundled = await ok(['policy', 'bundle']);
    expect(bundled.stdout).toMatch(/^Wrote dist\/policy_bundle\.json\n/);
    expect(bundled.stdout).toMatch(/policies +6\n/);
    expect(nextOf(bundled.stderr)).toBe('vkit policy deploy');
    const key = ['--key', '.vkit/keys/vkit_pub.pem'];
    const bundle = ['policy', 'validate', '--bundle', 'dist/policy_bundle.json'];
    expect((await ok([...bundle, ...key])).stdout).toContain('signature verifies');
  });
});

describe('init', () => {
  it('is the same as policy init --repo, with packs in the order they need', async () => {
    const { root, ok } = await emptyFolder();
    const args = ['policy', 'init', '--repo', 'rules', '--with', 'ai_safety,starter'];
    const result = jsonOf<{ root: string; packs: { id: string }[]; in_repository: boolean }>(
      await ok([...args, '--json']),
    );
    expect(result.root).toBe(join(root, 'rules'));
    expect(result.packs.map(({ id }) => id)).toEqual(['starter', 'ai_safety']);
    expect(result.in_repository).toBe(false);
    expect((await stat(join(root, 'rules/vkit.yaml'))).isFile()).toBe(true);
  });

  it('does not tell somebody in a repository to make one', async () => {
    const { root, ok } = await emptyFolder();
    await git(root, 'init', '-q');
    expect((await ok(['init', '--with', 'starter'])).stderr).not.toMatch(/git init|pack add/);
  });

  it.each([[[]], [['--json']]])('exits 8 where there is a project (flags: %j)', async (flags) => {
    const { root, ok, run } = await emptyFolder();
    await ok(['init', '--org', 'acme']);
    const again = await run(['init', '--org', 'other', ...flags]);
    expect(again.code).toBe(8);
    expect(await readFile(join(root, 'vkit.yaml'), 'utf8')).toContain('org: acme');
  });

  it('exits 2 for a pack without the one it needs, names both, and writes nothing', async () => {
    const { root, run } = await emptyFolder();
    const result = await run(['init', '--with', 'ai_safety']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('--with starter,ai_safety');
    await expect(stat(join(root, 'vkit.yaml'))).rejects.toThrow('ENOENT');
  });
});

describe('a command outside of any project', () => {
  it.each([
    [['scan']],
    [['datasource', 'list']],
    [['datasource', 'test', 'shop']],
    [['policy', 'validate']],
    [['policy', 'bundle']],
    [['policy', 'pack', 'list']],
    [['policy', 'pack', 'add', 'starter']],
  ])('%j exits 2 and says how to make one', async (args) => {
    const { run } = await emptyFolder();
    const result = await run(args);
    expect([result.code, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toContain('vkit init');
    const json = await run([...args, '--json']);
    expect([json.code, json.stderr]).toEqual([2, '']);
    expect(jsonOf(json)).toMatchObject({ error: { code: 'project_not_found' } });
  });
});

describe('on a terminal', () => {
  it.each([80, 0])('commands start and end with %d columns', async (columns) => {
    const { root, ok } = await emptyFolder();
    await writeFile(join(root, 'vkit.yaml'), 'org: acme\n');
    sqlite(join(root, 'shop.db'), 'CREATE TABLE t (id INTEGER)');
    await ok(['datasource', 'add', 'shop', '--url', 'sqlite:./shop.db']);
    expect((await ok(['--version'], { env: terminal(columns) })).stdout).toMatch(/^vkit\//);
    const scanned = await ok(['scan', '--all'], { env: terminal(columns) });
    expect(scanned.stdout).toContain('+ dataset: t');
  });
});
