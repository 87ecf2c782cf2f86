import schema from '../../schemas/classifiers.schema.json' with { type: 'json' };
import type { Problem } from '../errors/index.js';
import { classifierRuleProblems } from '../schema/classification/check-classifier-rules.js';
import type {
  ClassifierRule,
  ProjectClassifiers,
} from '../schema/classification/classification.js';
import { CLASSIFIER_RULES } from '../schema/classification/rules/index.js';
import { nearest } from '../util/levenshtein.js';
import { checkYaml } from './yaml-problems.js';

export const NO_CLASSIFIERS: ProjectClassifiers = { rules: [], off: [] };

/** How `config/classifiers.yaml` writes the keys of a rule that are two words. */
const KEYS = { types_alone: 'typesAlone', dataset_forbids: 'datasetForbids' } as const;

interface WrittenFile {
  rules?: (Omit<ClassifierRule, 'typesAlone' | 'datasetForbids'> & {
    [Key in keyof typeof KEYS]?: readonly string[];
  })[];
  off?: { rule: string; words: string[] }[];
}

/**
 * Reads `config/classifiers.yaml`: the project's own rules of classification, and shipped rules that are off for some words.
 * With problems there are none of either, and whoever classifies has to refuse: half of the rules could leave a column open.
 */
export function parseClassifiers(
  text: string,
  file: string,
): { classifiers: ProjectClassifiers; problems: Problem[] } {
  const { value, problems, problemAt } = checkYaml(text, file, schema);
  if (problems.length > 0) return { classifiers: NO_CLASSIFIERS, problems };
  const { rules: written = [], off = [] } = value as WrittenFile;
  const rules = written.map(({ types_alone, dataset_forbids, ...rule }) => ({
    ...rule,
    ...(types_alone === undefined ? {} : { typesAlone: types_alone }),
    ...(dataset_forbids === undefined ? {} : { datasetForbids: dataset_forbids }),
  }));
  const shipped = CLASSIFIER_RULES.map(({ id }) => id);
  const found = [
    ...classifierRuleProblems(rules).map(({ pointer = '', code, message }) =>
      problemAt(['rules', ...pathOf(pointer)], code, message),
    ),
    ...rules.flatMap(({ id }, index) => {
      const message = `"${id}" is the name of a shipped rule.`;
      const suggestion = 'Give the rule a name of its own: reasons name rules.';
      return shipped.includes(id)
        ? [problemAt(['rules', index, 'id'], 'classifier_rule', message, suggestion)]
        : [];
    }),
    ...off.flatMap(({ rule }, index) => {
      if (shipped.includes(rule)) return [];
      const near = nearest(rule, shipped);
      const message = `There is no shipped rule "${rule}".`;
      const suggestion =
        near === undefined ? '`vkit scan --explain` names rules.' : `Did you mean "${near}"?`;
      return [problemAt(['off', index, 'rule'], 'classifier_rule', message, suggestion)];
    }),
  ];
  const inOrder = found.sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  return inOrder.length > 0
    ? { classifiers: NO_CLASSIFIERS, problems: inOrder }
    : { classifiers: { rules, off }, problems: [] };
}

/** A JSON Pointer into the rules as the file writes their keys. */
function pathOf(pointer: string): (string | number)[] {
  const [index = '', key] = pointer.split('/').slice(1);
  if (index === '') return [];
  const written = Object.entries(KEYS).find(([, name]) => name === key)?.[0] ?? key;
  return written === undefined ? [Number(index)] : [Number(index), written];
}
