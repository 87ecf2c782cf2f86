/**
 * Tells whether a string is text that every database and file takes as it is: no lone surrogate
 * (which UTF-8 cannot express) and no NUL (which PostgreSQL refuses and C libraries cut at).
 */
export function isCleanText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

/** Decodes bytes as UTF-8; `undefined` where they are not valid UTF-8, never replacement characters. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The decoder's only error is invalid input, which is what `undefined` says.
    return undefined;
  }
}
