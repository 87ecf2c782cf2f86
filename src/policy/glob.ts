import { foldName } from '../util/fold-name.js';

/**
 * A matcher of names for a glob: `*` is any number of characters, `?` is one, everything else itself. Compares without
 * regard to case. Takes time linear in the product of both lengths, whatever the glob.
 */
export function compileGlob(glob: string): (name: string) => boolean {
  const folded = foldName(glob);
  if (!isGlob(glob)) return (name) => foldName(name) === folded;
  const pattern = [...folded];
  const lower = [...glob.toLowerCase()];
  return (name) =>
    matches(pattern, [...foldName(name)]) ||
    // Folding makes two letters of one (ß is ss), and a `?` stands for either.
    matches(lower, [...name.toLowerCase()]);
}

/** Tells whether a name of a policy is a pattern, which need not name anything that exists. */
export function isGlob(name: string): boolean {
  return /[*?]/.test(name);
}

function matches(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let retryFrom = 0;
  for (let index = 0; index < name.length; ) {
    const expected = pattern[at];
    if (expected === '*') {
      star = at;
      retryFrom = index;
      at += 1;
    } else if (expected !== undefined && (expected === '?' || expected === name[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      // Only the last star needs another try: an earlier one can never gain by taking more.
      at = star + 1;
      retryFrom += 1;
      index = retryFrom;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
