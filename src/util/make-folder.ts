import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** More folders than any path has. */
const PARENTS_MAX = 256;

/**
 * Makes a folder and those above it that are missing; one that is there is left as it is. Throws what the file system says:
 * Node's own `recursive` never comes back where nothing can be made, as below /proc.
 */
export async function makeFolder(path: string, options: { mode?: number } = {}): Promise<void> {
  const missing: string[] = [];
  let folder = resolve(path);
  while (!(await makeOne(folder, options, missing.length < PARENTS_MAX))) {
    missing.push(folder);
    folder = dirname(folder);
  }
  for (const one of missing.reverse()) await makeOne(one, options, false);
}

/** False where the folder above is missing, if that is `mayWait`; else an error. */
async function makeOne(
  folder: string,
  options: { mode?: number },
  mayWait: boolean,
): Promise<boolean> {
  try {
    await mkdir(folder, options);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && mayWait && dirname(folder) !== folder) return false;
    const found = await stat(folder).catch(() => null);
    if (found?.isDirectory()) return true;
    throw error;
  }
}
