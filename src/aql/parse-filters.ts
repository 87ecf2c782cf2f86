import type { Problem } from '../errors/index.js';
import { isCleanText } from '../util/utf8.js';
import {
  checkList,
  checkName,
  checkObject,
  checkWord,
  DIRTY_TEXT,
  ownValue,
  parseEntries,
  pointerTo,
  report,
} from './input-checks.js';
import type { AqlComparison, AqlFilter, AqlGroup, FilterOperator } from './model.js';
import { AQL_LIMITS, FILTER_OPERATORS } from './model.js';

export const GROUP_LOGICS = ['AND', 'OR', 'NOT'] as const;
export const COMPARISON_KEYS = ['operator', 'field', 'value'] as const;
export const GROUP_KEYS = ['logic', 'conditions'] as const;

/** Reads `filters` or `having`: a list that is ANDed, of comparisons and nested groups. */
export function parseFilters(value: unknown, pointer: string, problems: Problem[]): AqlFilter[] {
  const budget = { conditions: 0 };
  const filters = parseList(value, pointer, 0, budget, problems);
  if (budget.conditions > AQL_LIMITS.conditionsMax) {
    const message = `At most ${AQL_LIMITS.conditionsMax} conditions are allowed.`;
    report(problems, { pointer, code: 'limit', message });
  }
  return filters;
}

interface Budget {
  conditions: number;
}

function parseList(
  value: unknown,
  pointer: string,
  depth: number,
  budget: Budget,
  problems: Problem[],
): AqlFilter[] {
  const entries = checkList(value, pointer, AQL_LIMITS.conditionsMax, problems);
  budget.conditions += entries.length;
  if (budget.conditions > AQL_LIMITS.conditionsMax) return [];
  return parseEntries(entries, pointer, problems, (entry, at) =>
    parseFilter(entry, at, depth, budget, problems),
  );
}

function parseFilter(
  value: unknown,
  pointer: string,
  depth: number,
  budget: Budget,
  problems: Problem[],
): AqlFilter | undefined {
  const isGroup =
    typeof value === 'object' &&
    value !== null &&
    (Object.hasOwn(value, 'logic') || Object.hasOwn(value, 'conditions'));
  return isGroup
    ? parseGroup(value, pointer, depth + 1, budget, problems)
    : parseComparison(value, pointer, problems);
}

function parseGroup(
  value: unknown,
  pointer: string,
  depth: number,
  budget: Budget,
  problems: Problem[],
): AqlGroup | undefined {
  if (depth > AQL_LIMITS.groupsDepthMax) {
    const message = `Groups nest at most ${AQL_LIMITS.groupsDepthMax} deep.`;
    report(problems, { pointer, code: 'limit', message });
    return undefined;
  }
  const object = checkObject(value, pointer, GROUP_KEYS, problems);
  if (object === undefined) return undefined;
  const logic = checkWord(ownValue(object, 'logic'), `${pointer}/logic`, GROUP_LOGICS, problems);
  const at = `${pointer}/conditions`;
  const entries = ownValue(object, 'conditions');
  if (entries === undefined || (Array.isArray(entries) && entries.length === 0)) {
    report(problems, { pointer: at, code: 'required', message: 'A group needs conditions.' });
    return undefined;
  }
  const conditions = parseList(entries, at, depth, budget, problems);
  return logic === undefined ? undefined : { logic, conditions };
}

function parseComparison(
  value: unknown,
  pointer: string,
  problems: Problem[],
): AqlComparison | undefined {
  const object = checkObject(value, pointer, COMPARISON_KEYS, problems);
  if (object === undefined) return undefined;
  const operator = checkWord(
    ownValue(object, 'operator'),
    `${pointer}/operator`,
    FILTER_OPERATORS,
    problems,
  );
  const field = checkName(ownValue(object, 'field'), `${pointer}/field`, problems);
  if (operator === undefined) return undefined;
  const at = `${pointer}/value`;
  const operand = checkOperand(operator, ownValue(object, 'value'), at, problems);
  if (field === undefined) return undefined;
  return operand === undefined ? { operator, field } : { operator, field, value: operand };
}

const NULL_TEST = 'NULL is never equal to anything: use is_null or is_not_null.';

/** The value in the shape its operator takes; whether it fits the field is known only to the plan. */
function checkOperand(
  operator: FilterOperator,
  value: unknown,
  pointer: string,
  problems: Problem[],
): unknown {
  if (operator === 'is_null' || operator === 'is_not_null') {
    if (value === undefined) return undefined;
    const message = `${operator} takes no value.`;
    report(problems, { pointer, code: 'value', message });
    return undefined;
  }
  if (operator === 'in' || operator === 'not_in' || operator === 'between') {
    const pair = operator === 'between';
    if (!Array.isArray(value) || (pair && value.length !== 2)) {
      const wanted = pair ? 'a list of two values, the lower one first' : 'a list of values';
      report(problems, { pointer, code: 'value', message: `${operator} takes ${wanted}.` });
      return undefined;
    }
    if (value.length > AQL_LIMITS.inValuesMax) {
      const message = `At most ${AQL_LIMITS.inValuesMax} values are allowed.`;
      report(problems, { pointer, code: 'limit', message });
      return undefined;
    }
    for (let index = 0; index < value.length; index += 1) {
      if (isScalar(value[index])) continue;
      checkScalar(value[index] ?? undefined, pointerTo(pointer, index), problems);
    }
    return value;
  }
  checkScalar(value, pointer, problems);
  if ((operator === 'like' || operator === 'not_like') && typeof value !== 'string') {
    if (value !== undefined) {
      const message = `${operator} takes a pattern: a string with % and _.`;
      report(problems, { pointer, code: 'value', message });
    }
  }
  return value;
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'string') return isCleanText(value);
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function checkScalar(value: unknown, pointer: string, problems: Problem[]): void {
  if (isScalar(value)) return;
  if (value === undefined) {
    report(problems, { pointer, code: 'null_value', message: NULL_TEST });
  } else if (typeof value === 'string') {
    report(problems, { pointer, code: 'text', message: DIRTY_TEXT });
  } else {
    const message = 'A value is a string, a number or a boolean.';
    report(problems, { pointer, code: 'value', message });
  }
}
