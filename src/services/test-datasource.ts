import { findProject } from '../project/find-project.js';
import { readProject } from '../project/read-project.js';
import {
  type DatasourceContext,
  engineSchemasOf,
  findDatasource,
  openDatasource,
} from './open-datasource.js';

export interface TestedDatasource {
  id: string;
  engine: string;
  /** Product and version: `postgres 15.4`. */
  server: string;
  /** The round trip of one statement. */
  latency_ms: number;
}

/**
 * Connects to a datasource of the project that `cwd` is in, and measures one round trip. Throws what is wrong with its
 * file or its login, `datasource_unreachable` where nobody answers.
 */
export async function testDatasource(
  input: { cwd: string; id: string; datasourcesDir?: string } & DatasourceContext,
): Promise<TestedDatasource> {
  const { root } = await findProject(input.cwd);
  const project = await readProject(root, {
    engineSchemas: engineSchemasOf(input.engines),
    ...(input.datasourcesDir === undefined ? {} : { datasourcesDir: input.datasourcesDir }),
  });
  const datasource = findDatasource(project, input.id);
  const connector = await openDatasource(root, datasource, input);
  try {
    const { server, latencyMs } = await connector.test();
    return {
      id: datasource.id,
      engine: datasource.engine,
      server,
      latency_ms: Math.round(latencyMs * 1_000) / 1_000,
    };
  } finally {
    await connector.close();
  }
}
