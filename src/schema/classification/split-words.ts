import { COMPOUND_HEADS, COMPOUND_PARTS, COMPOUND_TAILS, WORD_ALIASES } from './compound-words.js';

/** No engine of ours has longer identifiers; what is longer is not read further. */
const NAME_LENGTH_MAX = 512;
/** Longer words are not taken apart, which keeps the work of a hostile name small. */
const COMPOUND_LENGTH_MAX = 48;

/**
 * The words of an identifier, in lower case and without accents: `shipping_address`, `shippingAddress` and
 * `ShippingAddress` are `shipping`, `address`; `SSNNumber` is `ssn`, `number`; `address2` is `address`, `2`; `phoneno` is
 * `phone`, `number`. Abbreviations are written out. Letters of other scripts stay as they are. At most the first 512
 * characters are read.
 */
export function splitWords(identifier: string): string[] {
  const words: string[] = [];
  for (const chunk of foldAccents(identifier.slice(0, NAME_LENGTH_MAX)).split(/[^\p{L}\p{N}]+/u)) {
    if (chunk !== '') words.push(...wordsOfChunk(chunk));
  }
  return words;
}

/** `Prénom` to `Prenom`, `Straße` to `Strasse`; half of all German columns are spelled without the umlaut anyway. */
function foldAccents(text: string): string {
  // Plain ASCII is nearly every identifier there is.
  if (/^[\x20-\x7e]*$/u.test(text)) return text;
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replaceAll('ß', 'ss')
    .replace(/[øØ]/gu, 'o')
    .replace(/[æÆ]/gu, 'ae')
    .replace(/[łŁ]/gu, 'l')
    .replace(/ı/gu, 'i');
}

function wordsOfChunk(chunk: string): readonly string[] {
  const whole = WORD_ALIASES.get(chunk.toLowerCase());
  if (whole !== undefined) return whole;
  // Most names are snake_case, where nothing is left to break at.
  if (/^[a-z]+$/u.test(chunk)) return wordsOfRun(chunk);
  return chunk
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, splitAcronym)
    .split(' ')
    .flatMap((part) => wordsOfPart(part.toLowerCase()));
}

/** `SSNNumber` breaks before the last capital; the plural of an acronym (`IDs`, `URLs`) does not break. */
function splitAcronym(
  pair: string,
  before: string,
  start: string,
  at: number,
  all: string,
): string {
  const isPlural = start.endsWith('s') && !/\p{Ll}/u.test(all[at + pair.length] ?? '');
  return isPlural ? pair : `${before} ${start}`;
}

function wordsOfPart(part: string): readonly string[] {
  const alias = WORD_ALIASES.get(part);
  if (alias !== undefined) return alias;
  return (part.match(/\p{N}+|[^\p{N}]+/gu) ?? []).flatMap(wordsOfRun);
}

function wordsOfRun(run: string): readonly string[] {
  const alias = WORD_ALIASES.get(run);
  if (alias !== undefined) return alias;
  if (COMPOUND_PARTS.has(run) || run.length > COMPOUND_LENGTH_MAX) return [run];
  const parts = cover(run, 0, new Map());
  return parts === null || parts.length < 2
    ? [run]
    : parts.flatMap((p) => WORD_ALIASES.get(p) ?? [p]);
}

/** Covers `word` from `start` with known parts, longest first; null where they leave a rest. */
function cover(word: string, start: number, known: Map<number, string[] | null>): string[] | null {
  if (start === word.length) return [];
  const before = known.get(start);
  if (before !== undefined) return before;
  let found: string[] | null = null;
  for (let end = word.length; end > start + 1 && found === null; end -= 1) {
    const part = word.slice(start, end);
    if (!isPart(part, start === 0, end === word.length)) continue;
    const rest = cover(word, end, known);
    if (rest !== null) found = [part, ...rest];
  }
  known.set(start, found);
  return found;
}

function isPart(part: string, isHead: boolean, isTail: boolean): boolean {
  if (COMPOUND_PARTS.has(part)) return true;
  // `events`, and the joint of `guardiansname`.
  if (part.endsWith('s') && COMPOUND_PARTS.has(part.slice(0, -1))) return true;
  return (isHead && COMPOUND_HEADS.has(part)) || (isTail && COMPOUND_TAILS.has(part));
}
