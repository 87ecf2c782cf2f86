import type { FilterOperator } from '../../../src/aql/model.js';
import { isLike } from './like.js';
import type { EngineLimits } from './schema.js';
import { compareValues, isDecimal, type Value } from './value.js';

/** Three-valued logic: `null` is unknown. */
export type Truth = boolean | null;

/** FALSE if one is false, else unknown if one is unknown. */
export function allOf(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

/** TRUE if one is true, else unknown if one is unknown. */
export function anyOf(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(null) ? null : false;
}

export function not(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

/** A value compared with the constants of a filter. */
export function test(
  operator: FilterOperator,
  value: Value,
  constants: readonly Value[],
  limits: EngineLimits,
): Truth {
  const [first = null, second = null] = constants;
  switch (operator) {
    case 'is_null':
      return value === null;
    case 'is_not_null':
      return value !== null;
    case 'in':
      return anyOf(constants.map((one) => equal(value, one, limits)));
    case 'not_in':
      return allOf(constants.map((one) => not(equal(value, one, limits))));
    case 'between':
      return allOf([test('gte', value, [first], limits), test('lte', value, [second], limits)]);
    case 'like':
      return value === null ? null : isLike(String(value), String(first));
    case 'not_like':
      return not(test('like', value, constants, limits));
    default:
      return compared(operator, value, first, limits);
  }
}

export function equal(left: Value, right: Value, limits: EngineLimits): Truth {
  return compared('eq', left, right, limits);
}

function compared(
  operator: FilterOperator,
  left: Value,
  right: Value,
  limits: EngineLimits,
): Truth {
  if (left === null || right === null) return null;
  const order = compareValues(asCompared(left, limits), asCompared(right, limits));
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'neq':
      return order !== 0;
    case 'lt':
      return order < 0;
    case 'lte':
      return order <= 0;
    case 'gt':
      return order > 0;
    default:
      return order >= 0;
  }
}

export function asCompared(value: Value, limits: EngineLimits): Value {
  return isDecimal(value) ? limits.compared(value) : value;
}
