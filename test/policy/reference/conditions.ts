import type {
  Action,
  Conditions,
  ConditionValue,
  OperatorCondition,
  Scalar,
  TimeCondition,
} from '../../../src/policy/model.js';
import type { Note } from './note.js';
import { timeHolds } from './time.js';
import { allOf, anyOf, decided, opposite, type Truth } from './truth.js';

/** What is known of every attribute, each as a set, since "roles are a set"; `null` is unknown. */
export type Known = Readonly<Record<string, readonly Scalar[] | null>>;

/** What conditions are decided by, and for which action, which only a note needs. */
export interface Situation {
  known: Known;
  at: number;
  /** From lowest to highest. */
  clearances: readonly string[];
  action: Action;
  note: Note;
}

/** "`context`: optional; keys given are ANDed." */
export function conditionsHold(when: Conditions, situation: Situation): Truth {
  const answers = Object.entries(when).map(([attribute, value]) => {
    if (attribute === 'time') {
      return timeHolds(value as TimeCondition, situation.at, situation.note);
    }
    return conditionHolds(attribute, value as ConditionValue, situation);
  });
  situation.note('conditions', answers.length === 0 ? 'none' : 'some', allOf(answers));
  return allOf(answers);
}

/** "A context value is a scalar (equal), a list (any of), or an operator object", whose keys are ANDed too. */
function conditionHolds(attribute: string, value: ConditionValue, situation: Situation): Truth {
  const { known, action, note } = situation;
  note('attribute', attribute, stateOf(attribute, known), action);
  if (typeof value !== 'object') {
    const truth = operatorHolds(attribute, 'eq', value, situation);
    note('form', 'a scalar', truth);
    return truth;
  }
  if (isList(value)) {
    const truth = operatorHolds(attribute, 'in', value, situation);
    note('form', 'a list', truth);
    return truth;
  }
  const operators = Object.entries(value) as [
    keyof OperatorCondition,
    Scalar | readonly Scalar[],
  ][];
  const answers = operators.map(([operator, wanted]) => {
    const truth = operatorHolds(attribute, operator, wanted, situation);
    note('operator', operator, truth, action);
    return truth;
  });
  if (answers.length > 1) note('form', 'several operators', allOf(answers));
  return allOf(answers);
}

function operatorHolds(
  attribute: string,
  operator: keyof OperatorCondition,
  wanted: Scalar | readonly Scalar[],
  situation: Situation,
): Truth {
  const values = isList(wanted) ? wanted : [wanted];
  // "`eq` and `in` hold if one of them does, `neq` and `nin` if none does."
  const equal = anyOf(values.map((value) => isEqual(attribute, value, situation)));
  switch (operator) {
    case 'eq':
    case 'in':
      return equal;
    case 'neq':
    case 'nin':
      return opposite(equal);
    case 'lt':
      return isOrdered(attribute, values[0], situation, (a, b) => a < b);
    case 'lte':
      return isOrdered(attribute, values[0], situation, (a, b) => a <= b);
    case 'gt':
      return isOrdered(attribute, values[0], situation, (a, b) => a > b);
    case 'gte':
      return isOrdered(attribute, values[0], situation, (a, b) => a >= b);
    case 'present': {
      // "Not knowing never helps the requester; `present` decides about it explicitly."
      const actual = valuesOf(`$${attribute}`, attribute, situation);
      const isPresent = actual !== null && actual.length > 0;
      return decided(isPresent === (wanted === true));
    }
  }
}

function isEqual(attribute: string, wanted: Scalar, situation: Situation): Truth {
  const left = valuesOf(`$${attribute}`, attribute, situation);
  const right = valuesOf(wanted, attribute, situation);
  const truth =
    left === null || right === null
      ? 'undecided'
      : // What a policy writes as a YAML number is compared as text.
        decided(left.some((a) => right.some((b) => String(a) === String(b))));
  if (typeof wanted === 'string' && wanted.startsWith('$')) {
    situation.note('reference to', wanted, truth);
  }
  if (typeof wanted !== 'string') {
    const what = attribute === 'requester_clearance' ? 'a level' : `a ${typeof wanted}`;
    situation.note('compared with', what, truth);
  }
  return truth;
}

/** Only clearances are ordered. */
function isOrdered(
  attribute: string,
  wanted: Scalar | undefined,
  situation: Situation,
  holds: (a: number, b: number) => boolean,
): Truth {
  if (attribute !== 'requester_clearance' || wanted === undefined) return 'undecided';
  const [left] = valuesOf(`$${attribute}`, attribute, situation) ?? [];
  const [right] = valuesOf(wanted, attribute, situation) ?? [];
  if (typeof left !== 'number' || typeof right !== 'number') return 'undecided';
  if (typeof wanted === 'string' && wanted.startsWith('$')) {
    situation.note('reference to', `${wanted}, in order`, decided(holds(left, right)));
  }
  return decided(holds(left, right));
}

/** "A string that starts with `$` names another context attribute"; one that there is not is unknown. */
function valuesOf(
  value: Scalar,
  attribute: string,
  { known, clearances }: Situation,
): readonly Scalar[] | null {
  const isReference = typeof value === 'string' && value.startsWith('$');
  const name = isReference ? value.slice(1) : '';
  const values = isReference ? (Object.hasOwn(known, name) ? known[name] : null) : [value];
  if (values === null || values === undefined) return null;
  if (attribute !== 'requester_clearance') return values;
  const levels = values.map((one) => levelOf(one, clearances));
  return levels.some((level) => level === null) ? null : levels.map(Number);
}

/** "Clearances are ordered, and the integers 1 to 4 are the same levels; `vkit.yaml` may name others." */
export function levelOf(value: Scalar, clearances: readonly string[]): number | null {
  const levels = clearances.map((_, index) => index + 1);
  const found = levels.find((level) => level === value || clearances[level - 1] === value);
  return found ?? null;
}

function stateOf(attribute: string, known: Known): string {
  if (!Object.hasOwn(known, attribute)) return 'no such attribute';
  const values = known[attribute] ?? null;
  if (values === null) return 'unknown';
  if (attribute !== 'requester_role') return 'known';
  return ['none', 'one'][values.length] ?? 'several';
}

function isList(value: unknown): value is readonly Scalar[] {
  return Array.isArray(value);
}
