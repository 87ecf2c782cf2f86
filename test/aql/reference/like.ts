/** Whether the text fits the pattern: `%` is anything, `_` one character, a backslash takes the next as it is. */
export function isLike(text: string, pattern: string): boolean {
  return fits([...text], [...pattern]);
}

function fits(text: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === '%') return text.some((_, at) => fits(text.slice(at), rest)) || fits([], rest);
  if (text.length === 0) return false;
  if (first === '_') return fits(text.slice(1), rest);
  if (first === '\\') return text[0] === rest[0] && fits(text.slice(1), rest.slice(1));
  return text[0] === first && fits(text.slice(1), rest);
}

/** A backslash at the end that is not itself escaped. */
export function endsInEscape(pattern: string): boolean {
  return (/\\*$/.exec(pattern)?.[0].length ?? 0) % 2 === 1;
}
