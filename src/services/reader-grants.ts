import type { ReaderLogin } from '../engines/reader-login.js';
import { VkitError } from '../errors/index.js';
import { findProject } from '../project/find-project.js';
import { type Project, readProject } from '../project/read-project.js';
import { parseRegistry } from '../schema/parse-registry.js';
import { parseRegistryLock } from '../schema/registry-lock.js';
import type { DatasourceFileInput } from './datasource-file.js';
import { engineSchemasOf, findDatasource } from './open-datasource.js';

export interface ReaderGrantsInput extends DatasourceFileInput {
  login?: string;
}

export interface ReaderGrants extends ReaderLogin {
  id: string;
  engine: string;
  /** Tables of the registry that are granted; null where nothing was scanned yet. */
  tables: number | null;
}

/**
 * The statements that create the read-only login of a datasource, for the tables the registry has of it; nothing is
 * connected to. Throws what is wrong with the datasource's file or the registry, and `invalid_input` for the login.
 */
export async function readerGrants(input: ReaderGrantsInput): Promise<ReaderGrants> {
  const { root } = await findProject(input.cwd);
  const project = await readProject(root, {
    engineSchemas: engineSchemasOf(input.engines),
    ...(input.datasourcesDir === undefined ? {} : { datasourcesDir: input.datasourcesDir }),
  });
  const datasource = findDatasource(project, input.id);
  const engine = input.engines[datasource.engine];
  if (engine === undefined) throw new VkitError('internal', 'An engine was lost.');
  const tables = tablesOf(project, datasource.id);
  const login = engine.readerLogin({
    ...(input.login === undefined ? {} : { login: input.login }),
    config: datasource.config,
    tables: tables.length === 0 ? 'default_schema' : tables,
  });
  return {
    id: datasource.id,
    engine: engine.name,
    tables: tables.length === 0 ? null : tables.length,
    ...login,
  };
}

/** What the registry has of a datasource and the last scan found, by its keys. */
function tablesOf({ registry: file, lock: lockFile }: Project, datasource: string) {
  if (file === null || lockFile === null) return [];
  const { registry, problems } = parseRegistry(file.text, file.path);
  const { lock, problems: lockProblems } = parseRegistryLock(lockFile.text, lockFile.path);
  const all = [...problems, ...lockProblems];
  if (all.length > 0) {
    throw new VkitError('invalid_registry', 'The registry has problems.', {
      hint: 'Correct what is listed, and run the command again.',
      details: { problems: all },
    });
  }
  return [...registry].flatMap(([key, dataset]) => {
    const locked = lock.datasets[key];
    if (dataset.datasource !== datasource || dataset.gone || locked === undefined) return [];
    return [{ table: locked.table, kind: locked.kind }];
  });
}
