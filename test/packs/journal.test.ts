import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installPack } from '../../src/packs/install-pack.js';
import { applyChanges, repairPacks } from '../../src/packs/journal.js';
import { JOURNAL_PATH } from '../../src/packs/journal-file.js';
import { directoryWith, writeInto } from '../project/files.js';
import { alone, now, projectWith, refused, shipped, snapshot } from './packs.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const ONE = 'config/policies/mine__01__one.yaml';
const TWO = 'config/policies/mine__02__two.yaml';

/** A process id that no process has: beyond what Linux gives out. */
const NOBODY = 2 ** 22 + 1;

function journal(changes: object[], other: object = {}): string {
  const plain = { format_version: 'v1', pid: NOBODY, stateBefore: null, stateAfter: 'after\n' };
  return JSON.stringify({ ...plain, changes, ...other });
}

describe('repairPacks', () => {
  it('finds nothing to do where nothing was interrupted', async () => {
    expect(await repairPacks(directoryWith(), now)).toBeNull();
  });

  it('undoes an install that stopped before its state was written', async () => {
    const root = directoryWith({ 'vkit.yaml': '' });
    const before = snapshot(root);
    writeInto(root, ONE, 'new\n');
    writeInto(root, 'config/policies/.mine__02__two.yaml.0123456789ab.tmp', 'half');
    writeInto(
      root,
      JOURNAL_PATH,
      journal([
        { path: ONE, before: null, after: base64('new\n') },
        { path: TWO, before: null, after: base64('x') },
      ]),
    );
    expect(await repairPacks(root, now)).toEqual({ outcome: 'undone', kept: [] });
    expect(snapshot(root)).toEqual(before);
  });

  it('brings back what a removal had deleted already', async () => {
    const root = directoryWith({ [TWO]: 'two\n' });
    writeInto(
      root,
      JOURNAL_PATH,
      journal([
        { path: ONE, before: base64('one\n'), after: null },
        { path: TWO, before: base64('two\n'), after: null },
      ]),
    );
    await repairPacks(root, now);
    expect(snapshot(root)).toEqual({ [ONE]: 'one\n', [TWO]: 'two\n' });
  });

  it('only clears up where the state was written', async () => {
    const root = directoryWith({ [ONE]: 'new\n', '.vkit/packs.yaml': 'after\n' });
    writeInto(root, JOURNAL_PATH, journal([{ path: ONE, before: null, after: base64('new\n') }]));
    expect(await repairPacks(root, now)).toEqual({ outcome: 'finished', kept: [] });
    expect(snapshot(root)).toEqual({ [ONE]: 'new\n', '.vkit/packs.yaml': 'after\n' });
  });

  it('keeps a file that somebody edited in between, and says so', async () => {
    const root = directoryWith({ [ONE]: 'edited\n' });
    writeInto(root, JOURNAL_PATH, journal([{ path: ONE, before: null, after: base64('new\n') }]));
    expect(await repairPacks(root, now)).toEqual({ outcome: 'undone', kept: [ONE] });
    expect(readFileSync(join(root, ONE), 'utf8')).toBe('edited\n');
  });

  it('refuses while the process of the journal is alive, but not for ever', async () => {
    const root = directoryWith();
    const sleeper = spawn('sleep', ['60']);
    try {
      writeInto(root, JOURNAL_PATH, journal([], { pid: sleeper.pid }));
      await expect(repairPacks(root, new Date())).rejects.toMatchObject({ code: 'lock_held' });
      await expect(
        installPack(root, await shipped('starter'), { now: new Date(), existingPolicies: [] }),
      ).rejects.toMatchObject({ code: 'lock_held' });
      const longAgo = new Date(Date.now() - 3_600_000);
      utimesSync(join(root, JOURNAL_PATH), longAgo, longAgo);
      expect(await repairPacks(root, new Date())).toMatchObject({ outcome: 'undone' });
    } finally {
      sleeper.kill();
    }
  });

  it.each([['../../evil.yaml'], ['config/policies/../../x__01__y.yaml'], ['vkit.yaml']])(
    'touches nothing for a journal that names %s',
    async (path) => {
      const root = directoryWith({ 'vkit.yaml': 'org: acme\n' });
      writeInto(
        root,
        JOURNAL_PATH,
        journal([{ path, before: null, after: base64('org: acme\n') }]),
      );
      await expect(repairPacks(root, now)).rejects.toMatchObject({ code: 'config_invalid' });
      expect(readFileSync(join(root, 'vkit.yaml'), 'utf8')).toBe('org: acme\n');
    },
  );

  it('puts files back whose state is the same before and after', async () => {
    const root = directoryWith({ [ONE]: 'new\n', '.vkit/packs.yaml': 'same\n' });
    const change = { path: ONE, before: base64('old\n'), after: base64('new\n') };
    const states = { stateBefore: 'same\n', stateAfter: 'same\n' };
    writeInto(root, JOURNAL_PATH, journal([change], states));
    expect(await repairPacks(root, now)).toEqual({ outcome: 'undone', kept: [] });
    expect(readFileSync(join(root, ONE), 'utf8')).toBe('old\n');
  });

  it('clears up the beginning of a journal, unless its process still runs', async () => {
    const root = directoryWith({ [`.vkit/.packs.journal.${NOBODY}.tmp`]: '{"format' });
    const running = `.vkit/.packs.journal.${process.ppid}.tmp`;
    writeInto(root, running, '{"format');
    expect(await repairPacks(root, new Date())).toBeNull();
    expect(Object.keys(snapshot(root))).toEqual([running]);
  });

  it.each([
    ['no JSON', '{'],
    ['another version', journal([], { format_version: 'v2' })],
    ['no process', journal([], { pid: 'x' })],
    ['bytes that are none', journal([{ path: ONE, before: 1, after: null }])],
    ['a change that is none', journal([null as unknown as object])],
    ['no state', journal([], { stateAfter: null })],
  ])('refuses a journal with %s', async (_name, text) => {
    const root = directoryWith({ [JOURNAL_PATH]: text });
    const error = await refused(root, () => repairPacks(root, now));
    expect(error).toMatchObject({
      code: 'config_invalid',
      hint: expect.stringContaining('from Git'),
    });
  });

  it('writes nothing through a folder that is a link', async () => {
    const outside = directoryWith();
    const root = directoryWith({ 'vkit.yaml': '' });
    mkdirSync(join(root, 'config'));
    symlinkSync(outside, join(root, 'config/policies'));
    await expect(installPack(root, await shipped('starter'), alone)).rejects.toMatchObject({
      code: 'config_invalid',
    });
    const change = { path: ONE, before: base64('x'), after: null };
    writeInto(root, JOURNAL_PATH, journal([change]));
    await expect(repairPacks(root, now)).rejects.toMatchObject({ code: 'config_invalid' });
    expect(readdirSync(outside)).toEqual([]);
  });

  it('is run by the next command', async () => {
    const root = await projectWith();
    const path = 'config/policies/starter__02__mask_pii.yaml';
    writeInto(root, path, 'half of an install\n');
    writeInto(
      root,
      JOURNAL_PATH,
      journal([{ path, before: null, after: base64('half of an install\n') }]),
    );
    expect((await installPack(root, await shipped('starter'), alone)).changed).toBe(true);
    expect(existsSync(join(root, JOURNAL_PATH))).toBe(false);
  });
});

describe('applyChanges', () => {
  const change = { path: ONE, before: Buffer.from('one\n'), after: Buffer.from('new\n') };

  it('is refused where another command changed the packs since the state was read', async () => {
    const root = directoryWith({ [ONE]: 'one\n', '.vkit/packs.yaml': 'theirs\n' });
    const error = await refused(root, () =>
      applyChanges(root, [change], { before: 'read before\n', after: 'mine\n' }),
    );
    expect(error.code).toBe('lock_held');
  });

  it('takes a file that another command put there for that command’s, not for one to remove', async () => {
    const mine = { path: ONE, before: null, after: Buffer.from('one\n') };
    const folders: Record<string, string>[] = [
      // It was done after the state was read.
      { [ONE]: 'one\n', '.vkit/packs.yaml': 'theirs\n' },
      // It still writes: its state is not there yet.
      { [ONE]: 'one\n', [JOURNAL_PATH]: journal([], { pid: process.pid }) },
    ];
    for (const files of folders) {
      const root = directoryWith(files);
      const attempt = () => applyChanges(root, [mine], { before: null, after: 'mine\n' });
      expect((await refused(root, attempt)).code).toBe('lock_held');
    }
    const root = directoryWith({ [ONE]: 'somebody’s own\n' });
    const attempt = () => applyChanges(root, [mine], { before: null, after: 'mine\n' });
    expect((await refused(root, attempt)).code).toBe('file_exists');
  });

  it('is refused, and undone, where somebody edited a file since it was read', async () => {
    const root = directoryWith({ [ONE]: 'one\n', [TWO]: 'edited\n' });
    const other = { path: TWO, before: Buffer.from('two\n'), after: null };
    const error = await refused(root, () =>
      applyChanges(root, [change, other], { before: null, after: 'mine\n' }),
    );
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining(TWO) });
  });

  it('touches no file that is not a pack’s', async () => {
    const root = directoryWith();
    const wrong = { path: 'config/policies/own.yaml', before: null, after: Buffer.from('x') };
    const error = await refused(root, () =>
      applyChanges(root, [wrong], { before: null, after: 'x' }),
    );
    expect(error.code).toBe('internal');
  });
});
