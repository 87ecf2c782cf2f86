import { nearest } from '../util/levenshtein.js';
import { ATTRIBUTES, isAttribute } from './attributes.js';
import { clearanceLevel } from './clearance.js';
import type { ConditionsForm, FormProblem, ScalarForm } from './policy-form.js';
import { isTimeZone } from './time-window.js';

const ORDERING = ['lt', 'lte', 'gt', 'gte'];

/**
 * What the schema cannot say of conditions: clearances that exist, references to attributes, windows that make
 * sense. `isBroken` tells whether the place of a pointer has a problem already.
 */
export function checkConditions(
  conditions: ConditionsForm,
  pointer: string,
  clearances: readonly string[],
  isBroken: (pointer: string) => boolean,
): FormProblem[] {
  return Object.entries(conditions).flatMap(([attribute, value]) => {
    const at = `${pointer}/${attribute}`;
    if (attribute === 'time') {
      return checkTime(value as Record<string, unknown>, at, isBroken(at));
    }
    if (Array.isArray(value)) return checkScalars(attribute, value, at, clearances);
    if (typeof value !== 'object') return checkScalar(attribute, value, at, clearances);
    return Object.entries(value).flatMap(([operator, wanted]) => {
      const place = `${at}/${operator}`;
      if (operator === 'present') return [];
      if (Array.isArray(wanted)) return checkScalars(attribute, wanted, place, clearances);
      const order = ORDERING.includes(operator) && attribute !== 'requester_clearance';
      return [
        ...(order ? [notOrdered(attribute, operator, place)] : []),
        ...checkScalar(attribute, wanted, place, clearances),
      ];
    });
  });
}

function notOrdered(attribute: string, operator: string, pointer: string): FormProblem {
  return {
    pointer,
    atKey: true,
    code: 'bad_operator',
    message: `\`${operator}\` needs an order, which only requester_clearance has, not ${attribute}.`,
  };
}

function checkScalars(
  attribute: string,
  values: readonly ScalarForm[],
  pointer: string,
  clearances: readonly string[],
): FormProblem[] {
  return values.flatMap((value, index) =>
    checkScalar(attribute, value, `${pointer}/${index}`, clearances),
  );
}

function checkScalar(
  attribute: string,
  value: ScalarForm,
  pointer: string,
  clearances: readonly string[],
): FormProblem[] {
  if (typeof value === 'string' && value.startsWith('$')) {
    const name = value.slice(1);
    if (isAttribute(name) && name !== attribute) return [];
    const near = nearest(name, ATTRIBUTES);
    return [
      {
        pointer,
        code: 'unknown_attribute',
        message:
          name === attribute
            ? `${attribute} is compared with itself.`
            : `There is no attribute \`${name}\` to compare with.`,
        ...(near !== undefined && near !== name && { suggestion: `Did you mean $${near}?` }),
      },
    ];
  }
  if (attribute !== 'requester_clearance' || clearanceLevel(clearances, value) !== null) return [];
  const near = nearest(String(value), clearances);
  return [
    {
      pointer,
      code: 'unknown_clearance',
      message: `There is no clearance \`${value}\`.`,
      suggestion:
        near === undefined
          ? `Known are ${clearances.join(', ')}, and the integers 1 to ${clearances.length}.`
          : `Did you mean ${near}?`,
    },
  ];
}

/** Where `unsure`, a part of the window cannot be read, and only what is there can be judged. */
function checkTime(
  value: Record<string, unknown>,
  pointer: string,
  unsure: boolean,
): FormProblem[] {
  const problems: FormProblem[] = [];
  if (typeof value.timezone === 'string' && !isTimeZone(value.timezone)) {
    problems.push({
      pointer: `${pointer}/timezone`,
      code: 'unknown_timezone',
      message: `There is no time zone \`${value.timezone}\`.`,
      suggestion: 'Write a name of the IANA database, such as Europe/Berlin.',
    });
  }
  if (unsure) return problems;
  const before = value.before;
  if (before !== undefined && before === (value.after ?? '00:00')) {
    problems.push({
      pointer: `${pointer}/before`,
      code: 'bad_time_window',
      message: 'The window begins and ends at the same time.',
    });
  }
  if (value.days === undefined && value.after === undefined && before === undefined) {
    problems.push({
      pointer,
      code: 'bad_time_window',
      message: 'The window names neither `after` nor `before` nor `days`.',
    });
  }
  return problems;
}
