import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonOf } from '../helpers/run-cli.js';
import { emptyFolder, git, shopProject, terminal } from './project-fixture.js';

type Failure = { error: { code: string } };

const TEST = `name: one
cases:
  - given: {requester_role: analyst, dataset: customers, fields: [id]}
    expect: {action: allow}
`;

/** A process id that no process has: beyond what Linux gives out. */
const NOBODY = 2 ** 22 + 1;

const write = (root: string, path: string, text: string) => writeFile(join(root, path), text);

describe('policy pack', () => {
  it('lists, adds and removes, in the words of the contract', { timeout: 120_000 }, async () => {
    const { root, ok, run } = await emptyFolder();
    await ok(['init']);
    const list = async () => (await ok(['policy', 'pack', 'list'])).stdout.replace(/^ .*\n/gm, '');
    expect(await list()).toBe(
      'ai_safety (not installed)\nfinancial_compliance (not installed)\nstarter (not installed)\n',
    );
    const missing = await run(['policy', 'pack', 'add', 'ai_safety']);
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringContaining(
        'DependencyMissing: Pack requires dependencies not installed: starter',
      ),
    ]);
    await ok(['policy', 'pack', 'add', 'starter']);
    expect(jsonOf(await ok(['policy', 'pack', 'add', 'starter', '--json']))).toMatchObject({
      id: 'starter',
      changed: false,
    });
    const added = await ok(['policy', 'pack', 'add', 'ai_safety']);
    expect(added.stderr).toBe('Next: vkit policy validate\n');
    expect(await list()).toBe(
      '✓ ai_safety v1.0.0\nfinancial_compliance (not installed)\n✓ starter v1.0.0\n',
    );
    const needed = await run(['policy', 'pack', 'remove', 'starter']);
    expect([needed.code, needed.stderr]).toEqual([8, expect.stringContaining('ai_safety')]);

    const file = 'config/policies/starter__02__mask_pii.yaml';
    await write(root, file, `${await readFile(join(root, file), 'utf8')}# mine\n`);
    expect(await list()).toContain(`⚠ starter v1.0.0 (modified: ${file})`);
    const same = await ok(['policy', 'pack', 'upgrade', 'starter']);
    expect([same.stdout, same.stderr]).toEqual([
      '⚠ starter v1.0.0 is the version there is, but: 1 file changed by hand\n',
      expect.stringContaining(`changed by hand: ${file}`),
    ]);
    const all = await ok(['policy', 'pack', 'upgrade']);
    expect(all.stderr).toBe(`⚠ starter v1.0.0 (modified: ${file})\n`);
    await ok(['policy', 'pack', 'remove', 'ai_safety']);
    const modified = await run(['policy', 'pack', 'remove', 'starter', '--json']);
    expect([modified.code, jsonOf<Failure>(modified).error.code]).toEqual([8, 'conflict']);
    await ok(['policy', 'pack', 'remove', 'starter', '--force']);
    await expect(stat(join(root, file))).rejects.toThrow('ENOENT');
    expect((await run(['policy', 'pack', 'remove', 'starter'])).code).toBe(2);
    expect(
      jsonOf<{ id: string; state: string }[]>(await ok(['policy', 'pack', 'list', '--json'])),
    ).toContainEqual(expect.objectContaining({ id: 'starter', state: 'not_installed' }));
  });

  it('upgrades a pack from a path, shows the diff first, and stops at a file changed by hand', {
    timeout: 120_000,
  }, async () => {
    const { root, ok, run } = await emptyFolder();
    await ok(['init']);
    const pack = async (folder: string, version: string, reason: string) => {
      await mkdir(join(root, folder, 'rules/policies'), { recursive: true });
      await write(
        root,
        `${folder}/rules/metadata.yaml`,
        `__pack_meta: {name: rules, version: "${version}", layer: custom}\n`,
      );
      await write(
        root,
        `${folder}/rules/policies/01_no.yaml`,
        `id: no\npriority: 1\naction: {deny: true, reason: "${reason}"}\n`,
      );
    };
    await pack('old', '1.0.0', 'first');
    await pack('new', '1.1.0', 'second');
    await ok(['policy', 'pack', 'add', './old/rules']);
    expect((await ok(['policy', 'pack', 'upgrade'])).stdout).toBe(
      'Every installed pack that ships with vkit is up to date.\n',
    );
    const file = join(root, 'config/policies/rules__01__no.yaml');
    const dry = await ok(['policy', 'pack', 'upgrade', './new/rules', '--dry-run']);
    expect(dry.stdout).toContain('rules v1.0.0 -> v1.1.0 would change:');
    expect(dry.stdout).toContain('+ action: {deny: true, reason: "second"}');
    expect(await readFile(file, 'utf8')).toContain('first');
    await writeFile(file, `${await readFile(file, 'utf8')}# mine\n`);
    const stopped = await run(['policy', 'pack', 'upgrade', './new/rules']);
    expect(stopped.code).toBe(8);
    expect(stopped.stdout).toContain('- # mine');
    expect(await readFile(file, 'utf8')).toContain('# mine');
    const forced = await ok(['policy', 'pack', 'upgrade', './new/rules', '--force', '--json']);
    expect(jsonOf(forced)).toMatchObject([
      { id: 'rules', from: '1.0.0', to: '1.1.0', changed: true },
    ]);
    expect(await readFile(file, 'utf8')).toContain('second');
    expect((await run(['policy', 'pack', 'upgrade', './old/rules'])).code).toBe(8);
    await rm(file);
    const same = await ok(['policy', 'pack', 'upgrade', './new/rules']);
    expect(same.stdout).toBe('⚠ rules v1.1.0 is the version there is, but: 1 file missing\n');
    expect(same.stderr).toBe(
      `  missing: config/policies/rules__01__no.yaml
  Put the pack's files in place: vkit policy pack upgrade ./new/rules --force\n`,
    );
    const restored = await ok(['policy', 'pack', 'upgrade', './new/rules', '--force']);
    expect(restored.stdout).toBe('✓ rules v1.1.0 restored\n');
    const nameless = await run(['policy', 'pack', 'upgrade', 'rules']);
    expect([nameless.code, nameless.stderr]).toEqual([
      2,
      expect.stringContaining('Name the folder or .tgz of its new version'),
    ]);
    expect((await run(['policy', 'pack', 'upgrade', 'nothing'])).code).toBe(2);
  });

  it('says of packs what they are for and which version there is, whatever the width', async () => {
    const { ok } = await emptyFolder();
    await ok(['init', '--with', 'starter']);
    const { stdout, stderr } = await ok(['policy', 'pack', 'list']);
    expect(stdout).toMatch(/^ai_safety \(not installed\)\n {4}v1\.0\.0: Rules for AI agents/);
    expect(stdout).toMatch(/\n✓ starter v1\.0\.0\n {4}A safe beginning/);
    expect(stderr).toBe('What is in one: vkit policy pack info NAME\n');
    const narrow = await ok(['policy', 'pack', 'list'], { env: terminal(60) });
    expect(Math.max(...narrow.stdout.split('\n').map((line) => line.length))).toBeLessThan(61);
  });

  it('tells what is in an installed pack that does not ship with vkit', async () => {
    const { root, ok } = await emptyFolder();
    await ok(['init']);
    await mkdir(join(root, 'rules/policies'), { recursive: true });
    await write(
      root,
      'rules/metadata.yaml',
      '__pack_meta: {name: rules, version: "1.2.0", layer: custom}\n',
    );
    await write(
      root,
      'rules/policies/01_no.yaml',
      'id: no\npriority: 7\ndescription: Never\naction: {deny: true, reason: "no"}\n',
    );
    await ok(['policy', 'pack', 'add', './rules']);
    await rm(join(root, 'rules'), { recursive: true });
    const info = async () => jsonOf(await ok(['policy', 'pack', 'info', 'rules', '--json']));
    expect(await info()).toMatchObject({
      id: 'rules',
      version: '1.2.0',
      source: 'project',
      installed_version: '1.2.0',
      policies: [{ id: 'no', action: 'deny', priority: 7, description: 'Never' }],
    });
    expect((await ok(['policy', 'pack', 'info', 'rules'])).stdout).toContain(
      'no  (deny, priority 7)\n  Never\n',
    );
    await rm(join(root, 'config/policies/rules__01__no.yaml'));
    expect(await info()).toMatchObject({ policies: [{ id: 'no', action: null }] });
  });

  it('tells what is in a pack, also outside of a project', async () => {
    const { ok, run } = await emptyFolder();
    const info = jsonOf<{ id: string; policies: { id: string }[] }>(
      await ok(['policy', 'pack', 'info', 'starter', '--json']),
    );
    expect(info.id).toBe('starter');
    expect(info.policies.map(({ id }) => id)).toContain('mask_pii');
    for (const name of ['starter', 'ai_safety', 'financial_compliance']) {
      const { stdout } = await ok(['policy', 'pack', 'info', name]);
      expect(stdout).toMatch(/^[a-z_]+ {2}\(mask, priority \d+\)$/m);
      expect(stdout).toContain('PCI DSS v4.0.1 requirement');
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    }
    const unknown = await run(['policy', 'pack', 'info', 'startr']);
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('Did you mean "starter"?'),
    ]);
  });

  it('is whole again before any command reads the project', { timeout: 180_000 }, async () => {
    const { root, ok, run } = await shopProject();
    await write(root, 'config/tests/one.yaml', TEST);
    await ok(['policy', 'pack', 'add', 'starter']);
    await git(root, 'init', '-q');
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'Policies');
    const explained = ['--dataset', 'customers', '--fields', 'id', '--agent'];
    for (const args of [
      ['policy', 'validate'],
      ['policy', 'test'],
      ['policy', 'explain', ...explained],
      ['policy', 'bundle', '--unsigned'],
      ['policy', 'list', '--local'],
      ['policy', 'pack', 'list'],
      ['scan', 'shop'],
    ]) {
      await killUpgrade(root);
      const result = await run(args);
      expect([0, 3], `${args.join(' ')}: ${result.stderr}`).toContain(result.code);
      expect(await git(root, 'status', '--porcelain', 'config', '.vkit'), args.join(' ')).toBe('');
    }
  });

  it('tells who changes packs that a killed command was undone', { timeout: 120_000 }, async () => {
    const { root, ok } = await emptyFolder();
    await ok(['init']);
    const path = 'config/policies/rules__01__no.yaml';
    await write(root, path, 'edited since\n');
    const changes = [{ path, before: null, after: '' }];
    const states = { stateBefore: null, stateAfter: 'never written' };
    const journal = { format_version: 'v1', pid: NOBODY, changes, ...states };
    await mkdir(join(root, '.vkit'), { recursive: true });
    await write(root, '.vkit/packs.journal.json', JSON.stringify(journal));
    const { stderr } = await ok(['policy', 'pack', 'list']);
    expect(stderr).toContain(
      'A command that changed packs was killed. What it had done was undone.',
    );
    expect(stderr).toContain(`Left as they are, since they were edited after that: ${path}`);
    expect(await readFile(join(root, path), 'utf8')).toBe('edited since\n');
  });
});

/** What an upgrade leaves that was killed when one file was deleted and another one, which opens everything, was there. */
async function killUpgrade(root: string): Promise<void> {
  const deleted = 'config/policies/starter__01__deny_high_sensitivity_without_clearance.yaml';
  const added = 'config/policies/starter__07__open.yaml';
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const before = await readFile(join(root, deleted), 'utf8');
  const open = 'id: open\naction: {allow: true}\n';
  const journal = {
    format_version: 'v1',
    pid: NOBODY,
    changes: [
      { path: deleted, before: base64(before), after: null },
      { path: added, before: null, after: base64(open) },
    ],
    stateBefore: await readFile(join(root, '.vkit/packs.yaml'), 'utf8'),
    stateAfter: 'never written',
  };
  await rm(join(root, deleted));
  await write(root, added, open);
  await write(root, '.vkit/packs.journal.json', JSON.stringify(journal));
}
