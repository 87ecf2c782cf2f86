import { escapeTerminal } from '../util/escape.js';
import { wrap } from '../util/wrap.js';
import {
  type DriftFinding,
  ROLE_OUTCOMES,
  type RoleOutcome,
  type SuggestedPolicy,
  summarizeDrift,
} from './drift.js';
import type { LoginAbility } from './model.js';

/** One scan of one datasource: what was read, and how it differs from the baseline. */
export interface ScanReport {
  datasource: string;
  /** Product and version: `postgres 15.4`. */
  server: string;
  tables: number;
  fields: number;
  durationMs: number;
  drift: readonly DriftFinding[];
  /** Policies for sensitive fields that nothing covers. */
  suggestions: readonly SuggestedPolicy[];
  /** Names that no registry can hold. */
  leftOut: readonly string[];
  /** What the login could do beyond reading; null where the engine was not asked. */
  login: readonly LoginAbility[] | null;
  /** Whether the baseline was updated. */
  applied: boolean;
  /** What values were looked at, where some were: counts alone. */
  sample?: {
    /** Rows of each table, at most. */
    rows: number;
    tables: number;
    failed: readonly { table: string; code: string }[];
  };
}

/** A first scan of a large schema has thousands of findings; a person reads about this many lines. */
const LINES_MAX = 200;
const COLLAPSED_DATASETS_MAX = 100;
const NAME_CHARACTERS_MAX = 100;
/** A note names policies, and roles of each outcome. */
const NOTE_CHARACTERS_MAX = 400;
/** Of a note that stands below its line. */
const NOTE_INDENT = '          ';
/** Longer lines do not push the last column of the others to the right. */
const ALIGN_MAX = 72;

type Line = { text: string; note?: string };

/**
 * A scan as text for people: the layout of scan.md, one line per finding, names escaped for a terminal. New datasets show
 * what is sensitive in them and count the rest; where that is still too long, one line each, and the last ones a number.
 * A note that `width` has no room for stands below its line; without one a line may be as long as it is.
 */
export function renderDriftText(report: ScanReport, width: number | null = null): string {
  const parts = [renderScanHeader(report), ''];
  const groups = groupByDataset(report.drift);
  let lines: Line[] = [];
  for (const group of groups) {
    if (lines.length > LINES_MAX) break;
    lines.push(...datasetLines(group, false));
  }
  if (lines.length > LINES_MAX) {
    lines = [];
    let collapsed = 0;
    for (const group of groups) {
      const isNew = group[0]?.kind === 'dataset_added';
      if (isNew) collapsed += 1;
      if (!isNew || collapsed <= COLLAPSED_DATASETS_MAX) lines.push(...datasetLines(group, isNew));
    }
    const more = collapsed - COLLAPSED_DATASETS_MAX;
    if (more > 0)
      lines.push({ text: `+ ${count(more)} more new datasets; --format json lists all` });
  }
  parts.push(...align(lines, width ?? Number.POSITIVE_INFINITY));
  if (lines.length > 0) parts.push('');
  for (const name of report.leftOut.slice(0, LINES_MAX)) {
    parts.push(`! left out, since no registry can hold its name: ${shown(name)}`);
  }
  parts.push(...sampleLines(report));
  parts.push(renderSummary(report));
  return `${parts.join('\n')}\n`;
}

/** What was sampled, and what could not be. */
function sampleLines({ sample }: ScanReport): string[] {
  if (sample === undefined) return [];
  const { rows, tables, failed } = sample;
  return [
    `Looked at up to ${plural(rows, 'row')} of ${plural(tables, 'table')} with new fields; no value was kept.`,
    ...failed
      .slice(0, LINES_MAX)
      .map(({ table, code }) => `! not sampled: ${shown(table)} (${code})`),
    ...(failed.length > LINES_MAX
      ? [`! not sampled: ${count(failed.length - LINES_MAX)} more`]
      : []),
    '',
  ];
}

/** One warning of what the login could do and vkit never needs, or none; names escaped for a terminal. */
export function renderLoginWarnings({ datasource, login }: ScanReport): string[] {
  if (login === null || login.length === 0) return [];
  const lines = login.map(({ message, objects, count: number }) => {
    const more = number > objects.length ? `, and ${count(number - objects.length)} more` : '';
    const over =
      objects.length === 0 ? '' : ` (${objects.map((object) => shown(object)).join(', ')}${more})`;
    return `${shown(datasource)}: ${message}${over}`;
  });
  return [
    `${lines.join('\n')}\nA login that can only read: vkit datasource grants ${shown(datasource)}`,
  ];
}

/** `Scanning production_db (postgres 15.4) … 214 tables, 2,840 fields in 1.2 s` */
export function renderScanHeader(
  report: Pick<ScanReport, 'datasource' | 'server' | 'tables' | 'fields' | 'durationMs'>,
): string {
  const { datasource, server, tables, fields, durationMs } = report;
  const read = `${plural(tables, 'table')}, ${plural(fields, 'field')}`;
  const seconds = (durationMs / 1_000).toFixed(1);
  return `Scanning ${shown(datasource)} (${shown(server)}) … ${read} in ${seconds} s`;
}

/** `1 new dataset, 2 new fields, 1 changed, 1 removed.` and what to do about it. */
export function renderSummary({ drift, applied }: Pick<ScanReport, 'drift' | 'applied'>): string {
  if (drift.length === 0) return applied ? 'The baseline is up to date.' : 'No drift.';
  const { new_datasets, new_fields, changed, removed } = summarizeDrift(drift);
  const counts = [
    new_datasets > 0 ? plural(new_datasets, 'new dataset') : '',
    new_fields > 0 ? plural(new_fields, 'new field') : '',
    changed > 0 ? `${count(changed)} changed` : '',
    removed > 0 ? `${count(removed)} removed` : '',
  ].filter((part) => part !== '');
  const next = applied ? 'The baseline was updated.' : 'Run with --apply to update the baseline.';
  return `${counts.join(', ')}. ${next}`;
}

/** `[PII, high]`: the category where it says something, and the sensitivity where it is high; `''` for the rest. */
export function labelOf(finding: DriftFinding): string {
  const { category = 'internal', sensitivity } = finding;
  const short = ['pii', 'phi', 'pci'].includes(category) ? category.toUpperCase() : category;
  const words = [category === 'internal' ? '' : short, sensitivity === 'high' ? 'high' : ''];
  const text = words.filter((word) => word !== '').join(', ');
  return text === '' ? '' : `[${text}]`;
}

/** What stands at the end of a finding's line: what the policies make of it, and of whom they make something else. */
export function noteOf(finding: DriftFinding): string {
  const note = effectNote(finding);
  const differences = rolesNote(finding);
  return differences === '' ? note : `${note} (${differences})`;
}

/** `allowed: dba; uncovered: others`: all outcomes where there are several, since the effect speaks of one. */
function rolesNote({ roles = {} }: DriftFinding): string {
  const outcomes = ROLE_OUTCOMES.filter((outcome) => roles[outcome] !== undefined);
  return outcomes.length < 2 ? '' : outcomes.map((outcome) => rolesOf(outcome, roles)).join('; ');
}

const ROLES_SHOWN_MAX = 6;

function rolesOf(outcome: RoleOutcome, roles: NonNullable<DriftFinding['roles']>): string {
  const names = (roles[outcome] ?? []).map((role) => (role === '*' ? 'others' : role));
  const more = names.length - ROLES_SHOWN_MAX;
  const shownNames = more > 1 ? [...names.slice(0, ROLES_SHOWN_MAX), `${more} more`] : names;
  return `${outcome}: ${shownNames.join(', ')}`;
}

function effectNote(finding: DriftFinding): string {
  const { kind, effect } = finding;
  if (kind === 'field_added' || kind === 'field_returned') {
    const what = kind === 'field_added' ? 'NEW' : 'BACK';
    return effect === undefined || effect === 'uncovered'
      ? `${what} - requires policy`
      : `${what} - ${effect}`;
  }
  return effect ?? '';
}

/**
 * Findings of one dataset at a time: new datasets, then changed ones, then what is gone, each by key; in a dataset what is
 * new, changed and gone, each in the order of the table. What is about the dataset itself comes first.
 */
export function groupByDataset(drift: readonly DriftFinding[]): DriftFinding[][] {
  const groups: DriftFinding[][] = [];
  for (const finding of drift) {
    const group = groups.at(-1);
    if (group?.[0]?.dataset === finding.dataset) group.push(finding);
    else groups.push([finding]);
  }
  const place = ({ kind, field }: DriftFinding) => (field === undefined ? -1 : rankOf(kind));
  for (const group of groups) group.sort((a, b) => place(a) - place(b));
  // A finding about a field makes its dataset a changed one.
  const rank = ([first]: DriftFinding[]) => (first?.field === undefined ? rankOf(first?.kind) : 1);
  return groups.sort((a, b) => rank(a) - rank(b));
}

/** Sorts are stable, so that of one rank each stays where it was. */
function rankOf(kind = ''): number {
  if (/_(?:added|returned)$/.test(kind)) return 0;
  return kind.endsWith('_removed') ? 2 : 1;
}

/** `(text -> varchar)`, `(was fax)`, `(inet)`: what is to be said of a field or a dataset beside its name. */
export function changeOf(finding: DriftFinding): string {
  const { kind, from = '', to = '', type } = finding;
  if (kind === 'renamed' && finding.field !== undefined) return `was ${from}`;
  if (from !== '' || to !== '') return `${from} -> ${to}`;
  return type ?? '';
}

/** `3 pii, 1 high` of 14 fields: what the fields of a new dataset were classified as. */
export function countSensitive(fields: readonly DriftFinding[]): string {
  const counts = new Map<string, number>();
  for (const field of fields) {
    const label = labelOf(field).slice(1, -1) || 'other';
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, x], [b, y]) => Number(a === 'other') - Number(b === 'other') || y - x)
    .map(([label, number]) => `${count(number)} ${label}`)
    .join(', ');
}

function datasetLines(group: readonly DriftFinding[], collapse: boolean): Line[] {
  const [first] = group;
  if (first === undefined) return [];
  const fields = group.filter(({ field }) => field !== undefined);
  const own = group.filter(({ field }) => field === undefined);
  const isNew = first.kind === 'dataset_added';
  const sign =
    isNew || first.kind === 'dataset_returned' ? '+' : first.kind === 'dataset_removed' ? '-' : '~';
  const head: Line = { text: `${sign} dataset: ${shown(first.dataset)}` };
  if (first.kind === 'dataset_removed')
    return [{ ...head, note: first.effect ?? 'no longer there' }];
  if (first.kind === 'dataset_returned') head.note = 'BACK';
  if (collapse)
    return [{ ...head, note: `${plural(fields.length, 'field')}: ${countSensitive(fields)}` }];
  const listed = isNew ? fields.filter((field) => labelOf(field) !== '') : fields;
  const rest = fields.length - listed.length;
  return [
    head,
    ...own.flatMap(ownLine),
    ...listed.map(fieldLine),
    ...(rest > 0
      ? [
          {
            text: `    + ${plural(rest, listed.length > 0 ? 'more field' : 'field')}, nothing sensitive found`,
          },
        ]
      : []),
  ];
}

const OWN_WORDS: Partial<Record<DriftFinding['kind'], string>> = {
  renamed: 'renamed',
  redefined: 'redefined',
  keys_changed: 'keys changed',
  row_security_changed: 'row-level security changed',
};

function ownLine(finding: DriftFinding): Line[] {
  const words = OWN_WORDS[finding.kind];
  return words === undefined ? [] : [{ text: `    ~ ${words}: ${shown(changeOf(finding))}` }];
}

function fieldLine(finding: DriftFinding): Line {
  const { kind, field = '' } = finding;
  const sign =
    kind === 'field_added' || kind === 'field_returned'
      ? '+'
      : kind === 'field_removed'
        ? '-'
        : '~';
  const parts = [
    `    ${sign} field: ${shown(field)}`,
    `(${shown(changeOf(finding))})`,
    labelOf(finding),
  ];
  const text = parts.filter((part) => part !== '').join(' ');
  const note =
    kind === 'renamed' ? `renamed${finding.effect ? ` - ${finding.effect}` : ''}` : noteOf(finding);
  return note === '' ? { text } : { text, note: shown(note, NOTE_CHARACTERS_MAX) };
}

function align(lines: readonly Line[], width: number): string[] {
  const widths = lines.filter(({ note }) => note !== undefined).map(({ text }) => text.length);
  const column = Math.max(0, ...widths.filter((length) => length <= ALIGN_MAX));
  return lines.flatMap(({ text, note }) => {
    if (note === undefined) return [text];
    const line = `${text.padEnd(column)}  ${note}`;
    if (line.length <= width) return [line];
    const below = wrap(note, width - NOTE_INDENT.length).map((part) => `${NOTE_INDENT}${part}`);
    return [text, ...below];
  });
}

/** A text as a terminal may show it: nothing it would obey, and no endless line. */
function shown(text: string, charactersMax = NAME_CHARACTERS_MAX): string {
  const escaped = escapeTerminal(text);
  return escaped.length > charactersMax ? `${escaped.slice(0, charactersMax)}…` : escaped;
}

function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
