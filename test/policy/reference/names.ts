import type { BundleDataset } from '../../../src/bundle/model.js';
import type { Note } from './note.js';

/** Names compare "case-insensitively". */
export function sameName(a: string, b: string): boolean {
  return caseless(a) === caseless(b);
}

/** By Unicode's caseless matching, letter by letter; the dotless i is no i. */
function caseless(name: string): string {
  const letters = [...name.normalize('NFD')].map((letter) =>
    letter === 'ı' ? letter : letter.toLowerCase().toUpperCase(),
  );
  return letters.join('').normalize('NFC');
}

/** "A name, a glob, or a list of them": whether one of the names is one that is wanted. */
export function isOneOf(
  wanted: string | readonly string[],
  names: readonly string[],
  what: string,
  note: Note,
): boolean {
  const globs = typeof wanted === 'string' ? [wanted] : wanted;
  const found = names.some((name) => globs.some((glob) => isLike(glob, name)));
  note('names', what, shapeOf(wanted), found ? 'yes' : 'no');
  return found;
}

/** `*` is any number of characters, `?` is one, everything else is itself. */
export function isLike(glob: string, name: string): boolean {
  return /[*?]/.test(glob)
    ? isLikeFrom([...caseless(glob)], 0, [...caseless(name)], 0) ||
        isLikeFrom([...glob.toLowerCase()], 0, [...name.toLowerCase()], 0)
    : sameName(glob, name);
}

/** Whether the glob from its g-th character on is like the name from its n-th on. */
function isLikeFrom(
  glob: readonly string[],
  g: number,
  name: readonly string[],
  n: number,
): boolean {
  const [expected, character] = [glob[g], name[n]];
  if (expected === undefined) return character === undefined;
  if (expected === '*') {
    return (
      isLikeFrom(glob, g + 1, name, n) || (n < name.length && isLikeFrom(glob, g, name, n + 1))
    );
  }
  const fits = expected === '?' || expected === character;
  return character !== undefined && fits && isLikeFrom(glob, g + 1, name, n + 1);
}

/**
 * "With the registry key and with its forms without the datasource and the schema": the key, and the key without either
 * or both of the prefixes that it has.
 */
export function namesOfDataset({ name, datasource, table }: BundleDataset): readonly string[] {
  const [source, rest] = splitPrefix(name, datasource);
  const [schema, bare] = splitPrefix(rest, table.schema);
  return [source + schema + bare, source + bare, schema + bare, bare];
}

/** The prefix with its dot where the name begins with it and goes on, and what follows. */
function splitPrefix(name: string, prefix: string): [string, string] {
  const start = `${prefix}.`;
  const begins = prefix !== '' && sameName(name.slice(0, start.length), start);
  return begins && name.length > start.length
    ? [name.slice(0, start.length), name.slice(start.length)]
    : ['', name];
}

function shapeOf(wanted: string | readonly string[]): string {
  if (typeof wanted !== 'string') return 'list';
  return /[*?]/.test(wanted) ? 'glob' : 'name';
}
