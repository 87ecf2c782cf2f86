import { basename } from 'node:path';
import { stringify } from 'yaml';
import schema from '../../schemas/datasource.schema.json' with { type: 'json' };
import { findSecrets } from '../bundle/find-secrets.js';
import type { BundleDatasource } from '../bundle/model.js';
import type { Problem } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { nearest } from '../util/levenshtein.js';
import { checkYaml } from './yaml-problems.js';

export type CredentialSource =
  | 'env'
  | 'vaultkit'
  | 'file'
  | {
      backend: 'vault' | 'aws-secrets';
      path: string;
      username_key?: string;
      password_key?: string;
    };

/** One datasource as `config/datasources/<id>.yaml` describes it (scan.md). */
export interface Datasource {
  id: string;
  engine: string;
  environment: string;
  region: string | null;
  credentials: CredentialSource;
  config: Readonly<Record<string, unknown>>;
  include?: readonly string[];
  exclude?: readonly string[];
  schema_check?: 'identity';
}

/** Engine name to the JSON Schema of its `config`. */
export type EngineSchemas = Readonly<Record<string, object>>;

/**
 * Reads one datasource file. What looks like a secret anywhere in it is an error, and its value is in no message. With
 * problems there is no datasource.
 */
export function parseDatasourceFile(
  text: string,
  file: string,
  engineSchemas: EngineSchemas,
): { datasource: Datasource | null; problems: Problem[] } {
  const { value, problems, problemAt } = checkYaml(text, file, schema);
  const secrets = findSecrets(value);
  const secretPaths = new Set(secrets.map(({ path }) => path.join('\0')));
  // A secret under an unknown key is one problem to people, not two.
  const others = problems.filter(
    (problem) => !secrets.some(({ path }) => sameplace(problem, problemAt(path, '', ''))),
  );
  const found = secrets.map(({ path, message }) =>
    problemAt(
      path,
      'secret_inline',
      message,
      'Use `credentials: env` and set the variables of the datasource.',
    ),
  );
  if (typeof value === 'object' && value !== null) {
    // Each part is checked by itself, whatever is wrong with the others.
    const raw = readablePart(value);
    const stem = basename(file).replace(/\.ya?ml$/, '');
    if (raw.id !== undefined && raw.id !== stem) {
      others.push(
        problemAt(
          ['id'],
          'id_mismatch',
          `The id "${raw.id}" is not the file's name.`,
          `Rename the file to ${raw.id}.yaml.`,
        ),
      );
    }
    others.push(...engineProblems(raw, engineSchemas, secretPaths, problemAt));
  }
  const all = [...found, ...others].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  if (all.length > 0) return { datasource: null, problems: all };
  const raw = value as Datasource & { config?: Datasource['config'] | null };
  return {
    datasource: {
      ...raw,
      region: raw.region ?? null,
      credentials: raw.credentials ?? 'env',
      config: raw.config ?? {},
    },
    problems: [],
  };
}

/** Of a file that may have problems: the parts that further checks look at, where they are of their form. */
function readablePart({
  id,
  engine,
  config,
}: {
  id?: unknown;
  engine?: unknown;
  config?: unknown;
}) {
  const isMapping = typeof config === 'object' && !Array.isArray(config);
  return {
    ...(typeof id === 'string' && /^[a-z][a-z0-9_]*$/.test(id) && { id }),
    ...(typeof engine === 'string' && engine !== '' && { engine }),
    ...((config === undefined || isMapping) && { config: config ?? {} }),
  };
}

function engineProblems(
  { engine, config }: ReturnType<typeof readablePart>,
  engineSchemas: EngineSchemas,
  secretPaths: ReadonlySet<string>,
  problemAt: ReturnType<typeof checkYaml>['problemAt'],
): Problem[] {
  // Without an engine nobody can tell what its config should be.
  if (engine === undefined) return [];
  const names = Object.keys(engineSchemas);
  if (!Object.hasOwn(engineSchemas, engine)) {
    const near = nearest(engine, names);
    const suggestion =
      near === undefined ? `Known engines: ${names.join(', ')}.` : `Did you mean "${near}"?`;
    return [
      problemAt(
        ['engine'],
        'unknown_engine',
        `${/^[a-z0-9_-]{1,32}$/i.test(engine) ? `The engine "${engine}"` : 'This engine'} is not known.`,
        suggestion,
      ),
    ];
  }
  if (config === undefined) return [];
  return checkSchema(engineSchemas[engine] ?? {}, config)
    .map((finding) => ({ ...finding, path: ['config', ...finding.path] }))
    .filter((finding) => !secretPaths.has(finding.path.join('\0')))
    .map((finding) =>
      problemAt(finding.path, finding.code, inConfig(finding.message), finding.suggestion),
    );
}

function inConfig(message: string): string {
  return message
    .replace(/^The document /, '"config" ')
    .replace(/^(The key .* is missing)\.$/, '$1 in "config".');
}

function sameplace(a: Problem, b: Problem): boolean {
  return a.line === b.line && a.column === b.column;
}

/** The text of a datasource file, as `vkit datasource add` writes it. */
export function printDatasource(datasource: Datasource): string {
  const { id, engine, environment, region, credentials, config, include, exclude, schema_check } =
    datasource;
  const body = stringify(
    {
      id,
      engine,
      environment,
      ...(region === null ? {} : { region }),
      credentials,
      config,
      ...(include === undefined ? {} : { include }),
      ...(exclude === undefined ? {} : { exclude }),
      ...(schema_check === undefined ? {} : { schema_check }),
    },
    { version: '1.2', lineWidth: 0 },
  );
  return `# yaml-language-server: $schema=../../node_modules/vkit/schemas/datasource.schema.json\n${body}`;
}

function placeOf(
  credentials: CredentialSource,
): Pick<BundleDatasource, 'credentials' | 'credentials_at'> {
  if (typeof credentials === 'string') return { credentials };
  const { backend, ...at } = credentials;
  return { credentials: backend, credentials_at: at };
}

/** What a bundle says of a datasource. */
export function toBundleDatasource(datasource: Datasource): BundleDatasource {
  const { id, engine, environment, region, credentials, config, schema_check } = datasource;
  return {
    name: id,
    type: engine,
    environment,
    region,
    config,
    ...placeOf(credentials),
    ...(schema_check === undefined ? {} : { schema_check }),
  };
}
