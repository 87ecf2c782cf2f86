import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { makeFolder } from '../util/make-folder.js';

/** The names under a data directory that are vkit's. */
export const DATABASE_FILE = 'vkit.db';
export const KEYS_FOLDER = 'keys';

const OTHERS = 0o077;

/**
 * Makes the data directory, or finds it, with mode 0700. An existing one that other accounts can enter is closed to them
 * when it is empty or vkit's own; any other is left as it is and refused with `config_invalid`, since it may be shared
 * for a reason.
 */
export async function prepareDataDirectory(path: string): Promise<void> {
  try {
    await makeFolder(path, { mode: 0o700 });
    // Windows has no such modes; there the folder has the rights of the one above.
    if (process.platform === 'win32') return;
    const { mode } = await stat(path);
    if ((mode & OTHERS) === 0) return;
    const names = await readdir(path);
    const own = names.length === 0 || names.includes(DATABASE_FILE) || names.includes(KEYS_FOLDER);
    if (own) return await chmod(path, 0o700);
  } catch (cause) {
    throw new VkitError('permission_denied', `The data directory ${path} cannot be used.`, {
      hint: 'Name a directory that this account may write: --data-dir DIR',
      cause,
    });
  }
  throw new VkitError(
    'config_invalid',
    `The data directory ${path} holds other files and is open to other accounts.`,
    { hint: `Name an empty directory, or close this one: chmod 700 ${JSON.stringify(path)}` },
  );
}

/** The path of the database in a data directory. */
export function databasePath(dataDir: string): string {
  return join(dataDir, DATABASE_FILE);
}
