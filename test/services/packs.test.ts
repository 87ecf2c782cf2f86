import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addPack, upgradeInstalledPack } from '../../src/services/add-pack.js';
import { initProject } from '../../src/services/init-project.js';
import { listPacks } from '../../src/services/list-packs.js';
import { removeInstalledPack } from '../../src/services/remove-pack.js';
import { packDirectory } from '../packs/packs.js';
import { directoryWith, writeInto } from '../project/files.js';

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
    expect(
      (await upgradeInstalledPack({ root, reference: 'starter', cwd: '/', now })).changed,
    ).toBe(false);
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

  it('do not take the id of a policy of the project’s own', async () => {
    const root = directoryWith();
    await initProject({ directory: root, cwd: '/', now });
    writeInto(
      root,
      'config/policies/own.yaml',
      'id: mask_pii\ndescription: x\naction: {allow: true}\n',
    );
    await expect(addPack({ root, reference: 'starter', cwd: '/', now })).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});
