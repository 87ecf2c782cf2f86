import { chmod, copyFile, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { DATABASE_FILE, KEYS_FOLDER } from '../store/data-directory.js';
import type { Store } from '../store/model.js';
import { makeFolder } from '../util/make-folder.js';

export interface BackUpInput {
  store: Pick<Store, 'backUp' | 'audit'>;
  dataDir: string;
  /** Where backups lie, each in a folder of its own. */
  backupDir: string;
  now: () => number;
}

/**
 * Copies the state and the keys of a running server into a new folder, `vkit-<time>`, which is a data directory itself: a
 * server that is started on a copy of it goes on from there. The state is as it was at one moment; a folder with that name is
 * whole, since it gets the name last. That it was made is on record, in the copy too. Throws `unsupported` where the state is
 * in a database that has its own means.
 */
export async function backUpState(input: BackUpInput): Promise<string> {
  const { store, dataDir, backupDir, now } = input;
  if (!store.backUp) {
    throw new VkitError('unsupported', 'The state is in PostgreSQL, which has its own backups.', {
      hint: 'Copy it with pg_dump, and the folder keys of the data directory with it.',
    });
  }
  const timestamp = new Date(now()).toISOString();
  const folder = join(backupDir, `vkit-${timestamp.replaceAll(/[:.]/g, '-')}`);
  const partial = `${folder}.partial`;
  await store.audit.append({ event: 'server.backed_up', timestamp, metadata: { kind: 'sqlite' } });
  try {
    await makeFolder(partial, { mode: 0o700 });
    const database = join(partial, DATABASE_FILE);
    await store.backUp(database);
    await makePrivate(database);
    await copyKeys(join(dataDir, KEYS_FOLDER), join(partial, KEYS_FOLDER));
    await rename(partial, folder);
    return folder;
  } catch (cause) {
    // Half of a backup would be taken for one.
    await rm(partial, { recursive: true, force: true });
    throw new VkitError('unavailable', `The backup could not be written to ${backupDir}.`, {
      cause,
    });
  }
}

async function copyKeys(from: string, to: string): Promise<void> {
  await makeFolder(to, { mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(to, entry.name);
    await copyFile(join(from, entry.name), path);
    await makePrivate(path);
  }
}

async function makePrivate(path: string): Promise<void> {
  await chmod(path, 0o600);
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
