import { lstatSync, readFileSync } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../errors/index.js';
import type { ProjectClassifiers } from '../schema/classification/classification.js';
import { decodeUtf8 } from '../util/utf8.js';
import { NO_CLASSIFIERS, parseClassifiers } from './parse-classifiers.js';
import {
  type Datasource,
  type EngineSchemas,
  parseDatasourceFile,
} from './parse-datasource-file.js';
import { DEFAULT_SETTINGS, type ProjectSettings, parseSettings } from './parse-settings.js';
import { joinPath, PROJECT_PATHS, registryPaths } from './paths.js';

const FILES_MAX = 10_000;
const DEPTH_MAX = 8;
const BYTES_MAX = 1_048_576;
/** Registries are the one large file of a project: ten thousand tables take about 16 MB. */
const REGISTRY_BYTES_MAX = 64 * BYTES_MAX;

const LINK_MESSAGE =
  'This is reached by a symbolic link, which Git keeps without what it points to.';

/** A text file of a project; `path` is relative to the root, with `/`. */
export interface ProjectFile {
  path: string;
  text: string;
  /** Of large files: which file it was, and when that was last changed. The same state, the same text. */
  state?: string;
}

export interface ReadProjectOptions {
  engineSchemas: EngineSchemas;
  /** The project as it was read before: of its large files, those that were not touched since are not read again. */
  before?: Project;
  /** Relative to the root; the defaults are those of `PROJECT_PATHS`. */
  policiesDir?: string;
  datasourcesDir?: string;
  registryDir?: string;
}

export interface Project {
  root: string;
  settings: ProjectSettings;
  /** Sorted by path; not parsed. */
  policyFiles: readonly ProjectFile[];
  /** Sorted by id; those with problems are left out. */
  datasources: readonly Datasource[];
  /** The project's own rules of classification; none of them where its file has problems. */
  classifiers: ProjectClassifiers;
  registry: ProjectFile | null;
  /** Of datasources that are too large for that file, sorted by path. */
  registryParts: readonly ProjectFile[];
  lock: ProjectFile | null;
  /** Of `vkit.yaml`, `classifiers.yaml`, the datasource files, and files that could not be read. */
  problems: readonly Problem[];
}

/**
 * Reads a project's files. Nothing throws for what a file says: every problem is in the result. Symbolic links are not followed,
 * since Git keeps the link and not what it points to.
 */
export async function readProject(root: string, options: ReadProjectOptions): Promise<Project> {
  const problems: Problem[] = [];
  const registryDir = options.registryDir ?? PROJECT_PATHS.registryFolder;
  const settingsFile = await readOne(root, PROJECT_PATHS.settings, BYTES_MAX, problems);
  const parsed =
    settingsFile === null
      ? { settings: DEFAULT_SETTINGS, problems: [] }
      : parseSettings(settingsFile.text, settingsFile.path);
  problems.push(...parsed.problems);
  const policyFiles = await readFolder(
    root,
    options.policiesDir ?? PROJECT_PATHS.policies,
    problems,
  );
  const datasourceFiles = await readFolder(
    root,
    options.datasourcesDir ?? PROJECT_PATHS.datasources,
    problems,
  );
  const datasources: Datasource[] = [];
  for (const file of datasourceFiles) {
    const read = parseDatasourceFile(file.text, file.path, options.engineSchemas);
    problems.push(...read.problems);
    if (read.datasource !== null) datasources.push(read.datasource);
  }
  problems.push(...repeatedIds(datasources));
  const classifiersFile = await readOne(root, PROJECT_PATHS.classifiers, BYTES_MAX, problems);
  const { classifiers, ...wrong } =
    classifiersFile === null
      ? { classifiers: NO_CLASSIFIERS, problems: [] }
      : parseClassifiers(classifiersFile.text, classifiersFile.path);
  problems.push(...wrong.problems);
  const known = knownFiles(options.before);
  const [registryPath = '', partsPath = '', lockPath = ''] = registryPaths(registryDir);
  return {
    root,
    settings: parsed.settings,
    policyFiles,
    datasources: datasources.sort((a, b) => (a.id < b.id ? -1 : 1)),
    classifiers,
    registry: await readOne(root, registryPath, REGISTRY_BYTES_MAX, problems, known),
    registryParts: await readFolder(root, partsPath, problems, {
      bytesMax: REGISTRY_BYTES_MAX,
      known,
    }),
    lock: await readOne(root, lockPath, REGISTRY_BYTES_MAX, problems, known),
    problems,
  };
}

/** All `*.yaml` and `*.yml` below a folder, sorted by path; a folder that is not there is empty. */
export async function readFolder(
  root: string,
  folder: string,
  problems: Problem[],
  { bytesMax = BYTES_MAX, known }: { bytesMax?: number; known?: KnownFiles } = {},
): Promise<ProjectFile[]> {
  const paths: string[] = [];
  if (!(await isReal(root, folder))) {
    problems.push({ file: folder, code: 'not_a_file', message: LINK_MESSAGE });
    return [];
  }
  await collect(root, folder, 0, paths, problems);
  return paths.sort().flatMap((path) => {
    const file = readText(root, path, bytesMax, known);
    if ('text' in file) return [file];
    problems.push(file);
    return [];
  });
}

async function collect(
  root: string,
  folder: string,
  depth: number,
  paths: string[],
  problems: Problem[],
): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(ifMissing([]));
  for (const entry of entries) {
    const path = joinPath(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth === DEPTH_MAX)
        problems.push({
          file: path,
          code: 'limit_exceeded',
          message: `Folders are nested deeper than ${DEPTH_MAX} levels.`,
        });
      else await collect(root, path, depth + 1, paths, problems);
    } else if (/\.ya?ml$/i.test(entry.name) && !entry.name.startsWith('.')) {
      if (paths.length === FILES_MAX) {
        problems.push({
          file: folder,
          code: 'limit_exceeded',
          message: `The folder has more than ${FILES_MAX} files.`,
        });
        return;
      }
      paths.push(path);
    }
  }
}

async function readOne(
  root: string,
  path: string,
  bytesMax: number,
  problems: Problem[],
  known?: KnownFiles,
): Promise<ProjectFile | null> {
  if ((await lstat(join(root, path)).catch(ifMissing(null))) === null) return null;
  const file: ProjectFile | Problem = (await isReal(root, path))
    ? readText(root, path, bytesMax, known)
    : { file: path, code: 'not_a_file', message: LINK_MESSAGE };
  if ('text' in file) return file;
  problems.push(file);
  return null;
}

/**
 * Reads a file below folders that are no links; what is wrong with it where it cannot be used. Waits for each: of ten thousand
 * small files that takes a fifth of the time that handing them to other threads takes.
 */
function readText(
  root: string,
  path: string,
  bytesMax: number,
  known?: KnownFiles,
): ProjectFile | Problem {
  const absolute = join(root, path);
  const found = lstatSync(absolute);
  if (!found.isFile()) {
    const message = found.isSymbolicLink() ? LINK_MESSAGE : 'This is not a file.';
    return { file: path, code: 'not_a_file', message };
  }
  if (found.size > bytesMax) {
    const message = `The file is larger than ${bytesMax} bytes.`;
    return { file: path, code: 'limit_exceeded', message };
  }
  const { dev, ino, size, mtimeMs, ctimeMs } = found;
  const state = bytesMax > BYTES_MAX ? [dev, ino, size, mtimeMs, ctimeMs].join() : undefined;
  const before = known?.get(path);
  if (before !== undefined && before.state === state) return before;
  const text = decodeUtf8(readFileSync(absolute));
  if (text !== undefined) return { path, text, ...(state !== undefined && { state }) };
  return { file: path, code: 'not_utf8', message: 'The file is not UTF-8 text.' };
}

type KnownFiles = ReadonlyMap<string, ProjectFile>;

function knownFiles(before: Project | undefined): KnownFiles {
  const files = [before?.registry, before?.lock, ...(before?.registryParts ?? [])];
  return new Map(files.flatMap((file) => (file ? [[file.path, file] as const] : [])));
}

function repeatedIds(datasources: readonly Datasource[]): Problem[] {
  const seen = new Set<string>();
  const repeated = datasources.filter(({ id }) => seen.size === seen.add(id).size);
  return repeated.map(({ id }) => ({
    code: 'duplicate',
    message: `The datasource "${id}" is described twice (.yaml and .yml, or in two folders).`,
  }));
}

/** Tells whether no part of the path below the root is a symbolic link; one that is not there is none. */
async function isReal(root: string, path: string): Promise<boolean> {
  const absolute = join(root, path);
  const real = await realpath(absolute).catch(ifMissing(null));
  return real === null || real === join(await realpath(root), path);
}

/** A file or folder that is not there is absent; any other failure is an error. */
function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };
}
