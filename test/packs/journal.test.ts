import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installPack } from '../../src/packs/install-pack.js';
import { JOURNAL_PATH, repairPacks } from '../../src/packs/journal.js';
import { packageRoot } from '../../src/util/package-root.js';
import { directoryWith, writeInto } from '../project/files.js';
import { alone, now, projectWith, shipped, snapshot } from './packs.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const ONE = 'config/policies/mine__01__one.yaml';
const TWO = 'config/policies/mine__02__two.yaml';

/** A process id that no process has: beyond what Linux gives out. */
const NOBODY = 2 ** 22 + 1;

function journal(changes: object[], stateAfter = 'after\n', pid = NOBODY): string {
  return JSON.stringify({ format_version: 'v1', pid, changes, state_after: stateAfter });
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
      writeInto(root, JOURNAL_PATH, journal([], 'after\n', sleeper.pid));
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

describe('a command that is killed', () => {
  it('leaves a project that repairs to all of a pack or nothing of it', async () => {
    const root = directoryWith({ 'vkit.yaml': 'org: acme\n' });
    const script = join(root, 'loop.mts');
    const source = (path: string) => JSON.stringify(join(packageRoot(), path));
    writeFileSync(
      script,
      `
      import { installPack } from ${source('src/packs/install-pack.ts')};
      import { removePack } from ${source('src/packs/remove-pack.ts')};
      import { loadPackFiles } from ${source('src/packs/load-pack-files.ts')};
      import { readPack } from ${source('src/packs/read-pack.ts')};
      const pack = readPack(await loadPackFiles('starter', '/'));
      for (;;) {
        await installPack(${JSON.stringify(root)}, pack, { now: new Date(), existingPolicies: [] });
        process.stdout.write('.');
        await removePack(${JSON.stringify(root)}, 'starter', { now: new Date() });
      }
    `,
    );
    let journals = 0;
    for (let round = 0; round < 5; round += 1) {
      await killInTheMiddle(script, join(root, JOURNAL_PATH), round * 2);
      if (existsSync(join(root, JOURNAL_PATH))) journals += 1;
      await repairPacks(root, new Date());
      const policies = existsSync(join(root, 'config/policies'))
        ? readdirSync(join(root, 'config/policies'))
        : [];
      const isInstalled =
        existsSync(join(root, '.vkit/packs.yaml')) &&
        readFileSync(join(root, '.vkit/packs.yaml'), 'utf8').includes('starter:');
      expect(policies.filter((name) => name.endsWith('.yaml'))).toHaveLength(isInstalled ? 6 : 0);
      expect(policies.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    }
    // Without a kill in the middle of a change, nothing above has been shown.
    expect(journals).toBeGreaterThan(0);
  });
});

/** Runs the script and kills it some milliseconds after it was seen changing files. */
async function killInTheMiddle(script: string, journal: string, delayMs: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    cwd: packageRoot(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const killWhenBusy = () => {
    if (existsSync(journal)) setTimeout(() => child.kill('SIGKILL'), delayMs);
    else if (child.exitCode === null) setImmediate(killWhenBusy);
  };
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', killWhenBusy);
    child.once('exit', (_code, signal) =>
      signal === 'SIGKILL' ? resolve() : reject(new Error(errors)),
    );
  });
}
