import { formatDuration } from '../util/duration.js';
import { escapeTerminal } from '../util/escape.js';

/** What is said of one thing: its name, and its value; a fact without one is left out. */
export type Fact = readonly [name: string, value: string | number | null | undefined];

/** Facts for people, a line each, indented and aligned. Values are shown and never obeyed by the terminal. */
export function renderFacts(facts: readonly Fact[]): string {
  const said = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(0, ...said.map(([name]) => name.length));
  return said
    .map(([name, value]) => `  ${name.padEnd(width)}  ${escapeTerminal(String(value))}`)
    .join('\n');
}

/** A moment in UTC and how far off it is: `2026-03-01 10:15:00 UTC (in 14m 59s)`, `(2h ago)`. */
export function formatMoment(text: string, now: number): string {
  if (Number.isNaN(Date.parse(text))) return text;
  return `${formatTime(text)} (${formatDistance(text, now)})`;
}

/** How far off a moment is: `in 14m 59s`, `2h ago`, `now`. */
export function formatDistance(text: string, now: number): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return text;
  const seconds = Math.round((time - now) / 1000);
  if (seconds === 0) return 'now';
  const distance = formatDuration(Math.abs(seconds));
  return seconds > 0 ? `in ${distance}` : `${distance} ago`;
}

/** A moment in UTC to the second: `2026-03-01 10:15:00 UTC`. */
export function formatTime(text: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return text;
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
