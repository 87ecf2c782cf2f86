import { type InstallResult, installPack } from '../packs/install-pack.js';
import { repairPacks } from '../packs/journal.js';
import { loadPackFiles } from '../packs/load-pack-files.js';
import type { Pack } from '../packs/model.js';
import { readPack } from '../packs/read-pack.js';
import { type UpgradeResult, upgradePack } from '../packs/upgrade-pack.js';
import { loadProject } from './load-project.js';

export interface AddPackInput {
  root: string;
  /** The name of a shipped pack, or the path of a directory or .tgz. */
  reference: string;
  /** What a relative path is relative to. */
  cwd: string;
  now: Date;
}

/** Installs one pack, and never another one beside it. See `installPack` for what it refuses. */
export async function addPack(input: AddPackInput): Promise<InstallResult> {
  const { pack, existingPolicies } = await prepare(input);
  return installPack(input.root, pack, { now: input.now, existingPolicies });
}

/** Upgrades one installed pack to the version the reference names. See `upgradePack`. */
export async function upgradeInstalledPack(
  input: AddPackInput & { force?: boolean; dryRun?: boolean },
): Promise<UpgradeResult> {
  const { pack, existingPolicies } = await prepare(input);
  const { force = false, dryRun = false } = input;
  return upgradePack(input.root, pack, { now: input.now, existingPolicies, force, dryRun });
}

/** What a killed command left is repaired first: its files must not count as the project's own. */
async function prepare({
  root,
  reference,
  cwd,
  now,
}: AddPackInput): Promise<{ pack: Pack; existingPolicies: { path: string; id: string }[] }> {
  await repairPacks(root, now);
  const { project, policies } = await loadProject(root);
  const { clearances } = project.settings;
  const pack = readPack(
    await loadPackFiles(reference, cwd),
    clearances === null ? {} : { clearances },
  );
  return {
    pack,
    existingPolicies: policies.map(({ file, policy }) => ({ path: file, id: policy.id })),
  };
}
