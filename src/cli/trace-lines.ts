import type { ExplainedPolicy } from '../policy/explain-policies.js';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';

/** More lines than somebody reads; `--json` has all. */
const LINES_MAX = 40;

/** What every policy did, for people, indented by two: those that held, the near misses, the rest; at most 40 lines. */
export function traceLines(trace: readonly ExplainedPolicy[]): string[] {
  const { dim, green, yellow } = coloursFor(process.stdout);
  const rank = (entry: ExplainedPolicy) => {
    if (entry.matched !== 'no' && !entry.near_miss) return 0;
    return entry.near_miss ? 1 : 2;
  };
  const sorted = [...trace].sort((a, b) => rank(a) - rank(b));
  const shown = sorted.slice(0, LINES_MAX);
  const width = Math.max(0, ...shown.map(({ policy_id: id }) => id.length));
  const lines = shown.map((entry) => {
    const mark = { yes: green('✓'), undecided: yellow('?'), no: dim('·') }[entry.matched];
    const name = escapeTerminal(entry.policy_id).padEnd(width);
    return `  ${mark} ${name}  ${entry.action}: ${escapeTerminal(becauseOf(entry))}`;
  });
  const more = sorted.length - shown.length;
  return more === 0 ? lines : [...lines, dim(`  … and ${more} more; --json has all of them`)];
}

/** Why, as one text: of a near miss the one thing that failed. */
export function becauseOf({ matched, because, near_miss, failed }: ExplainedPolicy): string {
  if (near_miss) return failed[0]?.because ?? because;
  const more = failed.length > 1 ? ` (${failed.length} things failed)` : '';
  return `${because}${matched === 'undecided' ? ' (undecided)' : ''}${more}`;
}
