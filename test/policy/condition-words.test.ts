import { expect, it } from 'vitest';
import { wordsOfCondition, wordsOfTime } from '../../src/policy/condition-words.js';
import type { ConditionValue, TimeCondition } from '../../src/policy/model.js';

it.each<[ConditionValue, string]>([
  ['analyst', 'analyst'],
  [['agent'], 'agent'],
  [['a', 'b', 'c'], 'a, b or c'],
  [[], 'one of none'],
  [3, '3'],
  [{ gte: 'high' }, 'at least high'],
  [{ lt: 'medium' }, 'below medium'],
  [{ gt: 1, lte: 'high' }, 'above 1 and at most high'],
  [{ neq: '$requester_region' }, 'not the requester_region'],
  [{ nin: ['x', 'y'] }, 'not x or y'],
  [{ in: ['x', 'y'] }, 'x or y'],
  [{ present: true }, 'any value'],
  [{ present: false }, 'no value'],
  [{}, 'nothing that can be understood'],
])('a condition is said in words, without a form of a file: %j', (value, words) => {
  expect(wordsOfCondition(value)).toBe(words);
});

it.each<[TimeCondition, string]>([
  [
    { after: '09:00', before: '17:00', timezone: 'Europe/Berlin' },
    '09:00 to 17:00 (Europe/Berlin)',
  ],
  [{ after: '18:00' }, '18:00 or later (UTC)'],
  [{ before: '06:00', days: ['mon', 'sun'] }, 'before 06:00 on mon, sun (UTC)'],
])('so is a time: %j', (time, words) => {
  expect(wordsOfTime(time)).toBe(words);
});
