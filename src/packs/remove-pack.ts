import { VkitError } from '../errors/index.js';
import { dependentsOf } from './dependency.js';
import { installedBytes } from './file-at.js';
import { applyChanges, repairPacks } from './journal.js';
import type { InstalledPackState, PacksState } from './model.js';
import { changedFiles } from './pack-status.js';
import { parsePacksState, printPacksState, readStateText } from './packs-state.js';

/**
 * Deletes the files a pack installed, and its entry, all or nothing. Throws `not_found` where it is not installed, `conflict`
 * while another pack depends on it, or where a file was modified and `force` is not set.
 */
export async function removePack(
  root: string,
  name: string,
  options: { now: Date; force?: boolean },
): Promise<{ removed: InstalledPackState; files: readonly string[] }> {
  await repairPacks(root, options.now);
  const before = await readStateText(root);
  const state = parsePacksState(before);
  const removed = installedPack(name, state);
  const dependents = [...new Set(dependentsOf(name, state).map(({ pack }) => pack.name))];
  if (dependents.length > 0) {
    throw new VkitError('conflict', `The pack ${name} is needed by ${dependents.join(', ')}.`, {
      hint: `Remove ${dependents.length === 1 ? 'that' : 'those'} first: \`vkit policy pack remove ${dependents[0]}\``,
    });
  }
  const { modified } = await changedFiles(root, removed);
  if (modified.length > 0 && options.force !== true) throw modifiedFiles(modified);
  const changes = await Promise.all(
    removed.files.map(async ({ path }) => ({
      path,
      before: await installedBytes(root, path),
      after: null,
    })),
  );
  const present = changes.filter(({ before }) => before !== null);
  const rest = Object.fromEntries(Object.entries(state).filter(([key]) => key !== name));
  await applyChanges(root, present, { before, after: printPacksState(rest) });
  return { removed, files: present.map(({ path }) => path) };
}

export function installedPack(name: string, state: PacksState): InstalledPackState {
  const pack = Object.hasOwn(state, name) ? state[name] : undefined;
  if (pack !== undefined) return pack;
  throw new VkitError('not_found', `The pack "${name}" is not installed.`, {
    hint: 'See what is: `vkit policy pack list`',
  });
}

export function modifiedFiles(paths: readonly string[]): VkitError {
  return new VkitError('conflict', `Files of the pack were changed by hand: ${paths.join(', ')}.`, {
    hint: 'Move your changes to a policy of your own, or give --force to lose them.',
    details: {
      problems: paths.map((file) => ({
        file,
        code: 'pack_file_modified',
        message: 'The file no longer has its recorded checksum.',
      })),
    },
  });
}
