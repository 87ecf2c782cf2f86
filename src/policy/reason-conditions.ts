import { clearanceLevel } from './clearance.js';
import { listOf } from './compile-match.js';
import type { Conditions, ConditionValue, OperatorCondition, Scalar } from './model.js';

/** The value that stands for all that no condition names. */
const ANY_OTHER = '\0other';

const OPERATORS_OF_ORDER = ['lt', 'lte', 'gt', 'gte'] as const;

/**
 * The attribute whose condition no value fulfils; `undefined` where none is found. What refers to other attributes, asks for
 * presence or for the time is not looked into.
 */
export function contradictionIn(
  conditions: Conditions,
  clearances: readonly string[],
): string | undefined {
  return Object.keys(conditions).find((attribute) => {
    const value = operatorsOf(attribute, conditions);
    return value !== null && isContradiction(attribute, value, clearances);
  });
}

function isContradiction(
  attribute: string,
  value: OperatorCondition,
  clearances: readonly string[],
): boolean {
  if (attribute === 'requester_role') {
    const { wanted, refused } = rolesOf(value);
    return wanted.some((roles) => roles.every((role) => refused.includes(role)));
  }
  const { wanted, refused } = listsOf(value, textOf(attribute, clearances));
  const universe =
    attribute === 'requester_clearance'
      ? clearances.map((_, index) => String(index + 1))
      : [...(wanted ?? []), ...refused, ANY_OTHER];
  return allowedOf(attribute, value, universe, clearances).size === 0;
}

/**
 * Whether one set of conditions holds wherever another does, as far as their texts alone tell: `false` where that is not
 * clear. Holds also where an attribute is unknown, in the sense in which restrictions do.
 */
export function implies(
  given: Conditions,
  wanted: Conditions,
  clearances: readonly string[],
): boolean {
  return Object.keys(wanted).every((attribute) => {
    if (given[attribute] === undefined) return false;
    if (JSON.stringify(given[attribute]) === JSON.stringify(wanted[attribute])) return true;
    const from = operatorsOf(attribute, given);
    const to = operatorsOf(attribute, wanted);
    if (from === null || to === null) return false;
    return attribute === 'requester_role'
      ? impliesRoles(from, to)
      : impliesValue(attribute, from, to, clearances);
  });
}

function impliesRoles(from: OperatorCondition, to: OperatorCondition): boolean {
  const given = rolesOf(from);
  const { wanted, refused } = rolesOf(to);
  return (
    wanted.every((roles) =>
      given.wanted.some((held) => held.every((role) => roles.includes(role))),
    ) && refused.every((role) => given.refused.includes(role))
  );
}

/** Roles are a set: one of each list must be held, and none of those refused. */
function rolesOf({ eq, neq, in: oneOf, nin = [] }: OperatorCondition): {
  wanted: readonly (readonly string[])[];
  refused: readonly string[];
} {
  const lists = [...(eq === undefined ? [] : [[eq]]), ...(oneOf === undefined ? [] : [oneOf])];
  return {
    wanted: lists.map((list) => list.map(String)),
    refused: [...(neq === undefined ? [] : [neq]), ...nin].map(String),
  };
}

function impliesValue(
  attribute: string,
  from: OperatorCondition,
  to: OperatorCondition,
  clearances: readonly string[],
): boolean {
  const named = [from, to]
    .map((one) => listsOf(one, textOf(attribute, clearances)))
    .flatMap(({ wanted, refused }) => [...(wanted ?? []), ...refused]);
  const universe =
    attribute === 'requester_clearance'
      ? clearances.map((_, index) => String(index + 1))
      : [...new Set([...named, ANY_OTHER])];
  const allowed = allowedOf(attribute, to, universe, clearances);
  // What fulfils nothing fails also where the attribute is unknown.
  if (to.in?.length === 0) return false;
  return [...allowedOf(attribute, from, universe, clearances)].every((one) => allowed.has(one));
}

/** The values of the universe that fulfil a condition; clearances as levels. */
function allowedOf(
  attribute: string,
  value: OperatorCondition,
  universe: readonly string[],
  clearances: readonly string[],
): ReadonlySet<string> {
  const { wanted, refused } = listsOf(value, textOf(attribute, clearances));
  return new Set(
    universe.filter(
      (one) =>
        (wanted === null || wanted.includes(one)) &&
        !refused.includes(one) &&
        OPERATORS_OF_ORDER.every((operator) => isInOrder(one, operator, value, clearances)),
    ),
  );
}

function isInOrder(
  level: string,
  operator: (typeof OPERATORS_OF_ORDER)[number],
  value: OperatorCondition,
  clearances: readonly string[],
): boolean {
  const bound = value[operator];
  if (bound === undefined) return true;
  const limit = clearanceLevel(clearances, bound);
  if (limit === null) return true;
  const at = Number(level);
  if (operator === 'lt') return at < limit;
  if (operator === 'lte') return at <= limit;
  return operator === 'gt' ? at > limit : at >= limit;
}

/** Values as they compare: a clearance as its level, everything else as text. */
function textOf(attribute: string, clearances: readonly string[]): (value: Scalar) => string {
  if (attribute !== 'requester_clearance') return String;
  return (value) => String(clearanceLevel(clearances, value) ?? ANY_OTHER);
}

/** What a value must be one of, `null` for anything, and what it must not be. */
function listsOf(
  { eq, neq, in: oneOf, nin = [] }: OperatorCondition,
  asText: (value: Scalar) => string,
): { wanted: readonly string[] | null; refused: readonly string[] } {
  const equal = eq === undefined ? null : [asText(eq)];
  const listed = oneOf === undefined ? null : oneOf.map(asText);
  const both =
    equal !== null && listed !== null ? equal.filter((one) => listed.includes(one)) : null;
  return {
    wanted: both ?? equal ?? listed,
    refused: [...(neq === undefined ? [] : [neq]), ...nin].map(asText),
  };
}

/** As operators; `null` for what this module does not look into. */
function operatorsOf(attribute: string, conditions: Conditions): OperatorCondition | null {
  const value = conditions[attribute] as ConditionValue | undefined;
  if (value === undefined || attribute === 'time') return null;
  const isObject = typeof value === 'object' && !Array.isArray(value);
  const operators: OperatorCondition = isObject
    ? (value as OperatorCondition)
    : Array.isArray(value)
      ? { in: value }
      : { eq: value as Scalar };
  if (operators.present !== undefined) return null;
  const operands = Object.values(operators).flatMap((one) => listOf<Scalar>(one as Scalar));
  return operands.some((one) => String(one).startsWith('$')) ? null : operators;
}
