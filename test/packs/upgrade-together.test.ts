import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installPack } from '../../src/packs/install-pack.js';
import type { Pack } from '../../src/packs/model.js';
import { readPacksState } from '../../src/packs/packs-state.js';
import { type UpgradeOptions, upgradeTogether } from '../../src/packs/upgrade-together.js';
import { directoryWith, writeInto } from '../project/files.js';
import { alone, meta, now, pack, policy, refused, snapshot } from './packs.js';

async function upgradePack(root: string, one: Pack, options: UpgradeOptions) {
  const [result] = await upgradeTogether(root, [one], options);
  if (result === undefined) throw new Error('There is no result.');
  return result;
}

describe('upgradeTogether', () => {
  const v2 = (changes: Record<string, string | null> = {}) =>
    pack('mine', {
      'metadata.yaml': meta('mine', '2.0.0'),
      'policies/01_mine_one.yaml': null,
      'policies/02_mine_two.yaml': policy('mine_two', 520),
      'policies/03_mine_three.yaml': policy('mine_three', 520),
      ...changes,
    });

  async function withMine() {
    const root = directoryWith();
    await installPack(root, await pack('mine'), alone);
    return root;
  }

  it('is nothing for the same version', async () => {
    const root = await withMine();
    expect(await upgradePack(root, await pack('mine'), alone)).toMatchObject({
      changed: false,
      diffs: [],
    });
  });

  it('replaces, adds and deletes exactly the pack’s files', async () => {
    const root = await withMine();
    const result = await upgradePack(root, await v2(), alone);
    expect(result).toMatchObject({ from: '1.0.0', to: '2.0.0', changed: true });
    expect(Object.keys(snapshot(root))).toEqual([
      '.vkit/packs.yaml',
      'config/policies/mine__02__mine_two.yaml',
      'config/policies/mine__03__mine_three.yaml',
    ]);
    expect(result.diffs[1]?.diff).toContain('- priority: 510\n+ priority: 520');
  });

  it('writes nothing in a dry run and shows the same diff', async () => {
    const root = await withMine();
    const before = snapshot(root);
    const dry = await upgradePack(root, await v2(), { ...alone, dryRun: true });
    expect(snapshot(root)).toEqual(before);
    expect(dry.diffs).toEqual((await upgradePack(root, await v2(), alone)).diffs);
  });

  it('stops at a modified file and shows its diff, unless forced', async () => {
    const root = await withMine();
    writeFileSync(join(root, 'config/policies/mine__02__mine_two.yaml'), 'mine now\n');
    const error = await refused(root, async () => upgradePack(root, await v2(), alone));
    expect(error).toMatchObject({ code: 'conflict' });
    expect(JSON.stringify(error.details)).toContain('- mine now');
    expect((await upgradePack(root, await v2(), { ...alone, force: true })).changed).toBe(true);
  });

  it('never overwrites a file that is not the pack’s, forced or not', async () => {
    const root = await withMine();
    writeInto(root, 'config/policies/mine__03__mine_three.yaml', 'mine\n');
    expect(
      (await refused(root, async () => upgradePack(root, await v2(), { ...alone, force: true })))
        .code,
    ).toBe('file_exists');
  });

  it('refuses a version that a dependent pack does not accept', async () => {
    const root = await withMine();
    await installPack(
      root,
      await pack('user', {
        'metadata.yaml': meta('user', '1.0.0', '  dependencies: ["mine@^1.0.0"]\n'),
      }),
      alone,
    );
    expect(
      (await refused(root, async () => upgradePack(root, await v2(), { ...alone, force: true })))
        .message,
    ).toContain('user needs mine@^1.0.0');
  });

  it('goes back only when forced', async () => {
    const root = await withMine();
    await upgradePack(root, await v2(), alone);
    expect(
      (await refused(root, async () => upgradePack(root, await pack('mine'), alone))).code,
    ).toBe('conflict');
    expect((await upgradePack(root, await pack('mine'), { ...alone, force: true })).to).toBe(
      '1.0.0',
    );
  });

  it('restores files of the installed version only when forced, and never a foreign one', async () => {
    const root = await withMine();
    const before = snapshot(root);
    const [one, two] = [
      'config/policies/mine__01__mine_one.yaml',
      'config/policies/mine__02__mine_two.yaml',
    ];
    rmSync(join(root, one));
    writeFileSync(join(root, two), 'mine now\n');
    expect(await upgradePack(root, await pack('mine'), alone)).toMatchObject({
      changed: false,
      modified: [two],
      missing: [one],
    });
    const restored = await upgradePack(root, await pack('mine'), { ...alone, force: true });
    expect(restored).toMatchObject({ changed: true, from: '1.0.0', to: '1.0.0' });
    expect(snapshot(root)).toEqual(before);
    rmSync(join(root, one));
    symlinkSync('/etc/hostname', join(root, one));
    expect(
      await refused(root, async () =>
        upgradePack(root, await pack('mine'), { ...alone, force: true }),
      ),
    ).toMatchObject({ code: 'file_exists' });
  });

  it('says that the files of a version are not those installed', async () => {
    const root = await withMine();
    const other = await pack('mine', { 'policies/02_mine_two.yaml': policy('mine_two', 555) });
    expect(await upgradePack(root, other, alone)).toMatchObject({ changed: false, differs: true });
  });

  it('puts files in place that were gone', async () => {
    const root = await withMine();
    rmSync(join(root, 'config/policies/mine__01__mine_one.yaml'));
    rmSync(join(root, 'config/policies/mine__02__mine_two.yaml'));
    await upgradePack(root, await v2(), alone);
    expect(Object.keys(snapshot(root))).toEqual([
      '.vkit/packs.yaml',
      'config/policies/mine__02__mine_two.yaml',
      'config/policies/mine__03__mine_three.yaml',
    ]);
  });

  it('sees a foreign file in the way in a dry run too', async () => {
    const root = await withMine();
    writeInto(root, 'config/policies/mine__03__mine_three.yaml', 'mine\n');
    expect(
      await refused(root, async () => upgradePack(root, await v2(), { ...alone, dryRun: true })),
    ).toMatchObject({ code: 'file_exists' });
  });

  it('checks everything an install checks', async () => {
    const root = await withMine();
    await installPack(
      root,
      await pack('user', {
        'metadata.yaml': meta(
          'user',
          '1.0.0',
          '  dependencies: [mine]\n  priority_band: {min: 300, max: 399}\n',
        ),
        'policies/01_user_one.yaml': policy('user_one', 300),
        'policies/02_user_two.yaml': policy('user_two', 300),
      }),
      alone,
    );
    const versions: [string, string, Record<string, string>][] = [
      [
        'DependencyMissing: Pack requires dependencies not installed: starter',
        '  dependencies: [starter]\n',
        {},
      ],
      ['InvalidPack: The packs mine and user depend on each other', '  dependencies: [user]\n', {}],
      [
        'InvalidPack: Priority band overlaps that of user (300 to 399)',
        '  priority_band: {min: 399, max: 599}\n',
        {},
      ],
      [
        'The policy id "user_one" is used already, by config/policies/user__01__user_one.yaml.',
        '',
        {
          'policies/03_user_one.yaml': policy('user_one'),
        },
      ],
    ];
    const existingPolicies = [{ path: 'config/policies/user__01__user_one.yaml', id: 'user_one' }];
    for (const [message, lines, files] of versions) {
      const next = await pack('mine', { 'metadata.yaml': meta('mine', '1.1.0', lines), ...files });
      const error = await refused(root, () => upgradePack(root, next, { now, existingPolicies }));
      expect(error.message).toBe(message);
    }
  });

  it('refuses a layer that rises above a pack that depends on it', async () => {
    const root = directoryWith();
    await installPack(
      root,
      await pack('mine', { 'metadata.yaml': meta('mine', '1.0.0', '', 'domain') }),
      alone,
    );
    await installPack(
      root,
      await pack('user', {
        'metadata.yaml': meta('user', '1.0.0', '  dependencies: [mine]\n', 'domain'),
      }),
      alone,
    );
    const risen = await pack('mine', { 'metadata.yaml': meta('mine', '1.1.0', '', 'custom') });
    expect(await refused(root, () => upgradePack(root, risen, alone))).toMatchObject({
      code: 'invalid_pack',
      message:
        'InvalidPack: The pack is of the layer custom, above user (domain), which depends on it',
    });
  });

  it('upgrades packs together that accept each other only in the new versions', async () => {
    const root = await withMine();
    const user = (version: string, range: string) =>
      pack('user', {
        'metadata.yaml': meta('user', version, `  dependencies: ["mine@${range}"]\n`),
      });
    await installPack(root, await user('1.0.0', '^1.0.0'), alone);
    const [newMine, newUser] = [await v2(), await user('2.0.0', '^2.0.0')];
    for (const one of [newMine, newUser]) {
      await refused(root, () => upgradePack(root, one, alone));
    }
    const file = 'config/policies/user__01__user_one.yaml';
    const good = snapshot(root)[file] ?? '';
    writeFileSync(join(root, file), 'edited\n');
    await refused(root, () => upgradeTogether(root, [newMine, newUser], alone));
    writeFileSync(join(root, file), good);
    expect(await upgradeTogether(root, [newMine, newUser], alone)).toMatchObject([
      { name: 'mine', to: '2.0.0', changed: true },
      { name: 'user', to: '2.0.0', changed: true },
    ]);
    expect((await readPacksState(root)).user?.version).toBe('2.0.0');
  });

  it('refuses one policy id in two packs that are upgraded together', async () => {
    const root = await withMine();
    await installPack(root, await pack('user', { 'metadata.yaml': meta('user', '1.0.0') }), alone);
    const other = await pack('user', {
      'metadata.yaml': meta('user', '2.0.0'),
      'policies/03_mine_three.yaml': policy('mine_three'),
    });
    const next = await v2();
    expect(await refused(root, () => upgradeTogether(root, [next, other], alone))).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('"mine_three"'),
    });
  });
});
