import { resolve } from 'node:path';
import { readDatasourceVariables } from '../config/datasource-credentials.js';
import { readEnvironment } from '../config/env.js';
import { ENGINES } from '../engines/index.js';
import type { DatasourceContext } from '../services/open-datasource.js';

/** What every command on a project's files hands to its service: where it is, and what reaches its databases. */
export function projectContext(flags: {
  dir?: string | undefined;
}): DatasourceContext & { cwd: string } {
  return {
    cwd: resolve(flags.dir ?? '.'),
    engines: ENGINES,
    variables: (id) => readDatasourceVariables(id),
  };
}

/** Where a project's policies may be kept parsed from one run to the next. */
export function cacheOptions(): { cacheDirectory?: string } {
  const { cacheDirectory } = readEnvironment();
  return cacheDirectory === undefined ? {} : { cacheDirectory };
}
