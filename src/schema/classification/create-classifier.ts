import { checkClassifierRules } from './check-classifier-rules.js';
import type {
  Classification,
  Classifier,
  ClassifierRule,
  Evidence,
  SilencedRule,
} from './classification.js';
import {
  type CompiledPhrase,
  type CompiledRule,
  type CompiledRules,
  compileRules,
  type PhraseIndex,
  singular,
} from './compile-rules.js';
import { elementType, isOpaqueType } from './field-types.js';
import { CLASSIFIER_RULES } from './rules/index.js';
import { splitWords } from './split-words.js';

/** Of a longer name or comment only the beginning is read. */
const TEXT_LENGTH_MAX = 512;
const READ_NAMES_MAX = 10_000;

/** A rule that spoke, and why. */
interface Finding {
  rule: CompiledRule;
  evidence: Evidence[];
  /** Words matched in the name; a type or a comment counts none. */
  weight: number;
}

/** A column, read once for all rules. */
interface Reading {
  nameWords: readonly string[];
  datasetWords: readonly string[];
  commentWords: readonly string[];
  type: string;
  isOpaque: boolean;
}

/**
 * A classifier of the shipped rules and, before them, `extraRules`: where one of those matches, no shipped rule is heard, but one
 * that says `high` where the extra rule says less and not that it `lowers`. `off` silences shipped rules for words of the name.
 * Between rules of the same standing the stricter sensitivity wins, then a classification other than `generic`, then the
 * one that matched more of the name, then the earlier one. The result is a pure function of the input.
 *
 * Whatever the rules say, a column that can hold anything (JSON, XML, binary, array, unknown type) is `high`, and a text
 * whose name has no letter that the rules could read is at least `medium`.
 *
 * @throws VkitError `config_invalid`, with all problems, if an extra rule is not sound.
 */
export function createClassifier(
  extraRules: readonly ClassifierRule[] = [],
  off: readonly SilencedRule[] = [],
): Classifier {
  checkClassifierRules(extraRules);
  const rules = compileRules(CLASSIFIER_RULES, extraRules, off);
  const read = createReader(rules.vocabulary);
  return remembered(rules, read, (input) => {
    const type = elementType(input.type);
    const reading: Reading = {
      nameWords: read(input.name),
      datasetWords: read(input.dataset),
      commentWords: input.comment ? read(input.comment) : [],
      type,
      isOpaque: isOpaqueType(input.type),
    };
    const findings = findAll(reading, rules);
    return withFloors(classificationOf(findings), input.type, reading);
  });
}

/**
 * Equal columns recur from table to table; of a dataset's name only the words that some rule asks for make a difference. What
 * was answered is kept, in bounds, and equal columns get one and the same answer.
 */
function remembered(
  { datasetWords }: CompiledRules,
  read: (text: string) => readonly string[],
  classify: Classifier,
): Classifier {
  const known = new Map<string, Classification>();
  let last = { dataset: '', words: '' };
  return (input) => {
    const { dataset, name, type, comment } = input;
    if (comment || name.length > TEXT_LENGTH_MAX) return classify(input);
    if (dataset !== last.dataset) {
      const words = read(dataset).filter((word) => datasetWords.has(word));
      last = { dataset, words: words.join(' ') };
    }
    const key = `${name}\0${type}\0${last.words}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = classify(input);
    if (known.size >= READ_NAMES_MAX) known.clear();
    known.set(key, answer);
    return answer;
  };
}

/** Reads identifiers with the rules' vocabulary. Names repeat from table to table, so what was read is kept, in bounds. */
function createReader(vocabulary: ReadonlySet<string>): (text: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (identifier) => {
    const text = identifier.slice(0, TEXT_LENGTH_MAX);
    const before = known.get(text);
    if (before !== undefined) return before;
    const words = splitWords(text).map((word) => singular(word, vocabulary));
    if (known.size >= READ_NAMES_MAX) known.clear();
    known.set(text, words);
    return words;
  };
}

function findAll(reading: Reading, rules: CompiledRules): Finding[] {
  const findings: Finding[] = [];
  eachMatch(reading.nameWords, rules.byName, (phrase, at) => {
    const beside = reading.nameWords.filter((_, i) => i < at || i >= at + phrase.words.length);
    const more = conditions(phrase.rule, reading, beside);
    if (more === null) return;
    const evidence = [evidenceOf(phrase.rule, phrase.words, 'name'), ...more];
    findings.push({ rule: phrase.rule, evidence, weight: phrase.words.length });
  });
  eachMatch(reading.commentWords, rules.byComment, (phrase) => {
    // The whole name is beside a phrase in the comment: `email_status` stays a status whatever the comment says.
    const more = conditions(phrase.rule, reading, reading.nameWords);
    if (more === null) return;
    const evidence = [evidenceOf(phrase.rule, phrase.words, 'comment'), ...more];
    findings.push({ rule: phrase.rule, evidence, weight: 0 });
  });
  for (const rule of rules.typeRules) {
    if (!rule.typesAlone.has(reading.type) || isOff(rule, reading)) continue;
    findings.push({ rule, evidence: [evidenceOf(rule, [reading.type], 'type')], weight: 0 });
  }
  return findings;
}

function eachMatch(
  words: readonly string[],
  index: PhraseIndex,
  visit: (phrase: CompiledPhrase, at: number) => void,
): void {
  words.forEach((word, at) => {
    for (const phrase of index.get(word) ?? []) {
      if (phrase.atStart && at !== 0) continue;
      if (phrase.atEnd && at + phrase.words.length !== words.length) continue;
      if (phrase.words.every((expected, i) => words[at + i] === expected)) visit(phrase, at);
    }
  });
}

/** `null` if a condition of the rule does not hold; otherwise the evidence that the conditions add. */
function conditions(
  rule: CompiledRule,
  reading: Reading,
  beside: readonly string[],
): Evidence[] | null {
  if (isOff(rule, reading)) return null;
  if (!reading.isOpaque && !rule.types.has(reading.type)) return null;
  if (beside.some((word) => rule.forbids.has(word))) return null;
  if (reading.datasetWords.some((word) => rule.datasetForbids.has(word))) return null;
  const { requires, dataset } = rule;
  if (requires !== null && !beside.some((word) => requires.has(word))) return null;
  if (dataset === null) return [];
  const matched = reading.datasetWords.filter((word) => dataset.has(word));
  return matched.length === 0 ? null : [evidenceOf(rule, matched, 'dataset')];
}

function isOff({ off }: CompiledRule, { nameWords }: Reading): boolean {
  return off.size > 0 && nameWords.some((word) => off.has(word));
}

function evidenceOf(
  rule: CompiledRule,
  matched: readonly string[],
  origin: Evidence['origin'],
): Evidence {
  return { rule: rule.rule.id, matched: [...matched], origin };
}

function classificationOf(findings: readonly Finding[]): Classification {
  const [first, ...others] = findings;
  if (first === undefined) {
    return { classification: 'generic', category: 'internal', sensitivity: 'low', because: [] };
  }
  const best = strictEnough(
    others.reduce((a, b) => (byStanding(a, b) <= 0 ? a : b), first),
    findings,
  );
  const { classification, category, sensitivity } = best.rule.rule;
  return { classification, category, sensitivity, because: reasons(best, findings) };
}

const HIGH = 2;

/** A project's own rule holds, but does not lower by the way what a shipped one takes for `high`: it has to say so. */
function strictEnough(best: Finding, findings: readonly Finding[]): Finding {
  const { precedence, rank, rule } = best.rule;
  if (precedence === 0 || rank === HIGH || rule.lowers === true) return best;
  const high = findings.filter((one) => one.rule.precedence === 0 && one.rule.rank === HIGH);
  return high.reduce((a, b) => (byStanding(a, b) <= 0 ? a : b), high[0] ?? best);
}

/** The evidence of the best finding, then that of others of the same rule, each piece once: a second word, a type. */
function reasons(best: Finding, findings: readonly Finding[]): Evidence[] {
  const because = [...best.evidence];
  for (const finding of findings) {
    if (finding === best || finding.rule !== best.rule) continue;
    for (const evidence of finding.evidence) {
      const isNew = because.every(
        (known) =>
          known.origin !== evidence.origin ||
          known.matched.join(' ') !== evidence.matched.join(' '),
      );
      if (isNew) because.push(evidence);
    }
  }
  return because;
}

function byStanding(a: Finding, b: Finding): number {
  return (
    b.rule.precedence - a.rule.precedence ||
    b.rule.rank - a.rule.rank ||
    Number(isSpecific(b)) - Number(isSpecific(a)) ||
    b.weight - a.weight ||
    a.rule.order - b.rule.order
  );
}

/** `emergency_contact_phone` is a phone number before it is something about a person. */
function isSpecific(finding: Finding): boolean {
  return finding.rule.rule.classification !== 'generic';
}

function withFloors(found: Classification, fullType: string, reading: Reading): Classification {
  if (reading.isOpaque) {
    const evidence: Evidence = { rule: 'opaque_type', matched: [fullType], origin: 'type' };
    return { ...found, sensitivity: 'high', because: [...found.because, evidence] };
  }
  const isReadable = reading.nameWords.some((word) => /[a-z]/u.test(word));
  if (found.sensitivity === 'low' && !isReadable) {
    const evidence: Evidence = { rule: 'unreadable_name', matched: [], origin: 'name' };
    return { ...found, sensitivity: 'medium', because: [...found.because, evidence] };
  }
  return found;
}
