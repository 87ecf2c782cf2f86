/** A string, a number or a word, whole; or one character of punctuation. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}[\],:"]+|[{}[\],:]/g;

const INDENT = '  ';

/**
 * JSON text as `JSON.stringify(value, null, 2)` lays it out, with every token as it stands: numbers keep all of their digits, and
 * keys their order, however often they are there. The text must be JSON.
 */
export function indentJson(text: string): string {
  const pieces: string[] = [];
  let indent = '';
  let before = '';
  for (const [token] of text.matchAll(TOKEN)) {
    const closes = token === '}' || token === ']';
    const isEmpty = closes && (before === '{' || before === '[');
    if (closes) indent = indent.slice(INDENT.length);
    if (!isEmpty && (closes || before === '{' || before === '[' || before === ','))
      pieces.push(`\n${indent}`);
    pieces.push(token === ':' ? ': ' : token);
    if (token === '{' || token === '[') indent += INDENT;
    before = token;
  }
  return pieces.join('');
}
