import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VkitError } from '../errors/index.js';

/** What stands at a path: nothing, something that is no file (a link, a folder), or a file with its bytes. */
export type FileAt = 'nothing' | 'no_file' | Uint8Array;

/** Reads what stands at a path of the project. Links are not followed: what they point to is not the project's. */
export async function fileAt(root: string, path: string): Promise<FileAt> {
  const absolute = join(root, path);
  try {
    if (!(await lstat(absolute)).isFile()) return 'no_file';
    return await readFile(absolute);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'nothing';
    throw error;
  }
}

/** The bytes of a file that a pack installed, `null` where it is gone. Throws `file_exists` for what is no file. */
export async function installedBytes(root: string, path: string): Promise<Uint8Array | null> {
  const found = await fileAt(root, path);
  if (found === 'nothing') return null;
  if (found !== 'no_file') return found;
  throw new VkitError('file_exists', `${path} is a link or a folder, and not the pack's file.`, {
    hint: 'Move it away, then try again.',
  });
}
