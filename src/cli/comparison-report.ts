import { type ChangeGroup, groupChanges } from '../bundle/compare/group-changes.js';
import {
  type BundleChange,
  type BundleComparison,
  DIRECTIONS,
  type Direction,
} from '../bundle/compare/model.js';
import { countsOf } from '../bundle/compare/render-markdown.js';
import {
  wordsOfBundleChange,
  wordsOfChange,
  wordsOfContent,
  wordsOfRequesters,
  wordsOfSubject,
} from '../bundle/compare/words.js';
import { escapeTerminal } from '../util/escape.js';
import { wrap } from '../util/wrap.js';
import { coloursFor } from './colours.js';

const COLUMNS = 120;
const INDENT = '      ';
/** How many changes of a direction are shown, and how many fields of each. */
const GROUPS_MAX = 60;
const PLACES_MAX = 8;
const NAMES_MAX = 12;
const NAME_CHARACTERS_MAX = 100;

const HEADINGS: Readonly<Record<Direction, string>> = {
  widening: 'Widening',
  changed: 'Widening and narrowing at once',
  narrowing: 'Narrowing',
};
const SIGNS: Readonly<Record<Direction, string>> = { widening: '+', changed: '±', narrowing: '-' };

/**
 * A comparison of bundles for people: each change with where it is, from what to what, and for whom, widening first; then
 * what of the content differs. No line is longer than 120 columns, and names are shown and not obeyed.
 */
export function renderComparison(comparison: BundleComparison): string {
  const { bold } = coloursFor(process.stdout);
  const { summary, changes, bundle_changes: pointers } = comparison;
  const lines: string[] = [];
  for (const direction of DIRECTIONS) {
    const groups = groupChanges(changes, direction);
    const others = pointers.filter((change) => change.direction === direction);
    if (groups.length + others.length === 0) continue;
    lines.push(colourOf(direction)(bold(HEADINGS[direction])));
    for (const other of others.slice(0, GROUPS_MAX)) lines.push(...pointerLines(other, direction));
    const unshown = others.length - GROUPS_MAX;
    if (unshown > 0) lines.push(`  … and ${unshown} more of these; --json lists all`);
    for (const group of groups.slice(0, GROUPS_MAX)) lines.push(...groupLines(group, direction));
    const more = groups.length - GROUPS_MAX;
    if (more > 0) lines.push(`  … and ${more} more; --json lists all`);
    lines.push('');
  }
  for (const [what, names] of wordsOfContent(comparison)) {
    lines.push(...wrapped(`${what}: ${listed(names, NAMES_MAX)}`, '', '  '));
  }
  lines.push(countsOf(summary));
  return lines.join('\n');
}

/** Where and what, and for whom below. */
function groupLines({ change, places }: ChangeGroup, direction: Direction): readonly string[] {
  const { dim } = coloursFor(process.stdout);
  const requesters = wrapped(escapeTerminal(wordsOfRequesters(change)), INDENT);
  return [
    ...whereAndWhat(listed(places, PLACES_MAX), wordsOfChange(change), direction),
    ...requesters.map((line) => dim(line)),
  ];
}

function pointerLines(change: BundleChange, direction: Direction): readonly string[] {
  return whereAndWhat(listed([wordsOfSubject(change)], 1), wordsOfBundleChange(change), direction);
}

/** On one line if it has room. */
function whereAndWhat(place: string, words: string, direction: Direction): readonly string[] {
  const colour = colourOf(direction);
  const where = `${SIGNS[direction]} ${place}`;
  const what = escapeTerminal(words);
  if (`  ${where}  ${what}`.length <= COLUMNS) return [`  ${where}  ${colour(what)}`];
  return [...wrapped(where, '  ', INDENT), ...wrapped(what, INDENT).map((line) => colour(line))];
}

function colourOf(direction: Direction): (text: string) => string {
  const { red, yellow, green } = coloursFor(process.stdout);
  return { widening: red, changed: yellow, narrowing: green }[direction];
}

/** Lines of at most 120 columns with their indentation; a word that is longer is cut. */
function wrapped(text: string, first: string, rest = first): readonly string[] {
  const width = COLUMNS - Math.max(first.length, rest.length);
  const words = text.split(' ').map((word) => cutAt(word, width));
  return wrap(words.join(' '), width).map((line, index) => `${index === 0 ? first : rest}${line}`);
}

function listed(names: readonly string[], max: number): string {
  const shown = names
    .slice(0, max)
    .map((name) => cutAt(escapeTerminal(name), NAME_CHARACTERS_MAX))
    .join(', ');
  const more = names.length - max;
  return more > 0 ? `${shown} and ${more.toLocaleString('en-US')} more` : shown;
}

function cutAt(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
