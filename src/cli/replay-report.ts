import type { RequestOutcome } from '../bundle/compare/compare-outcomes.js';
import { DIRECTIONS, type Direction } from '../bundle/compare/model.js';
import type { ReplayAnswer, ReplayChange } from '../client/wire.js';
import { escapeMarkdown, escapeTerminal } from '../util/escape.js';
import { formatTime } from './facts.js';

const CHANGES_SHOWN_MAX = 40;
const IDS_SHOWN_MAX = 3;
const NAMES_SHOWN_MAX = 5;
const SIGNS: Readonly<Record<Direction, string>> = { widening: '+', changed: '±', narrowing: '-' };

/** Which past requests would be decided differently, for people: widening first, a line for each kind, then who and which. */
export function renderReplay({ summary, changes }: ReplayAnswer): string {
  const lines = ['', 'Past requests, decided again'];
  for (const change of changes.slice(0, CHANGES_SHOWN_MAX)) lines.push(...linesOf(change));
  const more = changes.length - CHANGES_SHOWN_MAX;
  if (more > 0) lines.push(`  … and ${more} more kinds; --json lists all`);
  lines.push(countsOf(summary));
  return lines.join('\n');
}

function linesOf(change: ReplayChange): string[] {
  const { direction, dataset, from, to, count, requests, requesters, policies } = change;
  const named = [policies.from, policies.to].map((id) => id ?? 'no policy');
  return [
    `  ${SIGNS[direction]} ${count}× ${dataset}: ${wordsOf(from)} → ${wordsOf(to)}`,
    `      by ${listed(requesters, NAMES_SHOWN_MAX)}; ${named.join(' → ')}`,
    `      ${listed(requests, IDS_SHOWN_MAX, count)}`,
  ].map(escapeTerminal);
}

/** `granted, email: full` */
function wordsOf({ status, type, masks, approvals, max_rows }: RequestOutcome): string {
  if (status === 'denied') return `denied (${type ?? 'policy_denied'})`;
  const needs = approvals.map(({ approver_role, approvals: n }) => `${n} of ${approver_role}`);
  const masked = Object.entries(masks).flatMap(([field, mask]) =>
    mask === null ? [] : [`${field} ${mask.method}`],
  );
  return [
    status === 'granted' ? 'granted' : `waits for ${needs.join(' and ')}`,
    ...masked,
    ...(max_rows === null ? [] : [`${max_rows} rows`]),
  ].join(', ');
}

function listed(names: readonly string[], max: number, total = names.length): string {
  const shown = names.slice(0, max).join(', ');
  const left = total - Math.min(max, names.length);
  return left > 0 ? `${shown} and ${left} more` : shown;
}

function countsOf(summary: ReplayAnswer['summary']): string {
  const { replayed, skipped, since, truncated } = summary;
  if (since === null) return 'There are no past requests.';
  const [widening, changed, narrowing] = DIRECTIONS.map((direction) => summary[direction]);
  const same = replayed - DIRECTIONS.reduce((sum, direction) => sum + summary[direction], 0);
  const gone = skipped === 0 ? '' : `, ${skipped} of accounts that are gone`;
  const older = truncated ? '; older ones were not looked at (--replay-limit)' : '';
  return `Of ${replayed} requests since ${formatTime(since)}: ${widening} get more, ${changed} more and less, ${narrowing} less, ${same} the same${gone}${older}.`;
}

/** The same as a table of Markdown, to stand below the changes of a pull request. */
export function replayMarkdown({ summary, changes }: ReplayAnswer): string {
  const rows = changes
    .slice(0, CHANGES_SHOWN_MAX)
    .map(({ direction, dataset, from, to, count }) => {
      const cells = [direction, String(count), dataset, `${wordsOf(from)} → ${wordsOf(to)}`];
      return `| ${cells.map(escapeMarkdown).join(' | ')} |\n`;
    });
  const table =
    rows.length === 0
      ? ''
      : `| | Requests | Dataset | Change |\n|---|---|---|---|\n${rows.join('')}\n`;
  return `\n### Past requests, decided again\n\n${table}${escapeMarkdown(countsOf(summary))}\n`;
}
