import type { ScanOptions } from './contract.js';

/**
 * Tells which tables a scan covers: those that match a glob of `include` (all where it is absent or
 * empty) and none of `exclude`. A glob is compared with the whole of `schema.table`, letter by
 * letter; `*` stands for any number of characters, the dot included, `?` for one.
 */
export function tableFilter(options: ScanOptions = {}): (schema: string, name: string) => boolean {
  const include = options.include ?? [];
  const exclude = options.exclude ?? [];
  return (schema, name) => {
    const full = `${schema}.${name}`;
    if (exclude.some((glob) => matchesGlob(glob, full))) return false;
    return include.length === 0 || include.some((glob) => matchesGlob(glob, full));
  };
}

/** Greedy with one point to come back to: the time is at most the product of both lengths. */
function matchesGlob(glob: string, text: string): boolean {
  let at = 0;
  let index = 0;
  let star = -1;
  let resume = 0;
  while (index < text.length) {
    if (glob[at] === '*') {
      star = at;
      at += 1;
      resume = index;
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === text[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      index = resume;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at += 1;
  return at === glob.length;
}
