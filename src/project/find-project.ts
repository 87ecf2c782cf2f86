import { realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { VkitError } from '../errors/index.js';
import { isFile } from '../util/is-file.js';
import { PROJECT_PATHS, REGISTRY_FILE } from './paths.js';

/** More folders than any path has. */
const PARENTS_MAX = 256;

export interface FoundProject {
  /** Absolute, with symbolic links resolved. */
  root: string;
  /** False where only a `config/` folder says that this is a project. */
  hasSettings: boolean;
}

/**
 * Finds the project a directory is in: the nearest folder upwards with a `vkit.yaml`; without one anywhere, the directory
 * itself if it has a `config/`, or the nearest above whose `config/` holds policies, datasources or a registry. Throws
 * `project_not_found`.
 */
export async function findProject(startDirectory: string): Promise<FoundProject> {
  const start = await realpath(resolve(startDirectory)).catch(() => resolve(startDirectory));
  const folders = foldersUpwards(start);
  for (const root of folders) {
    if (await isFile(join(root, PROJECT_PATHS.settings))) return { root, hasSettings: true };
  }
  if (await isFolder(join(start, 'config'))) return { root: start, hasSettings: false };
  for (const root of folders) {
    const config = join(root, PROJECT_PATHS.registryFolder);
    const signs = [
      isFolder(join(root, PROJECT_PATHS.policies)),
      isFolder(join(root, PROJECT_PATHS.datasources)),
      isFile(join(config, REGISTRY_FILE)),
    ];
    if ((await Promise.all(signs)).includes(true)) return { root, hasSettings: false };
  }
  throw new VkitError('project_not_found', `There is no vkit project in ${start} or above it.`, {
    hint: 'Make one with `vkit init --with starter`.',
  });
}

function foldersUpwards(start: string): string[] {
  const folders = [start];
  let folder = start;
  while (dirname(folder) !== folder && folders.length < PARENTS_MAX) {
    folder = dirname(folder);
    folders.push(folder);
  }
  return folders;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
