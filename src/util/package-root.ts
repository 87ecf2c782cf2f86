import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** More folders than any installation has between a module and its package.json. */
const PARENTS_MAX = 20;

let found: string | undefined;

/**
 * The absolute path of the vkit package: the nearest folder above this module whose package.json is
 * vkit's own. Source and bundle lie at different depths, so the path is searched, not computed.
 */
export function packageRoot(): string {
  found ??= findPackageRoot(dirname(fileURLToPath(import.meta.url)));
  return found;
}

function findPackageRoot(start: string): string {
  let folder = start;
  for (let step = 0; step < PARENTS_MAX; step += 1) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'vkit') return folder;
    folder = dirname(folder);
  }
  throw new Error(`No package.json of vkit above ${start}.`);
}
