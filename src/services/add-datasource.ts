import { access, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Credentials, Engine } from '../engines/contract.js';
import { type Problem, VkitError } from '../errors/index.js';
import { findProject } from '../project/find-project.js';
import {
  type CredentialSource,
  type Datasource,
  parseDatasourceFile,
  printDatasource,
} from '../project/parse-datasource-file.js';
import { PROJECT_PATHS } from '../project/paths.js';
import { readProject } from '../project/read-project.js';
import { writeDatasourceFile } from '../project/write-project.js';
import { engineSchemasOf } from './open-datasource.js';

export interface AddDatasourceInput {
  cwd: string;
  id: string;
  /** May be left out where a URL says which engine it is of. */
  engine?: string;
  /** JSON text of the engine's settings; keys given here win over those of the URL. */
  config?: string;
  /** A connection URL. Its user and password are not stored. */
  url?: string;
  environment: string;
  region?: string;
  engines: Readonly<Record<string, Engine>>;
  datasourcesDir?: string;
  /**
   * Keeps it elsewhere too, with the login that the URL holds, and says where its credentials are from then on. Called when
   * nothing but the file is left to be written; nothing is, where it throws.
   */
  register?: (datasource: Datasource, login: Credentials) => Promise<CredentialSource>;
}

export interface AddedDatasource {
  datasource: Datasource;
  /** Of the file, relative to the root. */
  path: string;
  root: string;
  /** Whether `config/` was created here, since this is no project. */
  created: boolean;
  /** The variables that the credentials are read from; none where the engine needs none. */
  variables: readonly string[];
  /** Whether the URL held a password, which was not stored. */
  passwordLeftOut: boolean;
}

/**
 * Writes `config/datasources/<id>.yaml` with `credentials: env`, or what `register` says; never a secret. Outside a project the folder is made
 * where the caller stands. Throws `invalid_input` with every problem at once, `conflict` where the id is taken.
 */
export async function addDatasource(input: AddDatasourceInput): Promise<AddedDatasource> {
  const { id, engines } = input;
  const problems: Problem[] = [];
  const { root, created } = await findRoot(input.cwd);
  const found = (await isNoAddress(root, input, problems)) ? undefined : readUrl(input, problems);
  const config = { ...found?.config, ...readConfig(input.config, problems) };
  const described: Datasource = {
    id,
    engine: found?.engine ?? input.engine ?? '',
    environment: input.environment,
    region: input.region ?? null,
    credentials: 'env',
    config,
  };
  if (described.engine === '' && input.url === undefined) {
    const suggestion = `Give --engine, one of ${Object.keys(engines).join(', ')}.`;
    problems.push({
      pointer: '/engine',
      code: 'missing_key',
      message: 'The engine is missing.',
      suggestion,
    });
  } else if (described.engine !== '') {
    // The file that would be written is checked as every reader will check it.
    const text = printDatasource(described);
    const checked = parseDatasourceFile(text, `${id}.yaml`, engineSchemasOf(engines));
    problems.push(...checked.problems.map(({ file, line, column, ...problem }) => problem));
  }
  if (problems.length > 0) {
    throw new VkitError(
      'invalid_input',
      `The datasource "${id}" cannot be written as it was given.`,
      {
        hint: 'Correct what is listed, and run the command again.',
        details: { problems },
      },
    );
  }
  await refuseTaken(root, input);
  const credentials = (await input.register?.(described, found?.credentials ?? {})) ?? 'env';
  const datasource: Datasource = { ...described, credentials };
  const options =
    input.datasourcesDir === undefined ? {} : { datasourcesDir: input.datasourcesDir };
  const path = await writeDatasourceFile(root, datasource, options).catch((error: unknown) => {
    if (error instanceof VkitError && error.code === 'file_exists') throw taken(id, error);
    throw error;
  });
  const prefix = `VKIT_DS_${id.toUpperCase()}`;
  const needsLogin = credentials === 'env' && engines[datasource.engine]?.needsCredentials === true;
  return {
    datasource,
    path,
    root,
    created,
    variables: needsLogin ? [`${prefix}_USERNAME`, `${prefix}_PASSWORD`] : [],
    passwordLeftOut: credentials === 'env' && found?.credentials.password !== undefined,
  };
}

function readConfig(text: string | undefined, problems: Problem[]): Record<string, unknown> {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold a password.
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  const suggestion = 'Write for example --config \'{"path": "./data.db"}\'.';
  problems.push({
    pointer: '/config',
    code: 'wrong_type',
    message: 'The config is not a JSON object.',
    suggestion,
  });
  return {};
}

type ReadUrl = { engine: string; config: Record<string, unknown>; credentials: Credentials };

/** Whether a URL without a scheme is no file either: a word is not taken for the name of a database to come. */
async function isNoAddress(
  root: string,
  { url, engine }: AddDatasourceInput,
  problems: Problem[],
): Promise<boolean> {
  if (url === undefined || engine !== undefined || /^[a-z][a-z0-9+.-]*:/i.test(url)) return false;
  const there = await access(resolve(root, url.trim())).then(
    () => true,
    () => false,
  );
  if (there) return false;
  problems.push({
    pointer: '/url',
    code: 'wrong_value',
    message: 'The URL has no scheme, and there is no file of that name.',
    suggestion:
      'Write sqlite:./data.db, or a URL like postgres://HOST/DATABASE, mysql://HOST/DATABASE, snowflake://ACCOUNT/DATABASE.',
  });
  return true;
}

/** Reads the URL with the engine given, or with the first that takes it. */
function readUrl(input: AddDatasourceInput, problems: Problem[]): ReadUrl | undefined {
  const { url, engines } = input;
  if (url === undefined) return undefined;
  const named = input.engine === undefined ? Object.values(engines) : [engines[input.engine]];
  const reasons: Problem[] = [];
  // The engine that the scheme names says what is wrong; the others would only say that it is not theirs.
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase() ?? '';
  const meant = named.find((engine) => engine !== undefined && scheme.startsWith(engine.name));
  for (const engine of named) {
    if (engine === undefined) continue;
    try {
      const { config, credentials } = engine.parseUrl(url);
      return { engine: engine.name, config, credentials };
    } catch (error) {
      if (!(error instanceof VkitError)) throw error;
      if (meant !== undefined && engine !== meant) continue;
      const { message, hint } = error;
      reasons.push({
        pointer: '/url',
        code: 'wrong_value',
        message,
        ...(hint ? { suggestion: hint } : {}),
      });
    }
  }
  if (named.length === 1 || meant !== undefined) problems.push(...reasons);
  else
    problems.push({ pointer: '/url', code: 'wrong_value', message: 'No engine reads this URL.' });
  return undefined;
}

async function findRoot(cwd: string): Promise<{ root: string; created: boolean }> {
  try {
    return { root: (await findProject(cwd)).root, created: false };
  } catch (error) {
    if (!(error instanceof VkitError) || error.code !== 'project_not_found') throw error;
    return { root: await realpath(resolve(cwd)), created: true };
  }
}

/** The id may be in use in a file of another name or folder. */
async function refuseTaken(root: string, input: AddDatasourceInput): Promise<void> {
  const { datasources, problems } = await readProject(root, {
    engineSchemas: engineSchemasOf(input.engines),
    datasourcesDir: input.datasourcesDir ?? PROJECT_PATHS.datasources,
  });
  const files = problems.map(({ file = '' }) =>
    file
      .split('/')
      .at(-1)
      ?.replace(/\.ya?ml$/, ''),
  );
  if (datasources.some(({ id }) => id === input.id) || files.includes(input.id))
    throw taken(input.id);
}

function taken(id: string, cause?: unknown): VkitError {
  return new VkitError('conflict', `There is a datasource "${id}" already.`, {
    hint: `Choose another id, or change config/datasources/${id}.yaml. Its login: vkit datasource update ${id}`,
    ...(cause === undefined ? {} : { cause }),
  });
}
