import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import schema from '../../schemas/policy.schema.json' with { type: 'json' };
import { article, OWN_SCHEMAS } from '../util/check-schema.js';
import { nearest } from '../util/levenshtein.js';
import type { FormProblem } from './policy-form.js';
import { readableForm } from './readable-form.js';

let compiled: ValidateFunction | undefined;

export interface CheckedForm {
  /** What the JSON Schema has against the value: all of it, each thing once. */
  problems: FormProblem[];
  /** The value without what the problems are about, so that the rest can be checked further. */
  readable: unknown;
}

/** Compares a value with the JSON Schema of a policy file. */
export function checkForm(value: unknown): CheckedForm {
  // Compiled when first needed: most commands read no policy.
  compiled ??= new Ajv2020({
    ...OWN_SCHEMAS,
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
  })
    .addVocabulary(['patternMessage'])
    .compile(schema);
  if (compiled(value)) return { problems: [], readable: value };
  const errors = (compiled.errors ?? []).filter(isTelling);
  return { problems: errors.map(problemOf), readable: readableForm(value, errors) };
}

/**
 * `if` and `oneOf` only repeat that something inside of them failed; which action there is and what it needs is said
 * better by `checkAction`.
 */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== 'if' && !/\/(oneOf|allOf)(\/|$)/.test(error.schemaPath);
}

function problemOf(error: ErrorObject): FormProblem {
  const pointer = error.instancePath;
  const what = pointer === '' ? 'The policy' : pointer.slice(1).replace(/\//g, '.');
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(error, pointer, what);
    case 'required': {
      const { missingProperty } = error.params as { missingProperty: string };
      return {
        pointer,
        atKey: true,
        code: 'missing_key',
        message: `${what} lacks \`${missingProperty}\`.`,
      };
    }
    case 'enum': {
      const allowed = (error.params as { allowedValues: unknown[] }).allowedValues.map(String);
      const near = typeof error.data === 'string' ? nearest(error.data, allowed) : undefined;
      return {
        pointer,
        code: 'bad_value',
        message: `${what} must be one of ${allowed.join(', ')}.`,
        ...(near !== undefined && { suggestion: `Did you mean ${near}?` }),
      };
    }
    case 'type': {
      const types = [(error.params as { type: string | string[] }).type].flat().map(article);
      return { pointer, code: 'bad_type', message: `${what} must be ${types.join(' or ')}.` };
    }
    default:
      return { pointer, code: 'bad_value', message: `${what} ${complaint(error)}.` };
  }
}

/** What a bound or a pattern of the schema asks for, in words. */
function complaint({ keyword, params, parentSchema, message }: ErrorObject): string {
  const { limit } = params as { limit?: number };
  switch (keyword) {
    case 'pattern': {
      const words = (parentSchema as { patternMessage?: unknown } | undefined)?.patternMessage;
      return `must be ${typeof words === 'string' ? words : 'of another form'}`;
    }
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return 'must not be empty';
    case 'maxLength':
      return `must have at most ${limit} characters`;
    case 'maxItems':
    case 'maxProperties':
      return `must have at most ${limit} entries`;
    case 'minimum':
      return `must be at least ${limit}`;
    case 'maximum':
      return `must be at most ${limit}`;
    case 'uniqueItems':
      return 'names something twice';
    default:
      return message ?? 'is wrong';
  }
}

function unknownKey(error: ErrorObject, pointer: string, what: string): FormProblem {
  const key = String((error.params as { additionalProperty: string }).additionalProperty);
  const parent = error.parentSchema as { properties?: Record<string, unknown> } | undefined;
  const known = Object.keys(parent?.properties ?? {});
  const near = nearest(key, known);
  const inConditions = /(^|\/)(context|when)$/.test(pointer);
  return {
    pointer: `${pointer}/${escapePointer(key)}`,
    atKey: true,
    code: inConditions ? 'unknown_attribute' : 'unknown_key',
    message: inConditions ? `There is no attribute \`${key}\`.` : `${what} has no key \`${key}\`.`,
    suggestion: near === undefined ? `Known are ${known.join(', ')}.` : `Did you mean ${near}?`,
  };
}

/** A key as a step of a JSON Pointer (RFC 6901). */
export function escapePointer(key: string): string {
  return key.replace(/~/g, '~0').replace(/\//g, '~1');
}
