import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installPack } from '../../src/packs/install-pack.js';
import { packStatus, packStatusLine } from '../../src/packs/pack-status.js';
import { readPacksState, sha256 } from '../../src/packs/packs-state.js';
import { removePack } from '../../src/packs/remove-pack.js';
import { upgradePack } from '../../src/packs/upgrade-pack.js';
import { directoryWith, writeInto } from '../project/files.js';
import { alone, now, pack, policy, projectWith, shipped, snapshot } from './packs.js';

const MASK_PII = 'config/policies/starter__02__mask_pii.yaml';
const meta = (name: string, version: string, lines = '', layer = 'custom') =>
  `__pack_meta:\n  name: ${name}\n  version: "${version}"\n  layer: ${layer}\n${lines}`;

/** Runs what must be refused, and checks that it left the project as it was. */
async function refused(root: string, run: () => Promise<unknown>) {
  const before = snapshot(root);
  const error = await run().then(
    () => new Error('It was not refused.'),
    (caught) => caught,
  );
  expect(snapshot(root)).toEqual(before);
  return error;
}

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

  it('refuses a state file it does not understand', async () => {
    const root = directoryWith({
      '.vkit/packs.yaml':
        'format_version: v1\ninstalled_packs: {starter: {files: [{path: ../../etc/passwd}]}}\n',
    });
    expect(
      (await refused(root, async () => installPack(root, await shipped('starter'), alone))).code,
    ).toBe('config_invalid');
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

describe('upgradePack', () => {
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
});
