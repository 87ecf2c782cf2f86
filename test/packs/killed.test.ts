import { cpSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPack } from '../../src/packs/install-pack.js';
import { listPacks } from '../../src/services/list-packs.js';
import { loadProject } from '../../src/services/load-project.js';
import { directoryWith } from '../project/files.js';
import type { Operation } from './killed-command.js';
import { meta, pack, packDirectory, policy, snapshot } from './packs.js';
import { buildKilledProgram, NOW, runKilled } from './run-killed.js';

/** More changes than any of the commands makes. */
const CHANGES_MAX = 100;
/** Each waits for its process most of the time. */
const AT_ONCE = 2;

let program = '';
beforeAll(async () => {
  program = await buildKilledProgram();
});
afterAll(() => rmSync(program, { force: true }));

type Outcome = 'before' | 'after';

/** A copy of a project on which the operation was killed in place of its n-th change; null where it came to its end. */
async function killed(
  operation: Operation,
  base: string,
  reference: string,
  killAt: number,
): Promise<{ root: string; ended: boolean }> {
  const root = directoryWith();
  cpSync(base, root, { recursive: true });
  return { root, ended: await runKilled(operation, root, reference, killAt) };
}

/** The next commands: one that lists packs, and one that reads the project, in turn. */
async function nextCommand(root: string, turn: number): Promise<void> {
  if (turn % 2 === 0) await listPacks({ root, now: NOW });
  else expect((await loadProject(root)).findings).toEqual([]);
}

/** Kills the operation at each of its changes, and says what the project is after the next command. */
async function outcomes(
  operation: Operation,
  base: string,
  reference: string,
): Promise<readonly Outcome[]> {
  const before = snapshot(base);
  const whole = await killed(operation, base, reference, CHANGES_MAX);
  expect(whole.ended).toBe(true);
  const after = snapshot(whole.root);
  expect(after).not.toEqual(before);
  const found: Outcome[] = [];
  for (let start = 1; start < CHANGES_MAX; start += AT_ONCE) {
    const turns = Array.from({ length: AT_ONCE }, (_, index) => start + index);
    const ends = await Promise.all(
      turns.map((killAt) => killed(operation, base, reference, killAt)),
    );
    for (const [index, { root, ended }] of ends.entries()) {
      if (ended) return found;
      await nextCommand(root, index);
      const now = snapshot(root);
      const isAfter = Object.keys(now).length > 0 && JSON.stringify(now) === JSON.stringify(after);
      expect(now, `killed at change ${turns[index]}`).toEqual(isAfter ? after : before);
      const packs = await listPacks({ root, now: NOW });
      for (const { modified, missing } of packs.packs) {
        expect([...modified, ...missing]).toEqual([]);
      }
      found.push(isAfter ? 'after' : 'before');
      rmSync(root, { recursive: true });
    }
  }
  throw new Error(`The command makes ${CHANGES_MAX} changes or more.`);
}

async function withMine(): Promise<string> {
  const root = directoryWith({
    'vkit.yaml': 'org: acme\n',
    'config/policies/own.yaml': 'id: own\ndescription: Mine\naction: {deny: true, reason: x}\n',
  });
  await installPack(root, await pack('mine'), { now: NOW, existingPolicies: [] });
  return root;
}

/** One file is replaced, one added, one deleted. */
function newMine(): string {
  return packDirectory('mine', {
    'metadata.yaml': meta('mine', '2.0.0'),
    'policies/01_mine_one.yaml': null,
    'policies/02_mine_two.yaml': policy('mine_two', 520),
    'policies/03_mine_three.yaml': policy('mine_three', 520),
  });
}

describe('a command that is killed at any of its changes', () => {
  const cases: Record<'add' | 'upgrade' | 'remove', () => Promise<[string, string]>> = {
    add: async () => [directoryWith({ 'vkit.yaml': 'org: acme\n' }), packDirectory('mine')],
    upgrade: async () => [await withMine(), newMine()],
    remove: async () => [await withMine(), 'mine'],
  };

  it.each(Object.entries(cases))(
    '%s: the project is as before or whole after the next command',
    { timeout: 180_000 },
    async (operation, prepare) => {
      const [base, reference] = await prepare();
      const found = await outcomes(operation as keyof typeof cases, base, reference);
      const undone = found.filter((outcome) => outcome === 'before').length;
      expect(undone).toBeGreaterThan(8);
      expect(found).toEqual(found.map((_, index) => (index < undone ? 'before' : 'after')));
      expect(found.length).toBeGreaterThan(undone);
    },
  );

  it('is undone too when its repair is killed at any of its changes', {
    timeout: 180_000,
  }, async () => {
    const base = await withMine();
    const before = snapshot(base);
    const reference = newMine();
    const broken = await lastBeforeState(base, reference);
    let kills = 0;
    for (let isOver = false; !isOver && kills < CHANGES_MAX; ) {
      const turns = Array.from({ length: AT_ONCE }, (_, index) => kills + 1 + index);
      const ends = await Promise.all(turns.map((killAt) => killed('list', broken, '', killAt)));
      for (const [index, { root, ended }] of ends.entries()) {
        await nextCommand(root, index);
        expect(snapshot(root), `killed at change ${turns[index]}`).toEqual(before);
        isOver ||= ended;
        if (!ended) kills += 1;
      }
    }
    expect(kills).toBeGreaterThan(5);
  });
});

/** A project in which every file of the upgrade is in place, and the state is about to be. */
async function lastBeforeState(base: string, reference: string): Promise<string> {
  // The journal and the first files take the first ten changes. Two of the three changes of the state's writing find it begun.
  for (let killAt = 10; killAt < CHANGES_MAX; killAt += 2) {
    const { root } = await killed('upgrade', base, reference, killAt);
    const begun = (await readdir(join(root, '.vkit'))).some((name) =>
      name.startsWith('.packs.yaml.'),
    );
    if (begun) return root;
  }
  throw new Error('The state was never written.');
}
