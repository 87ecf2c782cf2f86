import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { VkitError } from '../errors/index.js';
import { nearest } from '../util/levenshtein.js';
import { packageRoot } from '../util/package-root.js';
import type { PackFiles } from './model.js';
import { invalidPack, PACK_DEPTH_MAX, packCounter } from './pack-limits.js';
import { readTgz } from './read-tgz.js';

/** The folder of the packs that ship with vkit. */
export function shippedPacksDirectory(): string {
  return join(packageRoot(), 'lib', 'packs');
}

/** The names of the packs in a folder, sorted. */
export async function packNamesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * Finds a pack by what a user typed: the name of a shipped one, or the path of a directory or `.tgz` (a path has a slash, a
 * leading dot, or ends in .tgz). Relative paths are of `cwd`. Throws `not_found`, or `invalid_pack` for what no pack may hold.
 */
export async function loadPackFiles(reference: string, cwd: string): Promise<PackFiles> {
  if (/^[a-z][a-z0-9_]*$/.test(reference)) {
    const names = await packNamesIn(shippedPacksDirectory());
    if (names.includes(reference))
      return readPackDirectory(join(shippedPacksDirectory(), reference));
    const near = nearest(reference, names);
    throw new VkitError('not_found', `No pack named "${reference}" ships with vkit.`, {
      hint: `${near === undefined ? '' : `Did you mean "${near}"? `}Shipped: ${names.join(', ')}. A path of your own starts with ./`,
    });
  }
  const path = resolve(cwd, reference);
  // A link that the user named is one the user meant; in a pack there are none.
  const found = await stat(path).catch(() => null);
  if (found === null) throw new VkitError('not_found', `There is no pack at ${path}.`);
  if (found.isDirectory()) return readPackDirectory(path);
  if (found.isFile() && /\.(tgz|tar\.gz)$/.test(path)) return readTgz(path);
  throw invalidPack(`${path} is neither a directory nor a .tgz file.`);
}

/** Reads a pack's directory; links are refused, files whose name begins with a dot are skipped. */
export async function readPackDirectory(path: string): Promise<PackFiles> {
  const root = await realpath(path);
  const files = new Map<string, Uint8Array>();
  const count = packCounter();
  const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
    if (depth > PACK_DEPTH_MAX)
      throw invalidPack(`Folders are nested deeper than ${PACK_DEPTH_MAX} levels.`);
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.filter(({ name }) => !name.startsWith('.'))) {
      const inside = `${prefix}${entry.name}`;
      if (entry.isDirectory()) await walk(join(folder, entry.name), `${inside}/`, depth + 1);
      else if (entry.isFile()) {
        const { size } = await lstat(join(folder, entry.name));
        count(size);
        files.set(inside, await readFile(join(folder, entry.name)));
      } else throw invalidPack(`${inside} is a link or a special file.`);
    }
  };
  await walk(root, '', 1);
  return { directory: basename(root), files };
}
