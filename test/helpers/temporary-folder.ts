import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Takes what is to be done at the end: of the running test if nothing else is given, or of a file for `beforeAll`. */
export type AtTheEnd = (clean: () => Promise<void>) => void;

/** A new empty folder with its real path, removed when the running test ends. */
export async function temporaryFolder(atTheEnd: AtTheEnd = onTestFinished): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'vkit-test-')));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** As `temporaryFolder`, removed when `use` is done: for `beforeAll` and for helpers. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'vkit-test-')));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
