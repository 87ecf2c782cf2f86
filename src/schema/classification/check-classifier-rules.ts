import { type Problem, VkitError } from '../../errors/index.js';
import { FIELD_TYPES } from '../field-type.js';
import { SENSITIVITIES } from '../model.js';
import { CATEGORIES, type ClassifierRule } from './classification.js';
import { TYPE_GROUPS } from './field-types.js';
import { WORD_GROUPS } from './word-groups.js';

const RULES_MAX = 2_000;
const PHRASES_MAX = 500;
const PHRASE_GROUPS_MAX = 1;
const IDENTIFIER = /^[a-z][a-z0-9_]*$/u;
const PHRASE = /^\^?[\p{Ll}\p{Lo}\p{N}@_]+( [\p{Ll}\p{Lo}\p{N}@_]+)*\$?$/u;

/** Refuses rules that could not do what they say: `config_invalid` with all problems at once. */
export function checkClassifierRules(rules: readonly ClassifierRule[]): void {
  const problems = classifierRuleProblems(rules);
  if (problems.length === 0) return;
  const count = problems.length === 1 ? 'is 1 problem' : `are ${problems.length} problems`;
  throw new VkitError('config_invalid', `There ${count} in the classifier rules.`, {
    hint: 'Correct each rule at the place that its problem names.',
    details: { problems },
  });
}

/**
 * What keeps rules from doing what they say, each with the JSON Pointer of its place in the list. A rule that was silently
 * never to match would leave a column readable.
 */
export function classifierRuleProblems(rules: readonly ClassifierRule[]): Problem[] {
  const problems: Problem[] = [];
  if (rules.length > RULES_MAX) {
    problems.push(problem('', `There are ${rules.length} rules; at most ${RULES_MAX} are read.`));
  }
  const seen = new Set<string>();
  rules.slice(0, RULES_MAX).forEach((rule, index) => {
    problems.push(...checkRule(rule, `/${index}`));
    if (seen.has(rule.id)) problems.push(problem(`/${index}/id`, `"${rule.id}" is used twice.`));
    seen.add(rule.id);
  });
  return problems;
}

function checkRule(rule: ClassifierRule, at: string): Problem[] {
  const problems: Problem[] = [];
  const say = (key: string, message: string) => problems.push(problem(`${at}/${key}`, message));
  if (!IDENTIFIER.test(rule.id)) say('id', `"${rule.id}" is not snake_case.`);
  if (!IDENTIFIER.test(rule.classification)) {
    say('classification', `"${rule.classification}" is not snake_case.`);
  }
  if (!CATEGORIES.includes(rule.category)) {
    say('category', `"${rule.category}" is none of ${CATEGORIES.join(', ')}.`);
  }
  if (!SENSITIVITIES.includes(rule.sensitivity)) {
    say('sensitivity', `"${rule.sensitivity}" is none of ${SENSITIVITIES.join(', ')}.`);
  }
  if (!rule.phrases?.length && !rule.comment?.length && !rule.typesAlone?.length) {
    say('phrases', 'A rule needs phrases, comment phrases or types of its own to ever match.');
  }
  for (const key of ['phrases', 'comment'] as const) {
    const phrases = rule[key] ?? [];
    if (phrases.length > PHRASES_MAX) say(key, `More than ${PHRASES_MAX} phrases.`);
    for (const phrase of phrases) checkPhrase(phrase, (message) => say(key, message));
  }
  for (const key of ['types', 'typesAlone'] as const) {
    for (const type of rule[key] ?? []) {
      if (!Object.hasOwn(FIELD_TYPES, type) && !Object.hasOwn(TYPE_GROUPS, type)) {
        say(key, `"${type}" is no type and no group of types.`);
      }
    }
  }
  for (const key of ['dataset', 'datasetForbids', 'requires', 'forbids'] as const) {
    for (const word of rule[key] ?? []) checkGroup(word, (message) => say(key, message));
  }
  return problems;
}

function checkPhrase(phrase: string, say: (message: string) => void): void {
  if (!PHRASE.test(phrase)) {
    say(`"${phrase}" is not words in lower case with one space between them.`);
    return;
  }
  const words = phrase.replace(/^\^|\$$/gu, '').split(' ');
  for (const word of words) checkGroup(word, say);
  if (words.filter((word) => word.startsWith('@')).length > PHRASE_GROUPS_MAX) {
    say(`"${phrase}" has more than one word group.`);
  }
}

function checkGroup(word: string, say: (message: string) => void): void {
  if (word.startsWith('@') && !Object.hasOwn(WORD_GROUPS, word.slice(1))) {
    say(`"${word}" is no word group; there are ${Object.keys(WORD_GROUPS).join(', ')}.`);
  }
}

function problem(pointer: string, message: string): Problem {
  return { pointer, code: 'classifier_rule', message };
}
