import { describe, expect, it } from 'vitest';
import { stateOf } from '../../src/packs/install-pack.js';
import type { Pack, PacksState } from '../../src/packs/model.js';
import { upgradable, upgradeGroups } from '../../src/packs/upgrade-order.js';
import { meta, now, pack } from './packs.js';

function packs(version: string, needs: Record<string, string[]>): Promise<Pack[]> {
  return Promise.all(
    Object.entries(needs).map(([name, dependencies]) =>
      pack(name, {
        'metadata.yaml': meta(name, version, `  dependencies: ${JSON.stringify(dependencies)}\n`),
      }),
    ),
  );
}

const stateWith = (installed: readonly Pack[]): PacksState =>
  Object.fromEntries(installed.map((one) => [one.metadata.name, stateOf(one, now)]));
const names = (groups: readonly (readonly Pack[])[]) =>
  groups.map((group) => group.map(({ metadata }) => metadata.name));

describe('upgradeGroups', () => {
  it('puts what others depend on first, each by itself', async () => {
    const needs = { c: ['b', 'a'], b: ['a@^1.0.0'], a: [] };
    const state = stateWith(await packs('1.0.0', needs));
    expect(names(upgradeGroups(await packs('1.1.0', needs), state))).toEqual([['a'], ['b'], ['c']]);
  });

  it('keeps together what does not accept each other one by one', async () => {
    const state = stateWith(await packs('1.0.0', { a: [], b: ['a'], c: ['a@^1.0.0'], d: ['b'] }));
    const next = await packs('2.0.0', { a: [], b: ['a'], c: ['a@^2.0.0', 'b'], d: ['b'] });
    expect(names(upgradeGroups(next, state))).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('takes those that are installed in an older version only', async () => {
    const state = stateWith(await packs('1.1.0-rc.1', { a: [], b: [] }));
    expect(upgradable(await packs('1.1.0-rc.1', { a: [] }), state)).toEqual([]);
    const next = await packs('1.1.0', { a: [], constructor: [] });
    expect(names([upgradable(next, state)])).toEqual([['a']]);
  });
});
