import { listOf } from './compile-match.js';
import type { ConditionValue, OperatorCondition, Scalar, TimeCondition } from './model.js';

const OPERATORS: Readonly<Record<string, (operand: string) => string>> = {
  eq: (operand) => operand,
  neq: (operand) => `not ${operand}`,
  in: (operand) => operand,
  nin: (operand) => `not ${operand}`,
  lt: (operand) => `below ${operand}`,
  lte: (operand) => `at most ${operand}`,
  gt: (operand) => `above ${operand}`,
  gte: (operand) => `at least ${operand}`,
};

/** What a condition asks an attribute to be, in words: `agent or ai_agent`, `at least high`, `not the requester_region`. */
export function wordsOfCondition(value: ConditionValue): string {
  if (typeof value !== 'object' || Array.isArray(value)) return anyOf(value as Scalar);
  const words = Object.entries(value as OperatorCondition).flatMap(([operator, operand]) => {
    if (operand === undefined) return [];
    if (operator === 'present') return [operand === true ? 'any value' : 'no value'];
    const say = OPERATORS[operator];
    return say === undefined ? [operator] : [say(anyOf(operand as Scalar))];
  });
  return words.join(' and ') || 'nothing that can be understood';
}

/** A daily window in words: `09:00 to 17:00 on mon, tue (Europe/Berlin)`. */
export function wordsOfTime({ after, before, days, timezone = 'UTC' }: TimeCondition): string {
  const hours =
    after !== undefined && before !== undefined
      ? [`${after} to ${before}`]
      : [
          ...(after === undefined ? [] : [`${after} or later`]),
          ...(before === undefined ? [] : [`before ${before}`]),
        ];
  const on = days === undefined ? [] : [`on ${days.join(', ')}`];
  return `${[...hours, ...on].join(' ')} (${timezone})`;
}

function anyOf(values: Scalar | readonly Scalar[]): string {
  const words = listOf<Scalar>(values).map((one) => {
    const text = String(one);
    return text.startsWith('$') ? `the ${text.slice(1)}` : text;
  });
  const last = words.pop();
  if (last === undefined) return 'one of none';
  return words.length === 0 ? last : `${words.join(', ')} or ${last}`;
}
