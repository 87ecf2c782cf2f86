import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { packageRoot } from '../../src/util/package-root.js';

type Schema = {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: unknown[];
  nullable?: boolean;
  required?: string[];
  properties?: Record<string, Schema>;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
};
type Content = { content?: { 'application/json': { schema: Schema } } };
type Parameter = { $ref?: string; name: string; in: string; required?: boolean; schema: Schema };
type Operation = {
  parameters: Parameter[];
  requestBody?: Content;
  responses: Record<string, Content & { $ref?: string }>;
};

const DOCUMENT = JSON.parse(
  readFileSync(join(packageRoot(), 'test/fixtures/github-openapi.json'), 'utf8'),
) as { paths: Record<string, Record<string, Operation>>; components: object };

const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'repo.nwo': true } });
addFormats.default(ajv);
ajv.addSchema({ $id: 'github', ...DOCUMENT });
const compiled = new Map<Schema, ValidateFunction>();

function problemsOf(schema: Schema, value: unknown): string[] {
  const rooted = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"github#/')) as Schema;
  const validate = compiled.get(schema) ?? ajv.compile(rooted);
  compiled.set(schema, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

function resolved<T extends { $ref?: string }>(value: T): T {
  if (value.$ref === undefined) return value;
  const steps = value.$ref.slice(2).split('/');
  return steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], DOCUMENT) as T;
}

/** One call as GitHub's description of its API names it. */
export interface Described {
  path: string;
  method: string;
}

/** What is wrong with a request, by GitHub's own description of its REST API; parameters and keys that it does not know too. */
export function requestProblems(
  { path, method }: Described,
  { query, body }: { query: URLSearchParams; body: unknown },
): string[] {
  const operation = DOCUMENT.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) return [`${method} ${path} is not described`];
  const known = operation.parameters.map(resolved).filter((one) => one.in === 'query');
  const problems = [...query.keys()]
    .filter((key) => !known.some(({ name }) => name === key))
    .map((key) => `no parameter ${key}`);
  for (const { name, schema } of known) {
    const text = query.get(name);
    if (text === null) continue;
    const value = schema.type === 'integer' ? Number(text) : text;
    problems.push(...problemsOf(schema, value).map((problem) => `${name}: ${problem}`));
  }
  const schema = operation.requestBody?.content?.['application/json'].schema;
  if (schema === undefined) return body === undefined ? problems : [...problems, 'a body'];
  const keys = Object.keys((body ?? {}) as object);
  const unknown = keys.filter((key) => !(key in (schema.properties ?? {})));
  return [...problems, ...unknown.map((key) => `no key ${key}`), ...problemsOf(schema, body)];
}

/** What is wrong with an answer; one of a status that is not described for the call is GitHub's basic error. */
export function answerProblems(
  { path, method }: Described,
  { status, body }: { status: number; body: unknown },
): string[] {
  const found = DOCUMENT.paths[path]?.[method.toLowerCase()]?.responses[status];
  const answer = found === undefined ? undefined : resolved(found);
  if (answer === undefined && status < 400) return [`${method} ${path} does not answer ${status}`];
  const schema = answer?.content?.['application/json'].schema ?? {
    $ref: '#/components/schemas/basic-error',
  };
  return problemsOf(schema, body);
}

/** A value that a schema of the description takes, with no more than it requires. */
export function sampleOf(name: string): unknown {
  return sample({ $ref: `#/components/schemas/${name}` });
}

function sample(given: Schema): unknown {
  const schema = resolved(given);
  if (schema.nullable) return null;
  if (schema.enum !== undefined) return schema.enum[0];
  const [one] = schema.anyOf ?? schema.oneOf ?? [];
  if (one !== undefined) return sample(one);
  const parts = schema.allOf?.map(sample) ?? [];
  if (parts.length > 0) return Object.assign({}, ...parts);
  switch (schema.type) {
    case 'string':
      return schema.format === 'date-time'
        ? '2026-01-02T03:04:05Z'
        : schema.format === 'uri'
          ? 'https://github.example/x'
          : 'x';
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return false;
    case 'array':
      return [];
    default:
      return Object.fromEntries(
        (schema.required ?? []).map((key) => [key, sample(schema.properties?.[key] ?? {})]),
      );
  }
}
