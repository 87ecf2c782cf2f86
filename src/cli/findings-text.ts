import type { Finding } from '../policy/validate-policies.js';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';

/** Findings for people: `file:line:column  error  sentence  (code)`, and what to write instead below it. */
export function renderFindings(
  findings: readonly Finding[],
  stream: NodeJS.WriteStream = process.stdout,
): string {
  const { red, yellow, dim } = coloursFor(stream);
  return findings
    .flatMap(({ file, line, column, severity, code, message, suggestion }) => {
      const level = severity === 'error' ? red('error') : yellow('warning');
      const place = escapeTerminal(`${file}:${line}:${column}`);
      const sentence = escapeTerminal(message);
      return [
        `${place}  ${level}  ${sentence} ${dim(`(${code})`)}`,
        ...(suggestion === undefined ? [] : [`    ${dim(escapeTerminal(suggestion))}`]),
      ];
    })
    .join('\n');
}

/** `2 errors, 1 warning`; `''` where there is nothing. */
export function countFindings(findings: readonly Finding[]): string {
  return (['error', 'warning'] as const)
    .map((level) => [level, findings.filter(({ severity }) => severity === level).length] as const)
    .filter(([, number]) => number > 0)
    .map(([level, number]) => `${number} ${level}${number === 1 ? '' : 's'}`)
    .join(', ');
}
