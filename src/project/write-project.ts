import { dirname, join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';
import { type Datasource, printDatasource } from './parse-datasource-file.js';
import { PROJECT_PATHS, REGISTRY_FILE, REGISTRY_LOCK_FILE } from './paths.js';

/**
 * Writes `config/datasources/<id>.yaml` and returns its path relative to the root. Throws `file_exists` where it is there,
 * unless `overwrite`.
 */
export async function writeDatasourceFile(
  root: string,
  datasource: Datasource,
  options: { overwrite?: boolean; datasourcesDir?: string } = {},
): Promise<string> {
  const path = `${options.datasourcesDir ?? PROJECT_PATHS.datasources}/${datasource.id}.yaml`;
  await writeProjectFile(root, path, printDatasource(datasource), options.overwrite !== true);
  return path;
}

/** Writes the baseline and its lock, each whole or not at all, and returns their paths. */
export async function writeRegistry(
  root: string,
  texts: { registry: string; lock: string },
  registryDir: string = PROJECT_PATHS.registryFolder,
): Promise<string[]> {
  const paths = [
    `${registryDir}/${REGISTRY_FILE}`,
    `${registryDir}/${REGISTRY_LOCK_FILE}`,
  ] as const;
  // The registry first: a lock without its registry opens nothing, and a next scan mends it.
  await writeProjectFile(root, paths[0], texts.registry);
  await writeProjectFile(root, paths[1], texts.lock);
  return [...paths];
}

/** Writes one file of a project atomically, with the folders it needs. */
export async function writeProjectFile(
  root: string,
  path: string,
  text: string,
  exclusive = false,
): Promise<void> {
  const absolute = join(root, path);
  await makeFolder(dirname(absolute));
  try {
    await atomicWrite(absolute, text, { exclusive });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new VkitError('file_exists', `The file ${path} is there already.`, {
      hint: 'Change it, or remove it first.',
      cause,
    });
  }
}
