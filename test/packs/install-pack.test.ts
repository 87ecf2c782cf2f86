import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installPack } from '../../src/packs/install-pack.js';
import { packStatus, packStatusLine } from '../../src/packs/pack-status.js';
import { readPacksState, sha256 } from '../../src/packs/packs-state.js';
import { removePack } from '../../src/packs/remove-pack.js';
import { directoryWith, writeInto } from '../project/files.js';
import {
  alone,
  meta,
  now,
  pack,
  policy,
  projectWith,
  refused,
  shipped,
  snapshot,
} from './packs.js';

const MASK_PII = 'config/policies/starter__02__mask_pii.yaml';
describe('installPack', () => {
  it('copies the policies and records them with their checksums', async () => {
    const root = await projectWith('starter');
    const files = snapshot(root);
    const state = (await readPacksState(root)).starter;
    expect(Object.keys(files).filter((path) => path.startsWith('config/'))).toEqual([
      'config/policies/starter__01__deny_high_sensitivity_without_clearance.yaml',
      MASK_PII,
      'config/policies/starter__03__approve_high_sensitivity.yaml',
      'config/policies/starter__04__block_cross_region.yaml',
      'config/policies/starter__05__approve_analysts_in_production.yaml',
      'config/policies/starter__06__allow_low_sensitivity.yaml',
    ]);
    expect(state).toMatchObject({
      name: 'starter',
      version: '1.0.0',
      layer: 'foundation',
      installed_at: '2026-02-15T15:00:00Z',
    });
    expect(state?.files[1]).toEqual({
      path: MASK_PII,
      policy_id: 'mask_pii',
      checksum: sha256(files[MASK_PII] ?? ''),
    });
    expect(Object.keys(files).filter((path) => path.startsWith('.vkit/'))).toEqual([
      '.vkit/packs.yaml',
    ]);
    expect(files['.vkit/packs.yaml']?.split('\n').slice(0, 12)).toEqual([
      '# Written by `vkit policy pack`; keep it in Git and do not edit it.',
      'format_version: v1',
      'installed_packs:',
      '  starter:',
      '    name: starter',
      '    version: "1.0.0"',
      '    layer: foundation',
      '    installed_at: "2026-02-15T15:00:00Z"',
      `    pack_checksum: "${state?.pack_checksum}"`,
      '    dependencies: []',
      '    priority_band:',
      '      min: 100',
    ]);
  });

  it('does nothing the second time', async () => {
    const root = await projectWith('starter');
    const before = snapshot(root);
    expect(
      (await installPack(root, await shipped('starter'), { now: new Date(), existingPolicies: [] }))
        .changed,
    ).toBe(false);
    expect(snapshot(root)).toEqual(before);
  });

  it('names every dependency that is missing', async () => {
    const root = await projectWith();
    const ai = await refused(root, async () =>
      installPack(root, await shipped('ai_safety'), alone),
    );
    expect(ai.message).toBe('DependencyMissing: Pack requires dependencies not installed: starter');
    const finance = await refused(root, async () =>
      installPack(root, await shipped('financial_compliance'), alone),
    );
    expect(finance.message).toBe(
      'DependencyMissing: Pack requires dependencies not installed: starter, ai_safety',
    );
    expect(finance.code).toBe('invalid_pack');
  });

  it('installs the shipped packs one after the other', async () => {
    const root = await projectWith('starter', 'ai_safety', 'financial_compliance');
    expect(Object.keys(await readPacksState(root))).toEqual([
      'ai_safety',
      'financial_compliance',
      'starter',
    ]);
  });

  it('refuses a dependency of another version', async () => {
    const root = await projectWith('starter');
    const mine = await pack('mine', {
      'metadata.yaml': meta('mine', '1.0.0', '  dependencies: ["starter@^2.0.0"]\n'),
    });
    expect((await refused(root, () => installPack(root, mine, alone))).message).toBe(
      'DependencyMissing: Pack requires starter@^2.0.0, but v1.0.0 is installed',
    );
  });

  it('refuses a layer below that of a dependency', async () => {
    const root = await projectWith('starter', 'ai_safety');
    const mine = await pack('mine', {
      'metadata.yaml': meta('mine', '1.0.0', '  dependencies: [ai_safety]\n', 'foundation'),
    });
    expect((await refused(root, () => installPack(root, mine, alone))).code).toBe('invalid_pack');
  });

  it('takes any version of a dependency without a range, and prereleases where the range names one', async () => {
    const root = directoryWith();
    await installPack(
      root,
      await pack('base', { 'metadata.yaml': meta('base', '1.1.0-beta.2') }),
      alone,
    );
    const wanting = (range: string) =>
      pack('mine', {
        'metadata.yaml': meta('mine', '1.0.0', `  dependencies: ["base${range}"]\n`),
      });
    for (const range of ['@^1.0.0', '@>=1.1.0', '@~1.1.0', '@^1.1.0-rc']) {
      const mine = await wanting(range);
      expect((await refused(root, () => installPack(root, mine, alone))).message).toBe(
        `DependencyMissing: Pack requires base${range}, but v1.1.0-beta.2 is installed`,
      );
    }
    for (const range of ['', '@*', '@^1.1.0-beta', '@>=1.1.0-alpha <2']) {
      expect((await installPack(root, await wanting(range), alone)).changed).toBe(true);
      await removePack(root, 'mine', { now });
    }
  });

  it('refuses a band that overlaps the band of an installed pack', async () => {
    const root = await projectWith('starter');
    const banded = (min: number, max: number) =>
      pack('mine', {
        'metadata.yaml': meta('mine', '1.0.0', `  priority_band: {min: ${min}, max: ${max}}\n`),
        'policies/01_mine_one.yaml': policy('mine_one', min),
        'policies/02_mine_two.yaml': policy('mine_two', max),
      });
    for (const [min, max] of [
      [199, 210],
      [0, 100],
      [120, 130],
      [0, 1_000],
    ] as const) {
      const mine = await banded(min, max);
      expect(await refused(root, () => installPack(root, mine, alone))).toMatchObject({
        code: 'invalid_pack',
        message: 'InvalidPack: Priority band overlaps that of starter (100 to 199)',
      });
    }
    expect(
      (await installPack(root, await banded(200, 299), alone)).installed.priority_band,
    ).toEqual({ min: 200, max: 299 });
  });

  it('reads a state that an older vkit wrote without bands', async () => {
    const root = await projectWith('starter');
    const state = readFileSync(join(root, '.vkit/packs.yaml'), 'utf8');
    writeInto(root, '.vkit/packs.yaml', state.replace(/ {4}priority_band:\n.*\n.*\n/, ''));
    expect((await readPacksState(root)).starter?.priority_band).toBeUndefined();
    expect((await installPack(root, await shipped('ai_safety'), alone)).changed).toBe(true);
  });

  it('refuses another pack of the same version, and says how to go on', async () => {
    const root = directoryWith();
    await installPack(root, await pack('mine'), alone);
    const other = await pack('mine', { 'policies/02_mine_two.yaml': policy('mine_two', 555) });
    expect(
      await refused(root, () => installPack(root, other, { ...alone, reference: './mine' })),
    ).toMatchObject({
      code: 'conflict',
      message: 'The pack mine is installed already, as v1.0.0 with other files.',
      hint: expect.stringContaining('vkit policy pack upgrade ./mine'),
    });
  });

  it('refuses a policy id that another file uses', async () => {
    const root = await projectWith();
    const existingPolicies = [{ path: 'config/policies/own.yaml', id: 'mask_pii' }];
    const error = await refused(root, async () =>
      installPack(root, await shipped('starter'), { now, existingPolicies }),
    );
    expect(error).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('config/policies/own.yaml'),
    });
  });

  it('refuses to overwrite a file that no pack owns, the last of several too', async () => {
    const root = directoryWith({
      'config/policies/starter__06__allow_low_sensitivity.yaml': 'mine\n',
    });
    expect(
      (await refused(root, async () => installPack(root, await shipped('starter'), alone))).code,
    ).toBe('file_exists');
  });

  it.each([
    ['a path upwards', 'config/policies/starter__02__mask_pii.yaml', '../../etc/passwd'],
    [
      'a path of another pack',
      'config/policies/starter__02__mask_pii.yaml',
      'config/policies/mine__02__x.yaml',
    ],
    ['another name', 'name: starter', 'name: other'],
    ['a version that is none', '1.0.0', 'one'],
    ['a band that ends before it begins', 'min: 100', 'min: 300'],
  ])('refuses a state with %s', async (_name, from, to) => {
    const root = await projectWith('starter');
    const text = readFileSync(join(root, '.vkit/packs.yaml'), 'utf8');
    writeInto(root, '.vkit/packs.yaml', text.replace(from, to));
    const error = await refused(root, async () =>
      installPack(root, await shipped('ai_safety'), alone),
    );
    expect(error).toMatchObject({
      code: 'config_invalid',
      details: { problems: [{ file: '.vkit/packs.yaml', line: expect.any(Number) }] },
    });
  });
});

describe('removePack', () => {
  it('takes away exactly what was installed', async () => {
    const root = await projectWith('starter');
    writeInto(root, 'config/policies/own.yaml', 'mine\n');
    const { files } = await removePack(root, 'starter', { now });
    expect(files).toHaveLength(6);
    expect(Object.keys(snapshot(root))).toEqual([
      '.vkit/packs.yaml',
      'config/policies/own.yaml',
      'vkit.yaml',
    ]);
    expect(await readPacksState(root)).toEqual({});
  });

  it('refuses while another pack depends on it', async () => {
    const root = await projectWith('starter', 'ai_safety');
    const error = await refused(root, () => removePack(root, 'starter', { now, force: true }));
    expect(error).toMatchObject({
      code: 'conflict',
      message: 'The pack starter is needed by ai_safety.',
    });
  });

  it('refuses to delete a modified file unless forced', async () => {
    const root = await projectWith('starter');
    writeFileSync(join(root, MASK_PII), 'changed\n');
    expect((await refused(root, () => removePack(root, 'starter', { now }))).message).toContain(
      MASK_PII,
    );
    expect((await removePack(root, 'starter', { now, force: true })).files).toContain(MASK_PII);
  });

  it('removes a pack some of whose files are gone', async () => {
    const root = await projectWith('starter');
    rmSync(join(root, MASK_PII));
    expect((await removePack(root, 'starter', { now })).files).toHaveLength(5);
  });

  it('never deletes what stands in the place of a file, forced or not', async () => {
    const root = await projectWith('starter');
    const target = join(directoryWith({ 'own.yaml': 'mine\n' }), 'own.yaml');
    rmSync(join(root, MASK_PII));
    symlinkSync(target, join(root, MASK_PII));
    expect((await refused(root, () => removePack(root, 'starter', { now }))).code).toBe('conflict');
    const forced = await refused(root, () => removePack(root, 'starter', { now, force: true }));
    expect(forced).toMatchObject({
      code: 'file_exists',
      message: `${MASK_PII} is a link or a folder, and not the pack's file.`,
    });
    expect(readFileSync(target, 'utf8')).toBe('mine\n');
  });

  it('says that a pack is not installed', async () => {
    await expect(removePack(await projectWith(), 'constructor', { now })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('packStatus', () => {
  it('shows what is installed, upgradable, modified, missing and available', async () => {
    const root = await projectWith('starter', 'ai_safety');
    const newer = await pack('ai_safety', { 'metadata.yaml': meta('ai_safety', '1.1.0') });
    const lines = async () =>
      (
        await packStatus(root, await readPacksState(root), [
          newer,
          await shipped('starter'),
          await shipped('financial_compliance'),
        ])
      ).map(packStatusLine);
    expect(await lines()).toEqual([
      '⚠ ai_safety (installed v1.0.0, available v1.1.0)',
      'financial_compliance (not installed)',
      '✓ starter v1.0.0',
    ]);
    writeFileSync(join(root, MASK_PII), 'changed\n');
    rmSync(join(root, 'config/policies/starter__06__allow_low_sensitivity.yaml'));
    expect((await lines())[2]).toBe(
      `⚠ starter v1.0.0 (modified: ${MASK_PII}; missing: config/policies/starter__06__allow_low_sensitivity.yaml)`,
    );
  });
});
