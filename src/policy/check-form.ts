import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import schema from '../../schemas/policy.schema.json' with { type: 'json' };
import { nearest } from '../util/levenshtein.js';
import type { FormProblem } from './policy-form.js';

let compiled: ValidateFunction | undefined;

/** What the JSON Schema of a policy file has against a value: all of it, each thing once. */
export function checkForm(value: unknown): FormProblem[] {
  // Compiled when first needed: most commands read no policy.
  compiled ??= new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(
    schema,
  );
  if (compiled(value)) return [];
  return (compiled.errors ?? []).filter(isTelling).map(problemOf);
}

/** `if` and `oneOf` only repeat that something inside of them failed; who says it better does so elsewhere. */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== 'if' && !error.schemaPath.includes('/oneOf');
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
      const { type } = error.params as { type: string | string[] };
      const types = Array.isArray(type) ? type.join(' or ') : type;
      return { pointer, code: 'bad_type', message: `${what} must be ${types}.` };
    }
    default:
      return { pointer, code: 'bad_value', message: `${what} ${error.message ?? 'is wrong'}.` };
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
