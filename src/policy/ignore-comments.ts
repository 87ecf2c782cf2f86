import { Lexer } from 'yaml';

/** A comment `# vkit-ignore: <code> <reason>`; it is for its own line, or for the next line that is no comment. */
export interface IgnoreComment {
  /** Where the comment stands, from 1. */
  line: number;
  column: number;
  /** The line whose findings it accepts. */
  forLine: number;
  code: string;
  reason: string;
}

const NEWLINE = 10;
const LEXER_MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);

/** The comments of a YAML text; what only looks like one inside of a text is none. */
export function ignoreComments(text: string): readonly IgnoreComment[] {
  const lines = text.split('\n');
  const found: IgnoreComment[] = [];
  let offset = 0;
  let scanned = 0;
  let line = 1;
  let lineStart = 0;
  for (const token of new Lexer().lex(text)) {
    // The lexer marks documents and scalars by control characters that are not in the text.
    if (LEXER_MARKS.has(token)) continue;
    const match = /^#\s*vkit-ignore:\s*(\S*)\s*(.*?)\s*$/.exec(token);
    if (match) {
      for (; scanned < offset; scanned += 1) {
        if (text.charCodeAt(scanned) !== NEWLINE) continue;
        line += 1;
        lineStart = scanned + 1;
      }
      found.push({
        line,
        column: offset - lineStart + 1,
        forLine: targetOf(lines, line),
        code: match[1] ?? '',
        reason: match[2] ?? '',
      });
    }
    offset += token.length;
  }
  return found;
}

function targetOf(lines: readonly string[], line: number): number {
  if (!/^\s*#/.test(lines[line - 1] ?? '')) return line;
  const next = lines.findIndex((text, index) => index >= line && !/^\s*(#.*)?\r?$/.test(text));
  return next < 0 ? line : next + 1;
}
