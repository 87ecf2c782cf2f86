/**
 * Whether the text fits the pattern: `%` is anything, `_` one character, a backslash takes the next as it is. Each part of
 * the pattern is taken once, with all places of the text that the parts before it can reach: trying them one by one would
 * take years for a pattern of many `%`.
 */
export function isLike(text: string, pattern: string): boolean {
  const characters = [...text];
  const parts = [...pattern];
  let reached = new Set([0]);
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at];
    if (part === '%') {
      const first = Math.min(...reached, characters.length + 1);
      reached = new Set(Array.from({ length: characters.length + 1 - first }, (_, n) => first + n));
      continue;
    }
    const isAny = part === '_';
    const wanted = part === '\\' ? parts[++at] : part;
    const fitting = [...reached].filter(
      (place) => place < characters.length && (isAny || characters[place] === wanted),
    );
    reached = new Set(fitting.map((place) => place + 1));
  }
  return reached.has(characters.length);
}

/** A backslash at the end that is not itself escaped. */
export function endsInEscape(pattern: string): boolean {
  return (/\\*$/.exec(pattern)?.[0].length ?? 0) % 2 === 1;
}
