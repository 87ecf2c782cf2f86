import { type ChangeGroup, groupChanges } from '../bundle/compare/group-changes.js';
import { type BundleComparison, DIRECTIONS, type Direction } from '../bundle/compare/model.js';
import { countsOf } from '../bundle/compare/render-markdown.js';
import { wordsOfChange, wordsOfContent, wordsOfRequesters } from '../bundle/compare/words.js';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';
import { wrap } from './wrap.js';

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
  const { summary, changes } = comparison;
  const lines: string[] = [];
  for (const direction of DIRECTIONS) {
    const groups = groupChanges(changes, direction);
    if (groups.length === 0) continue;
    lines.push(colourOf(direction)(bold(HEADINGS[direction])));
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

/** Where and what on one line if it has room, and for whom below. */
function groupLines({ change, places }: ChangeGroup, direction: Direction): readonly string[] {
  const { dim } = coloursFor(process.stdout);
  const colour = colourOf(direction);
  const where = `${SIGNS[direction]} ${listed(places, PLACES_MAX)}`;
  const what = escapeTerminal(wordsOfChange(change));
  const requesters = wrapped(escapeTerminal(wordsOfRequesters(change)), INDENT).map((line) =>
    dim(line),
  );
  const isShort = `  ${where}  ${what}`.length <= COLUMNS;
  return isShort
    ? [`  ${where}  ${colour(what)}`, ...requesters]
    : [
        ...wrapped(where, '  ', INDENT),
        ...wrapped(what, INDENT).map((line) => colour(line)),
        ...requesters,
      ];
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
