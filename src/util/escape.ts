// C0 and C1 controls, DEL, and the marks that reorder or hide text (bidirectional controls, zero
// width, line and paragraph separators): data that a terminal obeys instead of showing.
const CONTROLS = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** Text that a terminal shows and does not obey, on one line: `\n` becomes `\\n`, ESC `\\u001b`. */
export function escapeTerminal(text: string): string {
  return text.replace(CONTROLS, escapeOne);
}

/** As `escapeTerminal`, for text of several lines: newlines and tabs stay. */
export function escapeTerminalLines(text: string): string {
  return text.replace(CONTROLS, (found) =>
    found === '\n' || found === '\t' ? found : escapeOne(found),
  );
}

function escapeOne(found: string): string {
  if (found === '\n') return '\\n';
  if (found === '\r') return '\\r';
  if (found === '\t') return '\\t';
  return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A zero-width space: GitHub looks for mentions and issues in the rendered text, where escapes and entities are gone. */
const BREAK = '&#8203;';

/** Text as a literal in Markdown, also in a table cell: no link, image, HTML, mention, reference to an issue, or code. */
export function escapeMarkdown(text: string): string {
  // Punctuation first: an entity's own `#` must stay as it is.
  return escapeTerminal(text)
    .replace(/[\\`*_{}[\]()#+\-.!|~:]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@/g, `&#64;${BREAK}`)
    .replace(/\\#|\bGH\\-(?=\d)/gi, `$&${BREAK}`);
}

/** What a spreadsheet takes for a number, and nothing that it would compute. */
const DECIMAL = /^-\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?$/i;

/**
 * One field of a CSV file (RFC 4180). A text that a spreadsheet would run as a formula gets an
 * apostrophe in front (OWASP, "CSV Injection"); numbers pass as they are, also negative ones and those that are text
 * because they have too many digits.
 */
export function escapeCsvCell(value: string | number | bigint | boolean | null): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const runs = /^[=+\-@\t\r\n]|^\s+[=+\-@]/.test(value) && !DECIMAL.test(value);
  const text = runs ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
