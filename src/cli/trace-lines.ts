import { namesOf } from '../policy/compile-match.js';
import type { ExplainedPolicy } from '../policy/explain-policies.js';
import { escapeTerminal } from '../util/escape.js';
import { wrap } from '../util/wrap.js';
import { coloursFor } from './colours.js';
import { terminalWidth } from './terminal-width.js';

/** More lines than somebody reads; `--json` has all. */
const LINES_MAX = 40;
/** Below the name of a policy, where the reasons have no room beside it. */
const INDENT = '        ';

/**
 * What every policy did, for people, indented by two: those that held, the near misses, the rest; at most 40 of them.
 * `affected` names the fields on which a policy acts.
 */
export function traceLines(
  trace: readonly ExplainedPolicy[],
  affected: ReadonlyMap<string, readonly string[]> = new Map(),
): string[] {
  const { dim, green, yellow } = coloursFor(process.stdout);
  const rank = (entry: ExplainedPolicy) => {
    if (entry.matched !== 'no' && !entry.near_miss) return 0;
    return entry.near_miss ? 1 : 2;
  };
  const sorted = [...trace].sort((a, b) => rank(a) - rank(b));
  const shown = sorted.slice(0, LINES_MAX);
  const width = Math.max(0, ...shown.map(({ policy_id: id }) => id.length));
  const lines = shown.flatMap((entry) => {
    const mark = { yes: green('✓'), undecided: yellow('?'), no: dim('·') }[entry.matched];
    const name = escapeTerminal(entry.policy_id).padEnd(width);
    const fields = affected.get(entry.policy_id) ?? [];
    const on = fields.length === 0 ? '' : ` on ${namesOf(fields)}`;
    return besideOrBelow(
      `  ${mark} ${name}  ${entry.action}${escapeTerminal(on)}:`,
      6 + width + entry.action.length + on.length,
      escapeTerminal(becauseOf(entry)),
    );
  });
  const more = sorted.length - shown.length;
  return more === 0 ? lines : [...lines, dim(`  … and ${more} more; --json has all of them`)];
}

/** A text after the head of its line, or below it, indented and wrapped, where a terminal has no room for it there. */
export function besideOrBelow(head: string, headLength: number, text: string): string[] {
  const width = terminalWidth();
  if (width === null || headLength + 1 + text.length <= width) return [`${head} ${text}`];
  return [head.trimEnd(), ...wrap(text, width - INDENT.length).map((line) => `${INDENT}${line}`)];
}

/** Why, as one text: of what did not match, all that failed. */
export function becauseOf({ matched, because, failed }: ExplainedPolicy): string {
  const reasons = failed.map((one) => one.because);
  return `${reasons.join('; ') || because}${matched === 'undecided' ? ' (undecided)' : ''}`;
}
