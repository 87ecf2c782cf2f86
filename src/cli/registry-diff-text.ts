import type { RegistryDifference } from '../bundle/compare-registries.js';
import { escapeTerminal } from '../util/escape.js';

/** More lines than a person reads; --json has all. */
const LINES_MAX = 200;
const NAME_CHARACTERS_MAX = 100;

const WORDS: Readonly<Record<string, string>> = {
  renamed: 'stands for',
  redefined: 'redefined',
  keys_changed: 'keys',
  nullability_changed: 'nullability',
  moved: 'moved',
  tags_changed: 'tags',
};

/** Differences of two registries for people, in the layout of a scan; names escaped for a terminal. */
export function renderRegistryDiff(differences: readonly RegistryDifference[]): string {
  const lines: string[] = [];
  let dataset: string | undefined;
  for (const difference of differences) {
    if (difference.dataset !== dataset) {
      dataset = difference.dataset;
      lines.push(`${signOf(difference)} dataset: ${shown(dataset)}`);
    }
    if (!difference.kind.startsWith('dataset_')) lines.push(`    ${lineOf(difference)}`);
  }
  const more = lines.length - LINES_MAX;
  const told = lines.slice(0, LINES_MAX);
  return [...told, ...(more > 0 ? [`… and ${more} more lines; --json lists all`] : [])].join('\n');
}

function signOf({ kind }: RegistryDifference): string {
  if (kind === 'dataset_added') return '+';
  return kind === 'dataset_removed' ? '-' : '~';
}

function lineOf({ kind, field, from = '', to = '', type = '' }: RegistryDifference): string {
  const change = `${shown(from)} -> ${shown(to)}`;
  if (field === undefined) return `~ ${WORDS[kind] ?? kind}: ${change}`;
  if (kind === 'field_added') return `+ field: ${shown(field)} (${shown(type)})`;
  if (kind === 'field_removed') return `- field: ${shown(field)} (${shown(type)})`;
  const word = WORDS[kind];
  return `~ field: ${shown(field)} (${word === undefined ? '' : `${word}: `}${change})`;
}

function shown(text: string): string {
  const escaped = escapeTerminal(text);
  return escaped.length > NAME_CHARACTERS_MAX
    ? `${escaped.slice(0, NAME_CHARACTERS_MAX)}…`
    : escaped;
}
