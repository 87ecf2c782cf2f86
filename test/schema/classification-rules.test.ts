import { expect, test } from 'vitest';
import { checkClassifierRules } from '../../src/schema/classification/check-classifier-rules.js';
import { CLASSIFIER_RULES } from '../../src/schema/classification/rules/index.js';

test("the shipped rules pass the check that a user's rules have to pass", () => {
  expect(() => checkClassifierRules(CLASSIFIER_RULES)).not.toThrow();
});

test('the shipped rules are plain data: written as JSON and read again they are the same', () => {
  expect(JSON.parse(JSON.stringify(CLASSIFIER_RULES))).toEqual(CLASSIFIER_RULES);
});

test('health, cards, national ids and credentials are high in every rule that names them', () => {
  const high = ['health', 'payment_card', 'national_id', 'credential', 'bank_account'];
  const lower = CLASSIFIER_RULES.filter(
    (rule) => high.includes(rule.classification) && rule.sensitivity !== 'high',
  );
  expect(lower).toEqual([]);
});
