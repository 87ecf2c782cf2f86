/** A PEM text, or the base64 of a DER structure, which begins with M; both given where a path belongs. */
const KEY_TEXT = /-----|[\r\n]|M[A-Za-z0-9+/=]{31,}/;

/**
 * A path of a key file as an error may show it. A key itself, given in the place of its path, is a common slip in a pipeline,
 * and its text must not come back in a message.
 */
export function shownPath(path: string): string {
  return KEY_TEXT.test(path) ? '(not shown: it looks like a key, not like a path)' : path;
}
