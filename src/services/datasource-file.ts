import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Engine } from '../engines/contract.js';
import { type Problem, VkitError } from '../errors/index.js';
import { findProject } from '../project/find-project.js';
import { PROJECT_PATHS } from '../project/paths.js';
import { type Project, readFolder, readProject } from '../project/read-project.js';
import { parseRegistry } from '../schema/parse-registry.js';
import { type ListedDatasource, toListed } from './list-datasources.js';
import { engineSchemasOf, findDatasource } from './open-datasource.js';

export interface DatasourceFileInput {
  /** Anywhere in the project. */
  cwd: string;
  id: string;
  engines: Readonly<Record<string, Engine>>;
  datasourcesDir?: string;
}

export interface DatasourceFile extends ListedDatasource {
  /** Relative to the root. */
  path: string;
  /** Datasets of the registry that are in it. */
  datasets: number;
}

/** One datasource with its file. Throws what is wrong with the file, or `not_found` with the nearest id. */
export async function getDatasource(input: DatasourceFileInput): Promise<DatasourceFile> {
  const project = await projectOf(input);
  const found = toListed(findDatasource(project, input.id));
  return {
    ...found,
    path: await pathOf(project.root, input),
    datasets: datasetsOf(project, input.id),
  };
}

/**
 * Removes a datasource's file, also one with problems. The registry keeps its datasets, whose tags people wrote.
 * Throws `not_found`.
 */
export async function removeDatasource(
  input: DatasourceFileInput,
): Promise<Pick<DatasourceFile, 'path' | 'datasets'>> {
  const project = await projectOf(input);
  const path = await pathOf(project.root, input);
  await rm(join(project.root, path));
  return { path, datasets: datasetsOf(project, input.id) };
}

async function projectOf({ cwd, engines, datasourcesDir }: DatasourceFileInput): Promise<Project> {
  const { root } = await findProject(cwd);
  return readProject(root, {
    engineSchemas: engineSchemasOf(engines),
    ...(datasourcesDir === undefined ? {} : { datasourcesDir }),
  });
}

function datasetsOf({ registry: file }: Project, id: string): number {
  const { registry } = parseRegistry(file?.text ?? '', file?.path ?? '');
  return [...registry.values()].filter(({ datasource }) => datasource === id).length;
}

async function pathOf(root: string, { id, datasourcesDir }: DatasourceFileInput): Promise<string> {
  const problems: Problem[] = [];
  const files = await readFolder(root, datasourcesDir ?? PROJECT_PATHS.datasources, problems);
  const file = files.find(({ path }) => basename(path).replace(/\.ya?ml$/, '') === id);
  if (file !== undefined) return file.path;
  throw new VkitError('not_found', `There is no datasource "${id}" in this project.`, {
    hint: 'See them all: vkit datasource list',
  });
}
