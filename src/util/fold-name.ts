const ASCII = /^[\0-\x7f]*$/;
/** The dotless i is a letter of its own, though its capital is that of i. */
const DOTLESS = 'ı';
const BUT_DOTLESS = /[^ı]+/g;

/**
 * The form in which names that differ only by case are equal: canonical caseless matching (The Unicode Standard, 3.13, D145),
 * without a language. So Σ, σ and ς are one, ß is ss, and a letter with its mark is the same in one character or in two.
 */
export function foldName(name: string): string {
  const lower = name.toLowerCase();
  if (ASCII.test(lower)) return lower;
  return name
    .normalize('NFD')
    .replace(BUT_DOTLESS, (part) => part.toLowerCase().toUpperCase().toLowerCase())
    .replaceAll('ς', 'σ')
    .normalize('NFC');
}

/** The form in which names are equal that people could take for each other: beyond `foldName`, compatible characters and i without its dot. */
export function skeletonOf(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase();
  return foldName(name.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll(DOTLESS, 'i'));
}
