import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import { VkitError } from '../errors/index.js';
import { diffLines } from '../util/diff-lines.js';
import { checkDependencies, checkPolicyIds, dependentsOf } from './check-requirements.js';
import { type InstallOptions, stateOf } from './install-pack.js';
import { applyChanges, type FileChange, repairPacks } from './journal.js';
import type { Pack, PacksState } from './model.js';
import { changedFiles } from './pack-status.js';
import { printPacksState, readPacksState } from './packs-state.js';
import { installedPack, modifiedFiles } from './remove-pack.js';

export interface UpgradeOptions extends InstallOptions {
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
}

/**
 * Replaces exactly the files that a pack owns by those of another version, all or nothing, after everything an install checks
 * and that packs depending on it accept the new version. Throws `conflict`, `invalid_pack`, `not_found` or `file_exists`.
 */
export async function upgradePack(
  root: string,
  pack: Pack,
  options: UpgradeOptions,
): Promise<UpgradeResult> {
  await repairPacks(root, options.now);
  const state = await readPacksState(root);
  const { name, version } = pack.metadata;
  const present = installedPack(name, state);
  const result = { name, from: present.version, to: version };
  if (present.version === version) return { ...result, changed: false, diffs: [] };
  if (semver.lt(version, present.version) && options.force !== true) {
    throw new VkitError(
      'conflict',
      `v${version} of ${name} is older than the installed v${present.version}.`,
      { hint: 'Give --force to go back.' },
    );
  }
  checkDependencies(pack.metadata, state);
  checkDependents(name, version, state);
  const owned = new Set(present.files.map(({ path }) => path));
  checkPolicyIds(
    pack.policies.map(({ policy }) => policy.id),
    options.existingPolicies,
    owned,
  );
  const changes = await changesOf(root, owned, pack);
  const diffs = changes.map(({ path, before, after }) => ({
    path,
    diff: diffLines(textOf(before), textOf(after)),
  }));
  const { modified } = await changedFiles(root, present);
  if (options.dryRun === true) return { ...result, changed: false, diffs };
  if (modified.length > 0 && options.force !== true) {
    const error = modifiedFiles(modified);
    throw new VkitError(error.code, error.message, {
      ...error,
      details: { ...error.details, diffs: diffs.filter(({ path }) => modified.includes(path)) },
    });
  }
  await applyChanges(
    root,
    changes,
    printPacksState({ ...state, [name]: stateOf(pack, options.now) }),
  );
  return { ...result, changed: true, diffs };
}

function checkDependents(name: string, version: string, state: PacksState): void {
  const refusing = dependentsOf(name, state).filter(
    ({ range }) => !semver.satisfies(version, range),
  );
  const [first] = refusing;
  if (first === undefined) return;
  throw new VkitError(
    'conflict',
    `${first.pack.name} needs ${name}@${first.range} and does not accept v${version}.`,
    { hint: `Upgrade or remove ${first.pack.name} first.` },
  );
}

async function changesOf(
  root: string,
  owned: ReadonlySet<string>,
  pack: Pack,
): Promise<FileChange[]> {
  const targets = new Map(pack.policies.map(({ target, bytes }) => [target, bytes]));
  const changes: FileChange[] = [];
  for (const path of [...new Set([...owned, ...targets.keys()])].sort()) {
    const before = owned.has(path) ? await readFile(join(root, path)).catch(() => null) : null;
    const after = targets.get(path) ?? null;
    const isSame = before !== null && after !== null && Buffer.compare(before, after) === 0;
    if (!isSame && (before !== null || after !== null)) changes.push({ path, before, after });
  }
  return changes;
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('utf8');
}
