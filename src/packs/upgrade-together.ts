import semver from 'semver';
import { VkitError } from '../errors/index.js';
import { diffLines } from '../util/diff-lines.js';
import { checkPolicyIds } from './check-policy-ids.js';
import { checkRequirements } from './check-requirements.js';
import { fileAt, installedBytes } from './file-at.js';
import { type InstallOptions, stateOf } from './install-pack.js';
import { applyChanges, type FileChange, repairPacks, takenPlace } from './journal.js';
import type { InstalledPackState, Pack, PacksState } from './model.js';
import { changedFiles } from './pack-status.js';
import { parsePacksState, printPacksState, readStateText } from './packs-state.js';
import { installedPack, modifiedFiles } from './remove-pack.js';

export interface UpgradeOptions extends Omit<InstallOptions, 'reference'> {
  /** Overwrite files of the pack that were modified, and allow an older version. Never other files. */
  force?: boolean;
  /** Say what would change and write nothing. */
  dryRun?: boolean;
}

export interface UpgradeResult {
  name: string;
  from: string;
  to: string;
  changed: boolean;
  /** What changes in each file, as lines with `+`, `-` and a space in front. */
  diffs: readonly { path: string; diff: string }[];
  /** Files that were changed by hand before, and files that were gone. */
  modified: readonly string[];
  missing: readonly string[];
  /** The version is the installed one, and the files are others: an author forgot to raise it. */
  differs: boolean;
}

interface Plan {
  pack: Pack;
  changes: readonly FileChange[];
  result: UpgradeResult;
}

/**
 * Replaces exactly the files that installed packs own by those of other versions, all of these packs or none, after
 * everything an install checks and that packs depending on them accept the new versions. The installed version is left as it
 * is, unless `force` is to restore files that were changed. Throws `conflict`, `invalid_pack`, `not_found` or `file_exists`.
 */
export async function upgradeTogether(
  root: string,
  packs: readonly Pack[],
  options: UpgradeOptions,
): Promise<UpgradeResult[]> {
  await repairPacks(root, options.now);
  const before = await readStateText(root);
  const state = parsePacksState(before);
  const plans: Plan[] = [];
  for (const pack of packs) plans.push(await planOf(root, pack, state, options));
  const changing = plans.filter(({ result }) => result.changed);
  const after: PacksState = {
    ...state,
    ...Object.fromEntries(
      changing.map(({ pack }) => [pack.metadata.name, stateOf(pack, options.now)]),
    ),
  };
  checkTogether(changing, state, after, options);
  const changes = changing.flatMap((plan) => plan.changes);
  for (const { path, before: present } of changes) {
    if (present === null && (await fileAt(root, path)) !== 'nothing') throw takenPlace(path);
  }
  if (options.dryRun === true) {
    return plans.map(({ result }) => ({ ...result, changed: false }));
  }
  if (options.force !== true) refuseModified(changing);
  if (changing.length > 0) {
    await applyChanges(root, changes, { before, after: printPacksState(after) });
  }
  return plans.map(({ result }) => result);
}

/** What becomes of one pack; `changed` in its result is what is meant to be done. */
async function planOf(
  root: string,
  pack: Pack,
  state: PacksState,
  { force = false }: UpgradeOptions,
): Promise<Plan> {
  const { name, version } = pack.metadata;
  const present = installedPack(name, state);
  const isSame = present.version === version;
  if (semver.lt(version, present.version) && !force) {
    throw new VkitError(
      'conflict',
      `v${version} of ${name} is older than the installed v${present.version}.`,
      { hint: 'Give --force to go back.' },
    );
  }
  const { modified, missing } = await changedFiles(root, present);
  const differs = isSame && present.pack_checksum !== pack.checksum;
  const isToRestore = force && (modified.length > 0 || missing.length > 0 || differs);
  const changed = !isSame || isToRestore;
  const changes = changed ? await changesOf(root, present, pack) : [];
  const diffs = changes.map(({ path, before, after }) => ({
    path,
    diff: diffLines(textOf(before), textOf(after)),
  }));
  const result = { name, from: present.version, to: version, changed, diffs };
  return { pack, changes, result: { ...result, modified, missing, differs } };
}

function checkTogether(
  changing: readonly Plan[],
  state: PacksState,
  after: PacksState,
  { existingPolicies }: UpgradeOptions,
): void {
  const owned = new Set(
    changing.flatMap(({ pack }) =>
      (state[pack.metadata.name]?.files ?? []).map(({ path }) => path),
    ),
  );
  const taken = existingPolicies.filter(({ path }) => !owned.has(path));
  for (const { pack } of changing) {
    const { name } = pack.metadata;
    checkRequirements(
      pack.metadata,
      Object.fromEntries(Object.entries(after).filter(([other]) => other !== name)),
    );
    checkPolicyIds(
      pack.policies.map(({ policy }) => policy.id),
      taken,
      new Set(),
    );
    taken.push(...pack.policies.map(({ target, policy }) => ({ path: target, id: policy.id })));
  }
}

function refuseModified(changing: readonly Plan[]): void {
  const modified = changing.flatMap(({ result }) => result.modified);
  if (modified.length === 0) return;
  const { code, message, hint, details } = modifiedFiles(modified);
  const diffs = changing.flatMap(({ result }) => result.diffs);
  throw new VkitError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    details: { ...details, diffs: diffs.filter(({ path }) => modified.includes(path)) },
  });
}

async function changesOf(
  root: string,
  { files }: InstalledPackState,
  { policies }: Pack,
): Promise<FileChange[]> {
  const owned = new Set(files.map(({ path }) => path));
  const targets = new Map(policies.map(({ target, bytes }) => [target, bytes]));
  const changes: FileChange[] = [];
  for (const path of [...new Set([...owned, ...targets.keys()])].sort()) {
    const before = owned.has(path) ? await installedBytes(root, path) : null;
    const after = targets.get(path) ?? null;
    const isSame = before !== null && after !== null && Buffer.compare(before, after) === 0;
    if (!isSame && (before !== null || after !== null)) changes.push({ path, before, after });
  }
  return changes;
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('utf8');
}
