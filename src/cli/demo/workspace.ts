import { rmSync } from 'node:fs';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { VkitError } from '../../errors/index.js';
import { makeFolder } from '../../util/make-folder.js';

/** The folder in which the demo's project lives. */
export interface Workspace {
  /** Absolute, links followed. */
  root: string;
  /** Whether it stays when the demo is over. */
  kept: boolean;
  /** Removes the folder unless it is kept. */
  close(): Promise<void>;
}

/** Files that another process holds for a moment are tried again so often. */
const RETRIES_MAX = 5;

/** A new temporary folder, or `keep`, which is made where it is missing. Throws `file_exists` for one that holds anything. */
export async function openWorkspace(keep: string | undefined): Promise<Workspace> {
  if (keep !== undefined) return { root: await emptyFolder(resolve(keep)), kept: true, close };
  const root = await realpath(await mkdtemp(join(tmpdir(), 'vkit-demo-')));
  // Also when the process ends without getting to its end: at a second Ctrl-C, or after a bug.
  const atExit = () => rmSync(root, { recursive: true, force: true });
  process.once('exit', atExit);
  return {
    root,
    kept: false,
    async close() {
      await rm(root, { recursive: true, force: true, maxRetries: RETRIES_MAX });
      process.off('exit', atExit);
    },
  };
}

async function close(): Promise<void> {}

async function emptyFolder(path: string): Promise<string> {
  let names: string[];
  try {
    await makeFolder(path);
    names = await readdir(path);
  } catch (cause) {
    throw new VkitError('permission_denied', `The folder ${path} cannot be made or read.`, {
      hint: 'Name another one: --keep DIR',
      cause,
    });
  }
  if (names.length === 0) return realpath(path);
  throw new VkitError('file_exists', `The folder ${path} is not empty.`, {
    hint: 'Name a new or empty one: --keep DIR',
  });
}
