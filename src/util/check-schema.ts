import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { nearest } from './levenshtein.js';
import { shownKey } from './mask-secrets.js';

const FINDINGS_MAX = 50;

/** One way in which data does not have the form its JSON Schema asks for. */
export type SchemaFinding = {
  /** JSON Pointer (RFC 6901) of the value, or of the unknown key. */
  pointer: string;
  path: readonly (string | number)[];
  code: 'unknown_key' | 'missing_key' | 'wrong_type' | 'wrong_value';
  message: string;
  suggestion?: string;
};

const compiled = new WeakMap<object, ValidateFunction>();

/**
 * For every Ajv that compiles schemas of ours. Checking a schema against its own schema takes longer than all the rest of a
 * command that reads a few files; a test does it for each of them instead.
 */
export const OWN_SCHEMAS = { validateSchema: false, meta: false } as const;

/**
 * Compares data with a JSON Schema (draft 2020-12) and returns every difference, in the order of the
 * document. Messages name keys, never values, since a value may be a secret. `patternMessage` of a
 * schema (an annotation of ours) says in words what its pattern asks for.
 */
export function checkSchema(schema: object, value: unknown): SchemaFinding[] {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    const ajv = new Ajv2020({
      ...OWN_SCHEMAS,
      allErrors: true,
      verbose: true,
      strict: false,
      validateFormats: false,
      ownProperties: true,
    });
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  const errors = (validate.errors ?? []).filter((error) => !isNoise(error, validate.errors ?? []));
  const findings = errors.slice(0, FINDINGS_MAX).map(toFinding);
  return findings.filter(
    (finding, index) =>
      index ===
      findings.findIndex(
        (other) => other.pointer === finding.pointer && other.message === finding.message,
      ),
  );
}

/** Ajv reports a failed choice and each of its branches; people want the choice alone. */
function isNoise(error: ErrorObject, all: readonly ErrorObject[]): boolean {
  if (error.keyword === 'if') return true;
  return all.some(
    (other) =>
      other !== error &&
      (other.keyword === 'anyOf' || other.keyword === 'oneOf') &&
      error.schemaPath.startsWith(`${other.schemaPath}/`),
  );
}

function toFinding(error: ErrorObject): SchemaFinding {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  const subject =
    path.length === 0
      ? 'The document'
      : `"${path.map((step) => shownKey(String(step))).join('.')}"`;
  const at = (
    code: SchemaFinding['code'],
    message: string,
    extra: string[] = [],
    suggestion?: string,
  ): SchemaFinding => ({
    pointer: [error.instancePath, ...extra.map(escapePointer)].join('/'),
    path: [...path, ...extra],
    code,
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(error.params.additionalProperty ?? error.params.unevaluatedProperty);
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
      const near = nearest(key, known);
      const suggestion =
        near !== undefined ? `Did you mean "${near}"?` : `Known keys: ${known.join(', ')}.`;
      return at(
        'unknown_key',
        `The key "${shownKey(key)}" is not known here.`,
        [key],
        known.length === 0 ? undefined : suggestion,
      );
    }
    case 'required':
      return at(
        'missing_key',
        `The key "${error.params.missingProperty}" is missing${path.length === 0 ? '' : ` in ${subject}`}.`,
      );
    case 'type':
      return at(
        'wrong_type',
        `${subject} must be ${[error.params.type].flat().map(article).join(' or ')}.`,
      );
    case 'enum': {
      const allowed = (error.params.allowedValues as unknown[])
        .filter((one) => one !== null)
        .map(String);
      const near = typeof error.data === 'string' ? nearest(error.data, allowed) : undefined;
      return at(
        'wrong_value',
        `${subject} must be one of ${allowed.join(', ')}.`,
        [],
        near === undefined ? undefined : `Did you mean "${near}"?`,
      );
    }
    case 'pattern': {
      const words = error.parentSchema?.patternMessage;
      return at(
        'wrong_value',
        typeof words === 'string'
          ? `${subject} must be ${words}.`
          : `${subject} must match ${error.params.pattern}.`,
      );
    }
    case 'const':
      return at('wrong_value', `${subject} must be ${JSON.stringify(error.params.allowedValue)}.`);
    case 'propertyNames':
      return at(
        'wrong_value',
        `${subject} has a key "${shownKey(String(error.params.propertyName))}" that is not a valid name.`,
      );
    default: {
      const words = error.parentSchema?.choiceMessage;
      const sentence =
        typeof words === 'string' ? `must be ${words}` : (error.message ?? 'is not valid');
      return at('wrong_value', `${subject} ${sentence}.`);
    }
  }
}

/** A type of JSON Schema as people call it: "a mapping", "a whole number". */
export function article(type: string): string {
  const words: Record<string, string> = {
    object: 'a mapping',
    array: 'a list',
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    null: 'null',
  };
  return words[type] ?? type;
}

function unescapePointer(token: string): string | number {
  const text = token.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^\d+$/.test(text) ? Number(text) : text;
}

function escapePointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
