import type { Sensitivity } from '../model.js';
import type { ClassifierRule } from './classification.js';
import { expandTypes } from './field-types.js';
import { splitWords } from './split-words.js';
import { WORD_GROUPS } from './word-groups.js';

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
}

/** Phrases by their first word, so that a name is compared only with what it can match. */
export type PhraseIndex = ReadonlyMap<string, readonly CompiledPhrase[]>;

export interface CompiledRules {
  byName: PhraseIndex;
  byComment: PhraseIndex;
  typeRules: readonly CompiledRule[];
  /** Every word a rule knows; a plural that is not among them is read as its singular. */
  vocabulary: ReadonlySet<string>;
}

/** Makes rules ready to be applied. The rules have been checked: groups that do not exist stand for no word. */
export function compileRules(
  shipped: readonly ClassifierRule[],
  extra: readonly ClassifierRule[],
): CompiledRules {
  const rules = [...extra, ...shipped].map((rule, order) =>
    compileRule(rule, order, order < extra.length ? 1 : 0),
  );
  const named = rules.flatMap((rule) => compilePhrases(rule, rule.rule.phrases ?? []));
  const commented = rules.flatMap((rule) => compilePhrases(rule, rule.rule.comment ?? []));
  const vocabulary = new Set([...named, ...commented].flatMap((phrase) => phrase.words));
  for (const rule of rules) {
    for (const set of [rule.dataset, rule.datasetForbids, rule.requires, rule.forbids]) {
      for (const word of set ?? []) vocabulary.add(word);
    }
  }
  return {
    byName: indexPhrases(named),
    byComment: indexPhrases(commented),
    typeRules: rules.filter((rule) => rule.typesAlone.size > 0),
    vocabulary,
  };
}

function compileRule(rule: ClassifierRule, order: number, precedence: 0 | 1): CompiledRule {
  return {
    rule,
    precedence,
    rank: SENSITIVITY_RANK[rule.sensitivity],
    order,
    types: expandTypes(rule.types ?? ['text']),
    typesAlone: expandTypes(rule.typesAlone ?? []),
    dataset: rule.dataset === undefined ? null : expandWords(rule.dataset),
    datasetForbids: expandWords(rule.datasetForbids ?? []),
    requires: rule.requires === undefined ? null : expandWords(rule.requires),
    forbids: expandWords(rule.forbids ?? []),
  };
}

function expandWords(entries: readonly string[]): ReadonlySet<string> {
  return new Set(entries.flatMap(expandEntry));
}

/** A group's words, or the word as names are read: `num` is `number` in both. */
function expandEntry(entry: string): readonly string[] {
  const words = entry.startsWith('@') ? (WORD_GROUPS[entry.slice(1)] ?? []) : [entry];
  // What an abbreviation stands for is several words at times; the last is the one that carries the sense.
  return words.map((word) => splitWords(word).at(-1) ?? word);
}

function compilePhrases(rule: CompiledRule, phrases: readonly string[]): CompiledPhrase[] {
  return phrases.flatMap((phrase) => {
    const atStart = phrase.startsWith('^');
    const atEnd = phrase.endsWith('$');
    const bare = phrase.slice(atStart ? 1 : 0, atEnd ? -1 : undefined);
    return alternatives(bare.split(' ')).map((words) => ({ rule, words, atStart, atEnd }));
  });
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
