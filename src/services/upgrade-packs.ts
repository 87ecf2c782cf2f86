import { parseDependency } from '../packs/read-pack.js';
import type { UpgradeResult } from '../packs/upgrade-pack.js';
import { upgradeInstalledPack } from './add-pack.js';
import { listPacks } from './list-packs.js';
import { shippedPacks } from './validate-project.js';

export interface UpgradePacksInput {
  root: string;
  /** A name, or the path of another version; absent: every installed pack for which vkit ships a newer version. */
  reference?: string;
  cwd: string;
  now: Date;
  force?: boolean;
  dryRun?: boolean;
}

/** Upgrades installed packs, those that others depend on first. See `upgradePack` for what it refuses. */
export async function upgradePacks({
  reference,
  ...input
}: UpgradePacksInput): Promise<UpgradeResult[]> {
  const references = reference === undefined ? await upgradable(input) : [reference];
  const results: UpgradeResult[] = [];
  for (const one of references) {
    results.push(await upgradeInstalledPack({ ...input, reference: one }));
  }
  return results;
}

async function upgradable(input: { root: string; now: Date }): Promise<string[]> {
  const { packs } = await listPacks(input);
  const names = packs.filter(({ state }) => state === 'upgradable').map(({ id }) => id);
  const needs = new Map(
    (await shippedPacks()).map(({ metadata: { name, dependencies } }) => [
      name,
      dependencies.map((one) => parseDependency(one).name),
    ]),
  );
  const ordered: string[] = [];
  const visit = (name: string, depth: number): void => {
    // Packs do not depend on each other in a circle; the bound is for one that says it does.
    if (ordered.includes(name) || !names.includes(name) || depth > names.length) return;
    for (const one of needs.get(name) ?? []) visit(one, depth + 1);
    ordered.push(name);
  };
  for (const name of names) visit(name, 0);
  return ordered;
}
