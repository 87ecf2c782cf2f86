import type { Problem } from '../errors/index.js';
import { nearest } from '../util/levenshtein.js';
import { isCleanText } from '../util/utf8.js';
import { AQL_LIMITS } from './model.js';

/** A JSON object from outside. Only own keys are ever read, so `__proto__` is a key like any other. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Characters of a foreign text that a message repeats. */
const QUOTED_CHARACTERS_MAX = 64;

/** Text of a requester, as a message may repeat it: quoted, escaped, cut. */
export function quoted(text: string): string {
  const cut =
    text.length > QUOTED_CHARACTERS_MAX ? `${text.slice(0, QUOTED_CHARACTERS_MAX)}…` : text;
  // JSON.stringify also escapes a lone surrogate, so the message is always valid UTF-8.
  return JSON.stringify(cut);
}

const NEEDS_ESCAPE = /[~/]/;

/** Appends one key or index to a JSON Pointer (RFC 6901). */
export function pointerTo(pointer: string, key: string | number): string {
  if (typeof key === 'number' || !NEEDS_ESCAPE.test(key)) return `${pointer}/${key}`;
  return `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Collects problems up to the limit; the rest would be noise. */
export function report(problems: Problem[], problem: Problem): void {
  if (problems.length < AQL_LIMITS.problemsMax) problems.push(problem);
}

/** The object with none but known keys, or `undefined` and a problem. */
export function checkObject(
  value: unknown,
  pointer: string,
  known: readonly string[],
  problems: Problem[],
): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report(problems, { pointer, code: 'type', message: 'This must be an object.' });
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    report(problems, {
      pointer: pointerTo(pointer, key.slice(0, QUOTED_CHARACTERS_MAX)),
      code: 'unknown_key',
      message: `There is no key ${quoted(key)} here.`,
      suggestion:
        near === undefined ? `Known keys: ${known.join(', ')}.` : `Did you mean \`${near}\`?`,
    });
  }
  return value as JsonObject;
}

/** The own value of a key; `null` and absence are both `undefined`. */
export function ownValue(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined;
}

/** A list of at most `max` entries; absence and `[]` are the empty list. */
export function checkList(
  value: unknown,
  pointer: string,
  max: number,
  problems: Problem[],
): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    report(problems, { pointer, code: 'type', message: 'This must be a list.' });
    return [];
  }
  if (value.length > max) {
    report(problems, { pointer, code: 'limit', message: `At most ${max} entries are allowed.` });
    return [];
  }
  return value;
}

/** Whether a value is a non-empty name of clean text. */
export function isName(
  value: unknown,
  charactersMax: number = AQL_LIMITS.nameCharactersMax,
): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    !isLongerThan(value, charactersMax) &&
    isCleanText(value)
  );
}

/** By characters (code points), as JSON Schema counts them; a text of no more UTF-16 units need not be walked. */
function isLongerThan(text: string, charactersMax: number): boolean {
  return text.length > charactersMax && [...text].length > charactersMax;
}

/** A non-empty name of clean text; `undefined` and a problem for anything else, absence included. */
export function checkName(
  value: unknown,
  pointer: string,
  problems: Problem[],
  charactersMax: number = AQL_LIMITS.nameCharactersMax,
): string | undefined {
  if (isName(value, charactersMax)) return value;
  if (value === undefined || value === null) {
    report(problems, { pointer, code: 'required', message: 'This is required.' });
  } else if (typeof value !== 'string') {
    report(problems, { pointer, code: 'type', message: 'This must be a string.' });
  } else if (value === '') {
    report(problems, { pointer, code: 'empty', message: 'A name cannot be empty.' });
  } else if (isLongerThan(value, charactersMax)) {
    const message = `A name has at most ${charactersMax} characters.`;
    report(problems, { pointer, code: 'limit', message });
  } else {
    report(problems, { pointer, code: 'text', message: DIRTY_TEXT });
  }
  return undefined;
}

export const DIRTY_TEXT = 'Text must be well-formed Unicode without NUL characters.';

/** One of a set of words whatever their case, in the set's spelling; `undefined` and a problem otherwise. */
export function checkWord<Word extends string>(
  value: unknown,
  pointer: string,
  words: readonly Word[],
  problems: Problem[],
): Word | undefined {
  if (value === undefined || value === null) {
    const message = `This is required: one of ${words.join(', ')}.`;
    report(problems, { pointer, code: 'required', message });
    return undefined;
  }
  if (words.includes(value as Word)) return value as Word;
  const lower = typeof value === 'string' ? value.toLowerCase() : undefined;
  const word = words.find((candidate) => candidate.toLowerCase() === lower);
  if (word !== undefined) return word;
  const near = lower === undefined ? undefined : nearest(lower, words);
  report(problems, {
    pointer,
    code: 'enum',
    message: `This must be one of ${words.join(', ')}.`,
    ...(near === undefined ? {} : { suggestion: `Did you mean \`${near}\`?` }),
  });
  return undefined;
}

/** What `parse` makes of each entry; entries of which it makes nothing are left out. */
export function parseEntries<Part>(
  entries: readonly unknown[],
  pointer: string,
  problems: Problem[],
  parse: (value: unknown, pointer: string, problems: Problem[]) => Part | undefined,
): Part[] {
  const parts: Part[] = [];
  for (let index = 0; index < entries.length; index += 1) {
    const part = parse(entries[index], pointerTo(pointer, index), problems);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

/** A whole number from 0 to `rowsMax`; absence is 0. */
export function checkCount(value: unknown, pointer: string, problems: Problem[]): number {
  if (value === undefined) return 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) {
    if (value <= AQL_LIMITS.rowsMax) return Math.abs(value);
    const message = `This is at most ${AQL_LIMITS.rowsMax}.`;
    report(problems, { pointer, code: 'limit', message });
    return 0;
  }
  report(problems, { pointer, code: 'type', message: 'This must be a whole number, 0 or more.' });
  return 0;
}
