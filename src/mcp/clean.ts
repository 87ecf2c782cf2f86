import { toUSVString } from 'node:util';
import { escapeTerminal } from '../util/escape.js';

/** Characters of a name that a model is shown. */
const NAME_CHARACTERS_MAX = 128;
/** Characters of a sentence: a policy's reason, or what a server said. */
const TEXT_CHARACTERS_MAX = 1_000;
const DEPTH_MAX = 12;

/** Code points that nobody sees and a model reads: Unicode tags, variation selectors, fillers, annotations. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** A name or a sentence without anything that is read and not seen, on one line, cut to a bound. */
export function cleanText(text: string, charactersMax = TEXT_CHARACTERS_MAX): string {
  const cut = toUSVString(text.slice(0, charactersMax));
  const shown = escapeTerminal(cut).replace(INVISIBLE, '');
  return text.length > charactersMax ? `${shown}…` : shown;
}

/** The name of a dataset or a column, which whoever made the table has chosen. */
export function cleanName(name: string): string {
  return cleanText(name, NAME_CHARACTERS_MAX);
}

/** Plain data with every text in it cleaned, keys included. */
export function cleanAll<T>(value: T, depth = 0): T {
  return cleaned(value, depth) as T;
}

function cleaned(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEPTH_MAX) return null;
  if (Array.isArray(value)) return value.map((item) => cleaned(item, depth + 1));
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.map(([key, item]) => [cleanName(key), cleaned(item, depth + 1)]),
  );
}

/**
 * Whether a name may stand in the description of a tool, which a model takes for an instruction: an identifier, and no
 * sentence.
 */
export function isPlainName(name: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_$.-]{0,63}$/u.test(name) && cleanName(name) === name;
}
