import { randomBytes } from 'node:crypto';
import { link, open, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export type AtomicWriteOptions = {
  /** Permission bits of the new file; 0o644 if absent. The umask does not widen or narrow them. */
  mode?: number;
  /** `true`: fail with `EEXIST` instead of replacing a file that is there. */
  exclusive?: boolean;
  /** Name of the temporary file, for whoever must know whose it is after a crash; a random one if absent. */
  temporaryName?: string;
};

/**
 * Writes a file so that a reader, or a crash at any moment, sees the old content or the whole new
 * one: a temporary file in the same folder, fsync, rename, fsync of the folder. With `exclusive` the
 * last step is a hard link, which fails if the name is taken, whoever took it. Content that comes in
 * pieces and fails on the way leaves no file; its error is thrown as it is.
 */
export async function atomicWrite(
  path: string,
  content: string | Uint8Array | AsyncIterable<string | Uint8Array>,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const staged = await stageFile(path, content, options);
  await staged.publish();
}

/** A file that is written and synced beside the one it is to replace. */
export interface StagedFile {
  /** Puts it in its place; what fails leaves no temporary file. */
  publish(): Promise<void>;
  /** Removes it instead. */
  discard(): Promise<void>;
}

/** The first part of `atomicWrite`, for several files that are to be there all at once or not at all. */
export async function stageFile(
  path: string,
  content: string | Uint8Array | AsyncIterable<string | Uint8Array>,
  options: AtomicWriteOptions = {},
): Promise<StagedFile> {
  const folder = dirname(path);
  const name = `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`;
  const temporary = join(folder, options.temporaryName ?? name);
  const mode = options.mode ?? 0o644;
  // Created private and widened afterwards: a secret is never readable by others, not even empty.
  const file = await open(temporary, 'wx', 0o600);
  try {
    try {
      await writeFile(file, content);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await removeQuietly(temporary);
    throw error;
  }
  return {
    async publish() {
      try {
        if (options.exclusive) await link(temporary, path);
        else await rename(temporary, path);
      } catch (error) {
        await removeQuietly(temporary);
        throw error;
      }
      if (options.exclusive) await removeQuietly(temporary);
      await syncFolder(folder);
    },
    discard: () => removeQuietly(temporary),
  };
}

/** The file may be gone or the disk broken; the error that matters is the one already under way. */
async function removeQuietly(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

/** Makes what was created, renamed or removed in a folder survive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; there the rename itself is what durability one gets.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
