import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';

export interface OutputFile {
  path: string;
  /** The flag that named it, for the hint: `--out`. */
  flag: string;
  /** Permission bits; 0o644 if absent. */
  mode?: number;
  /** Make the folders that are missing. */
  makeFolders?: boolean;
}

/**
 * Refuses what no result is written over: a folder, and what is no regular file, such as a device, which would be replaced by a
 * file. Throws `invalid_input`, before anything is done.
 */
export async function refuseOutput({ path, flag }: OutputFile): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.isFile()) return;
  const what = found.isDirectory() ? 'a folder' : 'not a regular file';
  throw new VkitError('invalid_input', `${path} is ${what}, and cannot be written over.`, {
    hint: `Name a file: ${flag} FILE`,
  });
}

/** Writes a result whole or not at all. Throws `invalid_input` and `permission_denied`; an error of the content as it is. */
export async function writeOutputFile(
  file: OutputFile,
  content: Parameters<typeof atomicWrite>[1],
): Promise<void> {
  await refuseOutput(file);
  const { path, flag, mode, makeFolders = false } = file;
  try {
    if (makeFolders) await makeFolder(dirname(path));
    await atomicWrite(path, content, mode === undefined ? {} : { mode });
  } catch (error) {
    if (error instanceof VkitError) throw error;
    throw new VkitError('permission_denied', `The file ${path} cannot be written.`, {
      hint: `Name a file in a folder that exists and that you may write: ${flag} FILE`,
      cause: error,
    });
  }
}
