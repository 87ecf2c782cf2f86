import { resolve } from 'node:path';
import type { Connector, Engine } from '../engines/contract.js';
import { VkitError } from '../errors/index.js';
import type { Datasource, EngineSchemas } from '../project/parse-datasource-file.js';
import type { Project } from '../project/read-project.js';
import { nearest } from '../util/levenshtein.js';
import { type DatasourceVariables, datasourceSecret } from './datasource-secret.js';
import { localError } from './local-error.js';

/** What the services of datasources take from the composition root. */
export interface DatasourceContext {
  /** Every engine by its name. */
  engines: Readonly<Record<string, Engine>>;
  variables: (id: string) => DatasourceVariables;
  /** Where relative paths of datasource files start, where that is not the project's root: its files may lie without the databases. */
  filesRoot?: string;
}

/** The schema of each engine's `config`, as the project's files are checked with. */
export function engineSchemasOf(engines: DatasourceContext['engines']): EngineSchemas {
  return Object.fromEntries(
    Object.entries(engines).map(([name, { configSchema }]) => [name, configSchema]),
  );
}

/**
 * A datasource of a project by its id. Throws `config_invalid` with every problem of its file, or `not_found` with the
 * nearest id.
 */
export function findDatasource(
  { datasources, problems }: Pick<Project, 'datasources' | 'problems'>,
  id: string,
): Datasource {
  const found = datasources.filter((datasource) => datasource.id === id);
  const wrong = problems.filter(({ file = '', code, message }) => {
    const stem = file
      .split('/')
      .at(-1)
      ?.replace(/\.ya?ml$/, '');
    return stem === id || (code === 'duplicate' && message.includes(`"${id}"`));
  });
  if (wrong.length > 0) {
    throw new VkitError('config_invalid', `The file of datasource "${id}" has problems.`, {
      hint: 'Correct what is listed, and run the command again.',
      details: { problems: wrong },
    });
  }
  if (found[0] !== undefined) return found[0];
  const ids = datasources.map((datasource) => datasource.id);
  const near = nearest(id, ids);
  throw new VkitError('not_found', `There is no datasource "${id}" in this project.`, {
    hint:
      near !== undefined
        ? `Did you mean "${near}"?`
        : ids.length > 0
          ? `Known datasources: ${ids.join(', ')}.`
          : `Add it: vkit datasource add ${id} --engine sqlite --config '{"path": "./data.db"}'`,
  });
}

/**
 * Opens a datasource of a project; relative paths of its files start at the project's root, or
 * at `filesRoot`. The caller closes it. Its
 * errors say why, as the owner of the project may know: nothing of this is for the requesters of a server.
 */
export async function openDatasource(
  root: string,
  datasource: Datasource,
  context: DatasourceContext,
): Promise<Pick<Connector, 'test' | 'introspect' | 'run' | 'close'>> {
  const { id, credentials } = datasource;
  const engine = context.engines[datasource.engine];
  if (engine === undefined) {
    throw new VkitError('config_invalid', `The engine of datasource "${id}" is not known.`, {
      hint: `Known engines: ${Object.keys(context.engines).join(', ')}.`,
    });
  }
  const config: Record<string, unknown> = { ...datasource.config };
  for (const key of engine.localFileKeys ?? []) {
    if (typeof config[key] === 'string')
      config[key] = resolve(context.filesRoot ?? root, config[key]);
  }
  const secret = datasourceSecret({
    id,
    engine,
    config,
    credentials,
    variables: context.variables,
  });
  const explain = (error: unknown): never => {
    throw localError(error, datasource, engine);
  };
  const target = { id, config, credentials: secret };
  const connector = await engine.connect(target, { poolMax: 1 }).catch(explain);
  return {
    test: () => connector.test().catch(explain),
    introspect: (options) => connector.introspect(options).catch(explain),
    run: (query, options) => connector.run(query, options),
    close: () => connector.close(),
  };
}
