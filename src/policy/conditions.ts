import { type Attribute, type Facts, isAttribute } from './attributes.js';
import { clearanceLevel } from './clearance.js';
import { wordsOfCondition, wordsOfTime } from './condition-words.js';
import type {
  Conditions,
  ConditionValue,
  OperatorCondition,
  Scalar,
  TimeCondition,
} from './model.js';
import { compileTimeWindow } from './time-window.js';
import { not, or, type Truth, truthOf } from './truth.js';

/** The conditions of a policy, which are ANDed, over three values. */
export interface CompiledConditions {
  decide(facts: Facts): Truth;
  /** The condition that decided it, for the trace. */
  because(facts: Facts): string;
}

type Test = (facts: Facts) => Truth;
type Operand = (facts: Facts) => readonly string[] | null;

interface CompiledCondition {
  test: Test;
  explain: (facts: Facts) => string;
}

/**
 * Compiles the conditions of a policy. What cannot be understood (an attribute or an operator that does not exist, an order
 * of anything but clearances) stays undecided, whatever the facts.
 */
export function compileConditions(
  conditions: Conditions,
  clearances: readonly string[],
): CompiledConditions {
  const compiled = Object.keys(conditions)
    .sort()
    .map((attribute) => compileCondition(attribute, conditions[attribute], clearances));
  const tests = compiled.map(({ test }) => test);
  const decide = allOf(tests);
  return {
    decide,
    because: (facts) => {
      const truth = decide(facts);
      const first = compiled.find(({ test }) => test(facts) === truth);
      return truth === 'yes' || !first ? 'every condition holds' : first.explain(facts);
    },
  };
}

/**
 * The roles of which a requester must hold one for the conditions not to fail, where that is known without a requester;
 * `null` where they say nothing of the kind.
 */
export function rolesNeeded(conditions: Conditions): readonly string[] | null {
  const value = conditions.requester_role as ConditionValue | undefined;
  if (value === undefined) return null;
  const { eq, in: oneOf } = operatorsOf(value);
  const wanted = eq === undefined ? oneOf : [eq];
  // A reference to another attribute may be unknown, which is not a failure.
  if (!Array.isArray(wanted) || wanted.some((one) => String(one).startsWith('$'))) return null;
  return wanted.map(String);
}

/** The conditions beside that on roles, where holding one of `rolesNeeded` is all that one asks; else all of them. */
export function beyondRoles(conditions: Conditions): Conditions {
  const { requester_role: value, ...others } = conditions;
  if (value === undefined || rolesNeeded(conditions) === null) return conditions;
  const isAlone = Object.keys(operatorsOf(value as ConditionValue)).length === 1;
  return isAlone ? others : conditions;
}

/** `no` as soon as one says so; the order of the tests does not matter. */
function allOf(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first === undefined) return () => 'yes';
  if (second === undefined) return first;
  return (facts) => {
    let truth: Truth = 'yes';
    for (const test of tests) {
      const one = test(facts);
      if (one === 'no') return 'no';
      if (one === 'undecided') truth = 'undecided';
    }
    return truth;
  };
}

function compileCondition(
  attribute: string,
  value: ConditionValue | TimeCondition | undefined,
  clearances: readonly string[],
): CompiledCondition {
  if (attribute === 'time' && isRecord(value)) {
    const window = compileTimeWindow(value as TimeCondition);
    return {
      test: (facts) => window(facts.at),
      explain: () =>
        `time: the moment of the request is not in ${wordsOfTime(value as TimeCondition)}`,
    };
  }
  if (!isAttribute(attribute)) {
    return { test: () => 'undecided', explain: () => `${attribute}: no such attribute` };
  }
  const operators = operatorsOf(value as ConditionValue);
  const tests = Object.entries(operators)
    .filter(([, one]) => one !== undefined)
    .map(([operator, one]) => compileOperator(operator, one, attribute, clearances));
  return {
    test: tests.length === 0 ? () => 'undecided' : allOf(tests),
    explain: (facts) => {
      const actual = facts.values[attribute];
      const is = actual === null ? 'unknown' : actual.join(', ') || 'nothing';
      return `${attribute}: is ${is}, wanted ${wordsOfCondition(value as ConditionValue)}`;
    },
  };
}

function operatorsOf(value: ConditionValue): OperatorCondition {
  if (Array.isArray(value)) return { in: value };
  if (isRecord(value)) return value as OperatorCondition;
  return { eq: value as Scalar };
}

function compileOperator(
  operator: string,
  wanted: unknown,
  attribute: Attribute,
  clearances: readonly string[],
): Test {
  const equals = (value: unknown) => compileEquals(value as Scalar, attribute, clearances);
  const anyOf = (values: unknown): Test => {
    const tests = (Array.isArray(values) ? values : [values]).map(equals);
    return tests.length === 1 && tests[0]
      ? tests[0]
      : (facts) => or(tests.map((one) => one(facts)));
  };
  const ordered = (holds: (a: number, b: number) => boolean): Test => {
    if (attribute !== 'requester_clearance') return () => 'undecided';
    const right = operandOf(wanted as Scalar, attribute, clearances);
    return (facts) => compareLevels(facts.level, right(facts), holds);
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
    case 'present': {
      const left = operandOf(`$${attribute}`, attribute, clearances);
      return (facts) => truthOf(wanted === (left(facts)?.length ?? 0) > 0);
    }
    default:
      return () => 'undecided';
  }
}

/** Whether the attribute has the value, or one of those of another attribute. */
function compileEquals(value: Scalar, attribute: Attribute, clearances: readonly string[]): Test {
  if (isReference(value) || attribute === 'requester_clearance') {
    const left = operandOf(`$${attribute}`, attribute, clearances);
    const right = operandOf(value, attribute, clearances);
    return (facts) => shareOne(left(facts), right(facts));
  }
  const text = String(value);
  return (facts) => {
    const held = facts.values[attribute];
    return held === null ? 'undecided' : truthOf(held.includes(text));
  };
}

/** The values an operand stands for; clearances as levels, so that names and integers compare. */
function operandOf(value: Scalar, attribute: Attribute, clearances: readonly string[]): Operand {
  const isLevel = attribute === 'requester_clearance';
  if (!isReference(value)) {
    const constant = isLevel ? levelsOf([value], clearances) : [String(value)];
    return () => constant;
  }
  const name = String(value).slice(1);
  if (!isAttribute(name)) return () => null;
  if (!isLevel) return (facts) => facts.values[name];
  if (name === attribute) {
    const levels = clearances.map((_, index) => [String(index + 1)]);
    return ({ level }) => (level === null ? null : (levels[level - 1] ?? null));
  }
  return (facts) => {
    const values = facts.values[name];
    return values === null ? null : levelsOf(values, clearances);
  };
}

function isReference(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('$');
}

function levelsOf(values: readonly Scalar[], clearances: readonly string[]): string[] | null {
  const levels = values.map((entry) => clearanceLevel(clearances, entry));
  return levels.every((level) => level !== null) ? levels.map(String) : null;
}

function shareOne(left: readonly string[] | null, right: readonly string[] | null): Truth {
  if (left === null || right === null) return 'undecided';
  return truthOf(left.some((one) => right.includes(one)));
}

function compareLevels(
  level: number | null,
  right: readonly string[] | null,
  holds: (a: number, b: number) => boolean,
): Truth {
  const [other] = right ?? [];
  return level === null || other === undefined ? 'undecided' : truthOf(holds(level, Number(other)));
}

function negate(test: Test): Test {
  return (facts) => not(test(facts));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
