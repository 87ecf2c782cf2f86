import { type Attribute, type Facts, isAttribute } from './attributes.js';
import { clearanceLevel } from './clearance.js';
import type {
  Conditions,
  ConditionValue,
  OperatorCondition,
  Scalar,
  TimeCondition,
} from './model.js';
import { compileTimeWindow } from './time-window.js';
import { and, not, or, type Truth, truthOf } from './truth.js';

/** The answer of all conditions of a policy, with the one that decided it, for the trace. */
export interface ConditionsResult {
  truth: Truth;
  because: string;
}

export type CompiledConditions = (facts: Facts) => ConditionsResult;

type Test = (facts: Facts) => Truth;
type Operand = (facts: Facts) => readonly Scalar[] | null;

/**
 * Compiles the conditions of a policy, which are ANDed, over three values. What cannot be understood (an attribute or an
 * operator that does not exist, an order of anything but clearances) stays undecided, whatever the facts.
 */
export function compileConditions(
  conditions: Conditions,
  clearances: readonly string[],
): CompiledConditions {
  const tests = Object.keys(conditions)
    .sort()
    .map((attribute) => compileCondition(attribute, conditions[attribute], clearances));
  return (facts) => {
    const truths = tests.map((entry) => entry.test(facts));
    const truth = and(truths);
    const first = tests[truths.indexOf(truth)];
    if (truth === 'yes' || first === undefined) return { truth, because: 'every condition holds' };
    return { truth, because: first.explain(facts) };
  };
}

function compileCondition(
  attribute: string,
  value: ConditionValue | TimeCondition | undefined,
  clearances: readonly string[],
): { test: Test; explain: (facts: Facts) => string } {
  const wanted = JSON.stringify(value);
  if (attribute === 'time' && isRecord(value)) {
    const window = compileTimeWindow(value as TimeCondition);
    return {
      test: (facts) => window(facts.at),
      explain: () => `time: the moment of the request is not in ${wanted}`,
    };
  }
  if (!isAttribute(attribute)) {
    return { test: () => 'undecided', explain: () => `${attribute}: no such attribute` };
  }
  const test = compileOperators(attribute, operatorsOf(value as ConditionValue), clearances);
  return {
    test,
    explain: (facts) => {
      const actual = facts.values[attribute];
      const is = actual === null ? 'unknown' : actual.join(', ') || 'nothing';
      return `${attribute}: is ${is}, wanted ${wanted}`;
    },
  };
}

function operatorsOf(value: ConditionValue): OperatorCondition {
  if (Array.isArray(value)) return { in: value };
  if (isRecord(value)) return value as OperatorCondition;
  return { eq: value as Scalar };
}

function compileOperators(
  attribute: Attribute,
  operators: OperatorCondition,
  clearances: readonly string[],
): Test {
  const left = operandOf(`$${attribute}`, attribute, clearances);
  const tests = Object.entries(operators)
    .filter(([, wanted]) => wanted !== undefined)
    .map(([operator, wanted]) => compileOperator(operator, wanted, attribute, left, clearances));
  if (tests.length === 0) return () => 'undecided';
  return (facts) => and(tests.map((test) => test(facts)));
}

function compileOperator(
  operator: string,
  wanted: unknown,
  attribute: Attribute,
  left: Operand,
  clearances: readonly string[],
): Test {
  const equals = (value: unknown): Test => {
    const right = operandOf(value as Scalar, attribute, clearances);
    return (facts) => shareOne(left(facts), right(facts));
  };
  const anyOf = (values: unknown): Test => {
    const tests = (Array.isArray(values) ? values : [values]).map(equals);
    return (facts) => or(tests.map((test) => test(facts)));
  };
  const ordered = (holds: (a: number, b: number) => boolean): Test => {
    if (attribute !== 'requester_clearance') return () => 'undecided';
    const right = operandOf(wanted as Scalar, attribute, clearances);
    return (facts) => compareLevels(left(facts), right(facts), holds);
  };
  switch (operator) {
    case 'eq':
      return equals(wanted);
    case 'neq':
      return negate(equals(wanted));
    case 'in':
      return anyOf(wanted);
    case 'nin':
      return negate(anyOf(wanted));
    case 'lt':
      return ordered((a, b) => a < b);
    case 'lte':
      return ordered((a, b) => a <= b);
    case 'gt':
      return ordered((a, b) => a > b);
    case 'gte':
      return ordered((a, b) => a >= b);
    case 'present':
      return (facts) => truthOf(wanted === (left(facts)?.length ?? 0) > 0);
    default:
      return () => 'undecided';
  }
}

/** The values an operand stands for; clearances as levels, so that names and integers compare. */
function operandOf(value: Scalar, attribute: Attribute, clearances: readonly string[]): Operand {
  const asComparable = (values: readonly Scalar[] | null): readonly Scalar[] | null => {
    if (values === null || attribute !== 'requester_clearance') return values;
    const levels = values.map((entry) => clearanceLevel(clearances, entry));
    return levels.every((level) => level !== null) ? levels : null;
  };
  if (typeof value === 'string' && value.startsWith('$')) {
    const name = value.slice(1);
    return (facts) => (isAttribute(name) ? asComparable(facts.values[name]) : null);
  }
  const constant = asComparable([value]);
  return () => constant;
}

function shareOne(left: readonly Scalar[] | null, right: readonly Scalar[] | null): Truth {
  if (left === null || right === null) return 'undecided';
  // As text: an attribute of an identity is text, also where a policy writes it as a YAML number.
  return truthOf(left.some((a) => right.some((b) => String(a) === String(b))));
}

function compareLevels(
  left: readonly Scalar[] | null,
  right: readonly Scalar[] | null,
  holds: (a: number, b: number) => boolean,
): Truth {
  const a = left?.[0];
  const b = right?.[0];
  return typeof a === 'number' && typeof b === 'number' ? truthOf(holds(a, b)) : 'undecided';
}

function negate(test: Test): Test {
  return (facts) => not(test(facts));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
