import { escapeMarkdown } from '../../util/escape.js';
import { type ChangeGroup, groupChanges } from './group-changes.js';
import { type BundleChange, type BundleComparison, DIRECTIONS, type Direction } from './model.js';
import {
  wordsOfBundleChange,
  wordsOfChange,
  wordsOfContent,
  wordsOfRequesters,
  wordsOfSubject,
} from './words.js';

/** GitHub refuses a pull request body beyond 65,536 characters. */
const CHARACTERS_MAX = 60_000;
const PLACES_MAX = 20;
const NAMES_MAX = 20;
const NAME_CHARACTERS_MAX = 200;
/** All that a requester can be told apart by may be long; what is cut is in the JSON. */
const REQUESTERS_CHARACTERS_MAX = 600;

const HEADINGS: Readonly<Record<Direction, string>> = {
  widening: '### ⚠️ Widening',
  changed: '### ⚠️ Widening and narrowing at once',
  narrowing: '### Narrowing',
};

/**
 * A comparison as Markdown, made to be the body of a pull request: a table of changes for each direction, widening first,
 * and what of the content differs. Names are literals in it: no link, mention, HTML or code. Cut where GitHub would refuse
 * the rest, from the end.
 */
export function renderComparisonMarkdown(
  comparison: BundleComparison,
  from: string,
  to: string,
): string {
  const { summary, changes, warnings } = comparison;
  let text = `## Policy changes\n\n${name(from)} → ${name(to)}\n\n`;
  text += `${countsOf(summary)}\n`;
  for (const warning of warnings) text += `\n⚠️ ${escapeMarkdown(warning)}\n`;
  const content = contentOf(comparison);
  let cut = 0;
  for (const direction of DIRECTIONS) {
    const others = comparison.bundle_changes.filter((change) => change.direction === direction);
    const rows = [...others.map(rowOfPointer), ...groupChanges(changes, direction).map(rowOf)];
    if (rows.length === 0) continue;
    text += `\n${HEADINGS[direction]}\n\n| Where | Change | For whom |\n|---|---|---|\n`;
    for (const row of rows) {
      if (text.length + row.length + content.length > CHARACTERS_MAX) cut += 1;
      else text += row;
    }
  }
  if (cut > 0) text += `\n${cut} more rows; \`vkit policy diff --json\` lists all.\n`;
  return text + content;
}

/** `2 changes widen, 1 widens and narrows, 3 narrow.`, and of none how far that can be said. */
export function countsOf(summary: BundleComparison['summary']): string {
  const words: Readonly<Record<Direction, readonly [string, string]>> = {
    widening: ['widens', 'widen'],
    changed: ['widens and narrows', 'widen and narrow'],
    narrowing: ['narrows', 'narrow'],
  };
  if (summary.widening + summary.changed + summary.narrowing === 0) {
    const compared = summary.not_compared > 0 ? ' in what could be compared' : '';
    return `No decision changes${compared}.`;
  }
  const present = DIRECTIONS.filter((direction) => summary[direction] > 0);
  const counts = present.map((direction, index) => {
    const count = summary[direction];
    const noun = index > 0 ? '' : count === 1 ? ' change' : ' changes';
    return `${count.toLocaleString('en-US')}${noun} ${words[direction][count === 1 ? 0 : 1]}`;
  });
  return `${counts.join(', ')}.`;
}

function rowOf({ change, places }: ChangeGroup): string {
  const requesters = wordsOfRequesters(change);
  const cells = [
    listed(places, PLACES_MAX),
    escapeMarkdown(wordsOfChange(change)),
    escapeMarkdown(cutAt(requesters, REQUESTERS_CHARACTERS_MAX)),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

function rowOfPointer(change: BundleChange): string {
  const what = cutAt(wordsOfBundleChange(change), REQUESTERS_CHARACTERS_MAX);
  return `| ${name(wordsOfSubject(change))} | ${escapeMarkdown(what)} | everybody |\n`;
}

function contentOf(comparison: BundleComparison): string {
  const lines = wordsOfContent(comparison).map(
    ([what, names]) => `- ${what}: ${listed(names, NAMES_MAX)}\n`,
  );
  return lines.length === 0 ? '' : `\n### Content\n\n${lines.join('')}`;
}

function listed(names: readonly string[], max: number): string {
  const more = names.length - max;
  const shown = names.slice(0, max).map(name).join(', ');
  return more > 0 ? `${shown} and ${more.toLocaleString('en-US')} more` : shown;
}

function name(text: string): string {
  return escapeMarkdown(cutAt(text, NAME_CHARACTERS_MAX));
}

function cutAt(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
