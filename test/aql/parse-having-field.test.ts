import { describe, expect, it } from 'vitest';
import { parseHavingField } from '../../src/aql/parse-having-field.js';

describe('parseHavingField', () => {
  it.each([
    ['SUM(o.amount)', { func: 'sum', field: 'o.amount' }],
    [' count_distinct ( crm.accounts.id ) ', { func: 'count_distinct', field: 'crm.accounts.id' }],
    ['COUNT(*)', { func: 'count', field: '*' }],
    ['max(a b)', { func: 'max', field: 'a b' }],
  ])('reads %s', (text, expected) => {
    expect(parseHavingField(text)).toEqual(expected);
  });

  it.each([
    'amount',
    'SUM()',
    'SUM(*)',
    'SUM(a',
    'SUM a)',
    'SUM(a))',
    'SUM(SUM(a))',
    'SUM(a) OR 1=1',
    'SUM(a); DROP TABLE x',
    'SLEEP(5)',
    'sum(a)+sum(b)',
    'constructor(a)',
    '(a)',
    '',
  ])('refuses %s', (text) => {
    expect(parseHavingField(text)).toBeUndefined();
  });
});
