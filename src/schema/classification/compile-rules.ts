import type { Sensitivity } from '../model.js';
import type { ClassifierRule, SilencedRule } from './classification.js';
import { expandTypes } from './field-types.js';
import { splitWords } from './split-words.js';
import { WORD_GROUPS } from './word-groups.js';

/** Shorter words that end in s are words of their own: `is`, `ss`. */
const PLURAL_LENGTH_MIN = 3;

const SENSITIVITY_RANK: Readonly<Record<Sensitivity, number>> = { low: 0, medium: 1, high: 2 };

export interface CompiledPhrase {
  rule: CompiledRule;
  words: readonly string[];
  atStart: boolean;
  atEnd: boolean;
}

export interface CompiledRule {
  rule: ClassifierRule;
  /** 1 for a rule of the user's, which speaks before the shipped ones. */
  precedence: 0 | 1;
  rank: number;
  /** Position in the table. */
  order: number;
  types: ReadonlySet<string>;
  typesAlone: ReadonlySet<string>;
  dataset: ReadonlySet<string> | null;
  datasetForbids: ReadonlySet<string>;
  requires: ReadonlySet<string> | null;
  forbids: ReadonlySet<string>;
  /** Words of the name under which the rule is not heard at all. */
  off: ReadonlySet<string>;
}

/** Phrases by their first word, so that a name is compared only with what it can match. */
export type PhraseIndex = ReadonlyMap<string, readonly CompiledPhrase[]>;

export interface CompiledRules {
  byName: PhraseIndex;
  byComment: PhraseIndex;
  typeRules: readonly CompiledRule[];
  /** The words of datasets' names that some rule asks for. */
  datasetWords: ReadonlySet<string>;
  /** Every word a rule knows; a plural that is not among them is read as its singular. */
  vocabulary: ReadonlySet<string>;
}

/** Makes rules ready to be applied. The rules have been checked: groups that do not exist stand for no word. */
export function compileRules(
  shipped: readonly ClassifierRule[],
  extra: readonly ClassifierRule[],
  off: readonly SilencedRule[] = [],
): CompiledRules {
  const all = [...extra, ...shipped];
  const vocabulary = new Set([
    ...all.flatMap(wordsOfRule),
    ...off.flatMap(({ words }) => words.flatMap(splitWords)),
  ]);
  const rules = all.map((rule, order) => {
    const isExtra = order < extra.length;
    const silenced = isExtra ? [] : off.filter((one) => one.rule === rule.id);
    return {
      ...compileRule(rule, order, isExtra ? 1 : 0, vocabulary),
      off: new Set(
        silenced
          .flatMap(({ words }) => words.flatMap(splitWords))
          .map((word) => singular(word, vocabulary)),
      ),
    };
  });
  return {
    byName: indexPhrases(
      rules.flatMap((rule) => compilePhrases(rule, rule.rule.phrases, vocabulary)),
    ),
    byComment: indexPhrases(
      rules.flatMap((rule) => compilePhrases(rule, rule.rule.comment, vocabulary)),
    ),
    typeRules: rules.filter((rule) => rule.typesAlone.size > 0),
    datasetWords: new Set(
      rules.flatMap(({ dataset, datasetForbids }) => [...(dataset ?? []), ...datasetForbids]),
    ),
    vocabulary,
  };
}

/**
 * A plural as its singular where the vocabulary has it, and any other word as it is. Rules and names go through this
 * alike, so that a rule may be written in either number.
 */
export function singular(word: string, vocabulary: ReadonlySet<string>): string {
  if (!word.endsWith('s') || word.length < PLURAL_LENGTH_MIN) return word;
  if (vocabulary.has(word.slice(0, -1))) return word.slice(0, -1);
  if (vocabulary.has(word)) return word;
  const others = [word.slice(0, -2), `${word.slice(0, -3)}y`];
  return others.find((other) => vocabulary.has(other)) ?? word;
}

function wordsOfRule(rule: ClassifierRule): string[] {
  const phrases = [...(rule.phrases ?? []), ...(rule.comment ?? [])].flatMap((phrase) =>
    barePhrase(phrase).split(' '),
  );
  const others = [rule.dataset, rule.datasetForbids, rule.requires, rule.forbids];
  return [...phrases, ...others.flatMap((list) => list ?? [])].flatMap((entry) =>
    entry.startsWith('@') ? expandEntry(entry) : splitWords(entry),
  );
}

function compileRule(
  rule: ClassifierRule,
  order: number,
  precedence: 0 | 1,
  vocabulary: ReadonlySet<string>,
): Omit<CompiledRule, 'off'> {
  const expand = (entries: readonly string[] = []) =>
    new Set(entries.flatMap(expandEntry).map((word) => singular(word, vocabulary)));
  return {
    rule,
    precedence,
    rank: SENSITIVITY_RANK[rule.sensitivity],
    order,
    types: expandTypes(rule.types ?? ['text']),
    typesAlone: expandTypes(rule.typesAlone ?? []),
    dataset: rule.dataset === undefined ? null : expand(rule.dataset),
    datasetForbids: expand(rule.datasetForbids),
    requires: rule.requires === undefined ? null : expand(rule.requires),
    forbids: expand(rule.forbids),
  };
}

/** A group's words, or the word as names are read: `num` is `number` in both. */
function expandEntry(entry: string): readonly string[] {
  const words = entry.startsWith('@') ? (WORD_GROUPS[entry.slice(1)] ?? []) : [entry];
  // What an abbreviation stands for is several words at times; the last is the one that carries the sense.
  return words.map((word) => splitWords(word).at(-1) ?? word);
}

function barePhrase(phrase: string): string {
  return phrase.replace(/^\^|\$$/gu, '');
}

function compilePhrases(
  rule: CompiledRule,
  phrases: readonly string[] | undefined,
  vocabulary: ReadonlySet<string>,
): CompiledPhrase[] {
  return (phrases ?? []).flatMap((phrase) =>
    alternatives(barePhrase(phrase).split(' ')).map((words) => ({
      rule,
      words: words.map((word) => singular(word, vocabulary)),
      atStart: phrase.startsWith('^'),
      atEnd: phrase.endsWith('$'),
    })),
  );
}

/** `@person name` to one list of words per person word. */
function alternatives(parts: readonly string[]): string[][] {
  return parts.reduce<string[][]>(
    (found, part) => {
      const choices = part.startsWith('@')
        ? expandEntry(part).map((word) => [word])
        : [splitWords(part)];
      return found.flatMap((before) => choices.map((choice) => [...before, ...choice]));
    },
    [[]],
  );
}

function indexPhrases(phrases: readonly CompiledPhrase[]): PhraseIndex {
  const index = new Map<string, CompiledPhrase[]>();
  for (const phrase of phrases) {
    const first = phrase.words[0];
    if (first === undefined) continue;
    const bucket = index.get(first);
    if (bucket === undefined) index.set(first, [phrase]);
    else bucket.push(phrase);
  }
  return index;
}
