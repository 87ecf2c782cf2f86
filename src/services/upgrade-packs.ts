import { VkitError } from '../errors/index.js';
import { loadPackFiles, packNamesIn, shippedPacksDirectory } from '../packs/load-pack-files.js';
import type { Pack, PacksState } from '../packs/model.js';
import { readPack } from '../packs/read-pack.js';
import { installedPack } from '../packs/remove-pack.js';
import { upgradable, upgradeGroups } from '../packs/upgrade-order.js';
import { type UpgradeResult, upgradeTogether } from '../packs/upgrade-together.js';
import { policiesOf } from './add-pack.js';
import { loadProject } from './load-project.js';
import { shippedPacks } from './validate-project.js';

export interface UpgradePacksInput {
  root: string;
  /** A name, or the path of another version; absent: every installed pack for which vkit ships a newer version. */
  reference?: string;
  cwd: string;
  now: Date;
  force?: boolean;
  dryRun?: boolean;
  /** The packs that ship; those of this vkit if absent. */
  shipped?: readonly Pack[];
}

/**
 * Upgrades installed packs, those that others depend on first, each whole or not at all. See `upgradeTogether` for what it
 * refuses; where that happens after others were upgraded, the error's details name them under `upgraded`.
 */
export async function upgradePacks(input: UpgradePacksInput): Promise<UpgradeResult[]> {
  const { root, reference, dryRun = false, force = false, now } = input;
  const { packs: state, project } = await loadProject(root);
  const { clearances } = project.settings;
  const packs =
    reference === undefined
      ? upgradable(input.shipped ?? (await shippedPacks(clearances)), state)
      : [await packOf(reference, state, clearances, input)];
  const groups = upgradeGroups(packs, state);
  // A dry run leaves nothing for a later group to build on, so it looks at all of them together.
  const steps = dryRun ? [groups.flat()] : groups;
  const done: UpgradeResult[] = [];
  for (const group of steps) {
    const existingPolicies = policiesOf(await loadProject(root));
    const results = await upgradeTogether(root, group, {
      now,
      existingPolicies,
      force,
      dryRun,
    }).catch((error: unknown) => {
      throw withUpgraded(error, done);
    });
    done.push(...results);
  }
  return done;
}

async function packOf(
  reference: string,
  state: PacksState,
  clearances: readonly string[] | null,
  { cwd }: UpgradePacksInput,
): Promise<Pack> {
  if (/^[a-z][a-z0-9_]*$/.test(reference)) {
    installedPack(reference, state);
    if (!(await packNamesIn(shippedPacksDirectory())).includes(reference)) {
      throw new VkitError('not_found', `The pack ${reference} does not ship with vkit.`, {
        hint: `Name the folder or .tgz of its new version: \`vkit policy pack upgrade ./${reference}\``,
      });
    }
  }
  const files = await loadPackFiles(reference, cwd);
  return readPack(files, clearances === null ? {} : { clearances });
}

function withUpgraded(error: unknown, done: readonly UpgradeResult[]): unknown {
  if (!(error instanceof VkitError) || done.length === 0) return error;
  const upgraded = done.map(({ name, from, to }) => ({ name, from, to }));
  return new VkitError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, upgraded },
    cause: error,
  });
}
