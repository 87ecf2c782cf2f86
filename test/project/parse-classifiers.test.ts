import { describe, expect, it } from 'vitest';
import { parseClassifiers } from '../../src/project/parse-classifiers.js';
import { createClassifier } from '../../src/schema/classification/index.js';

const parse = (text: string) => parseClassifiers(text, 'config/classifiers.yaml');

function classify(text: string, name: string, type = 'text', dataset = 't'): string {
  const { classifiers, problems } = parse(text);
  expect(problems).toEqual([]);
  const { classification, category, sensitivity } = createClassifier(
    classifiers.rules,
    classifiers.off,
  )({ dataset, name, type });
  return `${classification} ${category} ${sensitivity}`;
}

const MEMBER = `
rules:
  - id: member_number
    classification: member_number
    category: pii
    sensitivity: medium
    phrases: [member number, ^mnr$]
    types: [text, number]
    dataset_forbids: [archive]
`;

describe('config/classifiers.yaml', () => {
  it('adds classes of a project', () => {
    expect(classify(MEMBER, 'memberNumbers')).toBe('member_number pii medium');
    expect(classify(MEMBER, 'mnr', 'bigint')).toBe('member_number pii medium');
    expect(classify(MEMBER, 'mnr', 'bigint', 'archive')).toBe('generic internal low');
    expect(classify('', 'email')).toBe('email pii medium');
    expect(classify('format_version: v1\n', 'email')).toBe('email pii medium');
  });

  it('is heard before the shipped rules, and lowers what one of them takes for high only where it says so', () => {
    const rule = (more: string, phrases: string) =>
      `rules: [{id: own, classification: own, category: internal, sensitivity: low, phrases: [${phrases}]${more}}]`;
    expect(classify(rule('', 'email'), 'email')).toBe('own internal low');
    expect(classify(rule('', 'ssn'), 'ssn')).toBe('national_id pii high');
    expect(classify(rule(', lowers: true', 'ssn'), 'ssn')).toBe('own internal low');
    expect(classify(rule(', lowers: true', 'ssn'), 'ssn', 'jsonb')).toBe('own internal high');
  });

  it('silences a shipped rule for words, and for no others', () => {
    const off = 'off: [{rule: email, words: [newsletter]}]';
    expect(classify(off, 'newsletters_email')).toBe('generic internal low');
    expect(classify(off, 'email')).toBe('email pii medium');
  });

  it('has every problem named with its line and column', () => {
    const { problems, classifiers } = parse(`rules:
  - id: email
    classification: own
    category: pii
    sensitivity: high
    phrases: [Member  Number]
    dataset_forbids: ["@nobody"]
  - {id: b, classification: own, category: pii, sensitivity: high}
off:
  - {rule: emial, words: [x]}
`);
    expect(problems.map(({ file, line, column, code }) => [file, line, column, code])).toEqual([
      ['config/classifiers.yaml', 2, 5, 'classifier_rule'],
      ['config/classifiers.yaml', 6, 5, 'classifier_rule'],
      ['config/classifiers.yaml', 7, 5, 'classifier_rule'],
      ['config/classifiers.yaml', 8, 5, 'classifier_rule'],
      ['config/classifiers.yaml', 10, 6, 'classifier_rule'],
    ]);
    expect(problems.at(-1)?.suggestion).toBe('Did you mean "email"?');
    expect(classifiers).toEqual({ rules: [], off: [] });
    const form = parse('rule: []\noff:\n  - {rule: email, words: [Two Words]}\nrules: [{id: a}]\n');
    expect(form.problems.map(({ line, code }) => [line, code])).toEqual(
      expect.arrayContaining([
        [1, 'unknown_key'],
        [3, 'wrong_value'],
        [4, 'missing_key'],
      ]),
    );
    expect(parse('rules: [').problems[0]).toMatchObject({ line: 1, code: 'yaml_syntax' });
  });
});
