import { escapeTerminal } from '../util/escape.js';

/** A text as a shell reads it, and a terminal may show it. */
export function quoteForShell(text: string): string {
  const shown = escapeTerminal(text);
  return /^[\w.@%+-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}
