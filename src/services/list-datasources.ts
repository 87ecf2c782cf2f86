import type { Engine } from '../engines/contract.js';
import type { Problem } from '../errors/index.js';
import { findProject } from '../project/find-project.js';
import { type Datasource, toBundleDatasource } from '../project/parse-datasource-file.js';
import { readProject } from '../project/read-project.js';
import { engineSchemasOf } from './open-datasource.js';

export interface ListedDatasource {
  id: string;
  engine: string;
  environment: string;
  region: string | null;
  /** Where its secret is kept: `env`, `vaultkit`, `file`, `vault`, `aws-secrets`. */
  credentials: string;
  config: Readonly<Record<string, unknown>>;
}

export interface ListDatasourcesInput {
  /** Anywhere in the project. */
  cwd: string;
  engines: Readonly<Record<string, Engine>>;
  datasourcesDir?: string;
}

/** The datasources of the project that `cwd` is in, sorted by id, and what is wrong with the files of others. */
export async function listDatasources(
  input: ListDatasourcesInput,
): Promise<{ datasources: ListedDatasource[]; problems: readonly Problem[] }> {
  const { root } = await findProject(input.cwd);
  const { datasources, problems } = await readProject(root, {
    engineSchemas: engineSchemasOf(input.engines),
    ...(input.datasourcesDir === undefined ? {} : { datasourcesDir: input.datasourcesDir }),
  });
  return { datasources: datasources.map(toListed), problems };
}

/** What may be shown of a datasource; its file holds no secret. */
export function toListed(datasource: Datasource): ListedDatasource {
  const { id, engine, environment, region, config } = datasource;
  const { credentials = 'env' } = toBundleDatasource(datasource);
  return { id, engine, environment, region, credentials, config };
}
