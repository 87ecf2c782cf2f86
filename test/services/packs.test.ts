import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addPack } from '../../src/services/add-pack.js';
import { initProject } from '../../src/services/init-project.js';
import { listPacks } from '../../src/services/list-packs.js';
import { removeInstalledPack } from '../../src/services/remove-pack.js';
import { upgradePacks } from '../../src/services/upgrade-packs.js';
import { meta, pack, packDirectory, policy, refused, snapshot } from '../packs/packs.js';
import { directoryWith, writeInto } from '../project/files.js';

const OWN = 'config/policies/own.yaml';
const now = new Date('2026-03-01T09:00:00Z');

describe('packs in a project', () => {
  it('are initialised, listed, added and removed', async () => {
    const root = directoryWith();
    const { packs } = await initProject({
      directory: root,
      packs: ['ai_safety', 'starter'],
      cwd: '/',
      now,
    });
    expect(packs).toEqual([
      { name: 'starter', version: '1.0.0', policies: 6 },
      { name: 'ai_safety', version: '1.0.0', policies: 4 },
    ]);
    const states = async () =>
      (await listPacks({ root, now })).packs.map(({ id, state }) => `${id} ${state}`);
    expect(await states()).toEqual([
      'ai_safety installed',
      'financial_compliance not_installed',
      'starter installed',
    ]);
    await addPack({ root, reference: 'financial_compliance', cwd: '/', now });
    await removeInstalledPack({ root, name: 'financial_compliance', now });
    expect((await removeInstalledPack({ root, name: 'ai_safety', now })).files).toHaveLength(4);
    expect(await states()).toEqual([
      'ai_safety not_installed',
      'financial_compliance not_installed',
      'starter installed',
    ]);
    expect(await upgradePacks({ root, reference: 'starter', cwd: '/', now })).toMatchObject([
      { name: 'starter', changed: false },
    ]);
  });

  it.each<[string, (root: string) => void]>([
    ['is no YAML', (root) => writeInto(root, OWN, 'id: mask_pii\n  action: [deny\n')],
    ['has it twice', (root) => writeInto(root, OWN, 'id: other\nid: mask_pii\n')],
    ['has one that is no text', (root) => writeInto(root, OWN, 'id: {a: mask_pii}\n')],
    [
      'is no UTF-8',
      (root) => writeFileSync(join(root, OWN), Buffer.from('id: mask_pii # \xff', 'latin1')),
    ],
    [
      'is a link',
      (root) => {
        writeInto(root, 'elsewhere.yaml', 'id: mask_pii\n');
        symlinkSync(join(root, 'elsewhere.yaml'), join(root, OWN));
      },
    ],
  ])('are not added beside a policy whose id cannot be read, since it %s', async (_, write) => {
    const root = directoryWith();
    await initProject({ directory: root, cwd: '/', now });
    write(root);
    const before = snapshot(root);
    await expect(addPack({ root, reference: 'starter', cwd: '/', now })).rejects.toMatchObject({
      code: 'invalid_policy',
      message: expect.stringContaining(OWN),
    });
    expect(snapshot(root)).toEqual(before);
  });

  it('are added beside a policy that is wrong in another way, and mended where their own file is', async () => {
    const root = directoryWith();
    await initProject({ directory: root, cwd: '/', now });
    writeInto(root, OWN, 'id: own\nbogus: 1\n');
    await addPack({ root, reference: 'starter', cwd: '/', now });
    writeInto(root, 'config/policies/starter__02__mask_pii.yaml', 'id: mask_pii\n  action: [\n');
    const mended = await upgradePacks({ root, reference: 'starter', cwd: '/', now, force: true });
    expect(mended).toMatchObject([{ changed: true }]);
  });

  it('come from a directory of one’s own', async () => {
    const root = directoryWith();
    await initProject({ directory: root, cwd: '/', now });
    const { installed } = await addPack({ root, reference: packDirectory('mine'), cwd: root, now });
    expect(installed.files.map(({ path }) => path)).toContain(
      'config/policies/mine__01__mine_one.yaml',
    );
  });

  it('leave nothing where one that is named lacks another', async () => {
    const root = join(directoryWith(), 'new');
    await expect(
      initProject({ directory: root, packs: ['ai_safety'], cwd: '/', now }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('not installed: starter'),
      hint: expect.stringContaining('--with starter,ai_safety'),
    });
    await expect(
      initProject({ directory: root, packs: ['nothing'], cwd: '/', now }),
    ).rejects.toMatchObject({ code: 'not_found' });
    expect(existsSync(root)).toBe(false);
  });

  it('leave nothing where one that is named does not fit another', async () => {
    const root = join(directoryWith(), 'new');
    const packs: [string, Record<string, string>][] = [
      [
        'requires starter@^9.0.0',
        { 'metadata.yaml': meta('mine', '1.0.0', '  dependencies: ["starter@^9.0.0"]\n') },
      ],
      [
        'Priority band overlaps',
        { 'metadata.yaml': meta('mine', '1.0.0', '  priority_band: {min: 0, max: 600}\n') },
      ],
      ['"mask_pii" is used already', { 'policies/03_mask_pii.yaml': policy('mask_pii') }],
    ];
    for (const [message, changes] of packs) {
      const mine = packDirectory('mine', changes);
      await expect(
        initProject({ directory: root, packs: [mine, 'starter'], cwd: '/', now }),
      ).rejects.toMatchObject({ message: expect.stringContaining(message) });
      expect(existsSync(root)).toBe(false);
    }
  });

  it.each([
    ['is valid', 'id: mask_pii\ndescription: x\naction: {allow: true}\n'],
    ['has problems', 'id: mask_pii\npriorty: 3\naction: {mask: maybe}\n'],
  ])('do not take the id of a policy of the project’s own that %s', async (_name, text) => {
    const root = directoryWith();
    await initProject({ directory: root, cwd: '/', now });
    writeInto(root, 'config/policies/own.yaml', text);
    const error = await refused(root, () => addPack({ root, reference: 'starter', cwd: '/', now }));
    expect(error).toMatchObject({
      code: 'conflict',
      message: 'The policy id "mask_pii" is used already, by config/policies/own.yaml.',
    });
  });
});

describe('upgradePacks', () => {
  const based = (name: string, version: string, lines = '', changes = {}) => ({
    'metadata.yaml': meta(name, version, lines),
    ...changes,
  });
  const add = (root: string, name: string, files: Record<string, string>) =>
    addPack({ root, reference: packDirectory(name, files), cwd: '/', now });

  /** A project with `a`, `b` and `c`, of which each depends on the one before. */
  async function project(range = '^1.0.0') {
    const root = directoryWith({ 'vkit.yaml': 'org: acme\n' });
    await add(root, 'a', based('a', '1.0.0'));
    await add(root, 'b', based('b', '1.0.0', `  dependencies: ["a@${range}"]\n`));
    await add(root, 'c', based('c', '1.0.0', '  dependencies: [b]\n'));
    return root;
  }

  it('without a name takes what ships in a newer version, dependencies first', async () => {
    const root = await project();
    const shipped = await Promise.all([
      pack('c', based('c', '1.1.0', '  dependencies: ["b@^1.1.0"]\n')),
      pack('b', based('b', '1.1.0', '  dependencies: ["a@^1.1.0"]\n')),
      pack('a', based('a', '1.1.0')),
      pack('d', based('d', '1.1.0')),
    ]);
    const before = snapshot(root);
    const dry = await upgradePacks({ root, cwd: '/', now, shipped, dryRun: true });
    expect(dry.map(({ name, changed }) => `${name} ${changed}`)).toEqual([
      'a false',
      'b false',
      'c false',
    ]);
    expect(snapshot(root)).toEqual(before);
    const done = await upgradePacks({ root, cwd: '/', now, shipped });
    expect(done.map(({ name, to }) => `${name} ${to}`)).toEqual(['a 1.1.0', 'b 1.1.0', 'c 1.1.0']);
    expect(await upgradePacks({ root, cwd: '/', now, shipped })).toEqual([]);
  });

  it('upgrades together what cannot be upgraded one by one', async () => {
    const root = await project();
    const shipped = await Promise.all([
      pack('b', based('b', '2.0.0', '  dependencies: ["a@^2.0.0"]\n')),
      pack('a', based('a', '2.0.0')),
    ]);
    const done = await upgradePacks({ root, cwd: '/', now, shipped });
    expect(done.map(({ name, to }) => `${name} ${to}`)).toEqual(['a 2.0.0', 'b 2.0.0']);
  });

  it('says what was upgraded before the one that is refused', async () => {
    const root = await project('*');
    const shipped = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        pack(
          name,
          based(name, '1.1.0', '', { [`policies/01_${name}_one.yaml`]: policy(`${name}_one`, 1) }),
        ),
      ),
    );
    writeInto(root, 'config/policies/b__01__b_one.yaml', 'edited\n');
    const error = await upgradePacks({ root, cwd: '/', now, shipped }).catch((caught) => caught);
    expect(error).toMatchObject({
      code: 'conflict',
      details: {
        upgraded: [{ name: 'a', from: '1.0.0', to: '1.1.0' }],
        diffs: [
          { path: 'config/policies/b__01__b_one.yaml', diff: expect.stringContaining('- edited') },
        ],
      },
    });
    const { packs } = await listPacks({ root, now });
    const versions = packs.map(({ id, installed_version: version }) => `${id} ${version}`);
    expect(versions).toEqual(expect.arrayContaining(['a 1.1.0', 'b 1.0.0', 'c 1.0.0']));
  });

  it('asks for the path of a pack that does not ship', async () => {
    const root = await project();
    const upgrade = (reference: string) => upgradePacks({ root, reference, cwd: '/', now });
    expect(await refused(root, () => upgrade('a'))).toMatchObject({
      code: 'not_found',
      message: 'The pack a does not ship with vkit.',
      hint: expect.stringContaining('vkit policy pack upgrade ./a'),
    });
    expect((await refused(root, () => upgrade('starter'))).message).toBe(
      'The pack "starter" is not installed.',
    );
    expect((await refused(root, () => upgrade('nothing'))).code).toBe('not_found');
  });
});
