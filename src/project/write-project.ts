import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite, stageFile } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';
import { type Datasource, printDatasource } from './parse-datasource-file.js';
import { PROJECT_PATHS } from './paths.js';
import type { ProjectFile } from './read-project.js';

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

/**
 * Writes files of a project in their order, all or none of them: each is whole on the disk before the first takes its place, and
 * where one cannot, those before it get their content of `before` back. A process that is killed in between leaves the first ones
 * new. Returns their paths.
 */
export async function writeTogether(
  root: string,
  files: readonly ProjectFile[],
  before: readonly ProjectFile[],
): Promise<string[]> {
  for (const { path } of files) await makeFolder(dirname(join(root, path)));
  const results = await Promise.allSettled(
    files.map(({ path, text }) => stageFile(join(root, path), text)),
  );
  const staged = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(staged.map((file) => file.discard()));
    throw failed.reason;
  }
  for (const [index, file] of staged.entries()) {
    try {
      await file.publish();
    } catch (error) {
      await Promise.all(staged.slice(index + 1).map((one) => one.discard()));
      await restore(root, files.slice(0, index), before);
      throw error;
    }
  }
  return files.map(({ path }) => path);
}

/** The error under way is the one that matters; what cannot be restored, the next scan mends. */
async function restore(
  root: string,
  changed: readonly ProjectFile[],
  before: readonly ProjectFile[],
): Promise<void> {
  for (const { path } of changed) {
    const former = before.find((file) => file.path === path);
    const restored =
      former === undefined
        ? rm(join(root, path), { force: true })
        : writeProjectFile(root, path, former.text);
    await restored.catch(() => undefined);
  }
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
