import { isCleanText } from '../util/utf8.js';

const STRING_OR_SPACE = /"(?:[^"\\]|\\.)*"|[ \t\r\n]+/g;

/**
 * The same JSON document without the whitespace between its tokens, every number and string written
 * as it was; `undefined` where the text is no JSON document (RFC 8259).
 */
export function compactJson(text: string): string | undefined {
  if (!isCleanText(text)) return undefined;
  try {
    JSON.parse(text);
  } catch {
    // Whatever JSON.parse refuses, its stack's depth included, is no document to embed.
    return undefined;
  }
  return text.replace(STRING_OR_SPACE, (token) => (token.startsWith('"') ? token : ''));
}
