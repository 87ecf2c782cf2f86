import type { ClassifierRule } from '../classification.js';
import { CONTACT_RULES } from './contact-rules.js';
import { HEALTH_RULES } from './health-rules.js';
import { MONEY_RULES } from './money-rules.js';
import { PERSON_RULES } from './person-rules.js';
import { SECRET_RULES } from './secret-rules.js';
import { TEXT_RULES } from './text-rules.js';

/** The rules vkit ships. Between rules that say equally much, the earlier one speaks. */
export const CLASSIFIER_RULES: readonly ClassifierRule[] = [
  ...SECRET_RULES,
  ...HEALTH_RULES,
  ...MONEY_RULES,
  ...PERSON_RULES,
  ...CONTACT_RULES,
  ...TEXT_RULES,
];
