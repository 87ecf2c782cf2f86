import { escapeMarkdown } from '../util/escape.js';
import type { DriftFinding, SuggestedPolicy } from './drift.js';
import {
  changeOf,
  countSensitive,
  groupByDataset,
  labelOf,
  noteOf,
  renderSummary,
  type ScanReport,
} from './drift-report.js';

/** GitHub refuses a pull request body beyond 65,536 characters. */
const CHARACTERS_MAX = 60_000;
const NAME_CHARACTERS_MAX = 200;
const LEFT_OUT_MAX = 20;

export interface DriftMarkdownOptions {
  /** An address of the whole change, encoded, named where the report is cut. */
  link?: string;
  /** Datasources that could not be looked at. */
  unknown?: readonly string[];
}

const WORDS: Record<DriftFinding['kind'], string> = {
  dataset_added: 'new dataset',
  dataset_removed: 'dataset gone',
  dataset_returned: 'dataset back',
  renamed: 'renamed',
  redefined: 'redefined',
  keys_changed: 'keys changed',
  row_security_changed: 'row-level security changed',
  field_added: 'new field',
  field_removed: 'field gone',
  field_returned: 'field back',
  type_changed: 'type changed',
  nullability_changed: 'nullability changed',
  comment_changed: 'comment changed',
  moved: 'order changed',
};

/**
 * Scans as Markdown, made to be the body of a pull request: a heading per datasource and a table of its findings. Names
 * from a database are literals in it: no link, mention, HTML or code. Cut at a dataset where GitHub would refuse the rest.
 */
export function renderDriftMarkdown(
  reports: readonly ScanReport[],
  { link, unknown = [] }: DriftMarkdownOptions = {},
): string {
  let text = '## Schema drift\n';
  let cut = 0;
  const add = (piece: string): boolean => {
    const fits = text.length + piece.length <= CHARACTERS_MAX;
    if (fits) text += piece;
    return fits;
  };
  // First, since it is what must not be cut.
  for (const id of unknown) {
    add(
      `\n### ${name(id)}\n\nCould not be looked at, so nobody knows; the registry says of it what it said.\n`,
    );
  }
  for (const report of reports) {
    const groups = groupByDataset(report.drift);
    if (!add(headingOf(report))) {
      cut += groups.length;
      continue;
    }
    for (const group of groups) if (!add(rowsOf(group))) cut += 1;
    for (const left of report.leftOut.slice(0, LEFT_OUT_MAX)) {
      add(`\nLeft out, since no registry can hold its name: ${name(left)}\n`);
    }
  }
  for (const suggestion of reports.flatMap(({ suggestions }) => suggestions)) {
    add(suggestionOf(suggestion));
  }
  if (cut > 0) {
    const where = link === undefined ? '' : ` [The whole change](<${link}>) shows them;`;
    text += `\n${cut} more datasets changed.${where} \`vkit scan --format json\` lists all.\n`;
  }
  return text;
}

/** Folded, as two files to copy. A name in them is quoted, so that no line of it can end the block. */
function suggestionOf({ id, policy, test }: SuggestedPolicy): string {
  const file = ({ file: path, text }: SuggestedPolicy['policy']) =>
    `\`${path}\`:\n\n~~~~yaml\n${text}~~~~\n\n`;
  return `\n<details><summary>Suggested policy ${id}, and its test</summary>\n\n${file(policy)}${file(test)}</details>\n`;
}

function headingOf(report: ScanReport): string {
  const { datasource, server, drift } = report;
  const summary = renderSummary({ ...report, applied: false }).split('. ')[0] ?? '';
  const head = `\n### ${name(datasource)} (${name(server)})\n\n${escapeMarkdown(summary)}\n`;
  return drift.length === 0
    ? head
    : `${head}\n| | Dataset | Field | Change | Classified as | Policies |\n|---|---|---|---|---|---|\n`;
}

function rowsOf(group: readonly DriftFinding[]): string {
  if (group[0]?.kind !== 'dataset_added') return group.map(row).join('');
  const fields = group.slice(1);
  const listed = fields.filter((field) => labelOf(field) !== '');
  const [first] = group;
  const summary = `${fields.length} ${fields.length === 1 ? 'field' : 'fields'}: ${countSensitive(fields)}`;
  return cells(WORDS.dataset_added, first.dataset, '', '', summary, '') + listed.map(row).join('');
}

function row(finding: DriftFinding): string {
  const label = labelOf(finding).slice(1, -1);
  const { kind, dataset, field = '' } = finding;
  return cells(WORDS[kind], dataset, field, changeOf(finding), label, noteOf(finding));
}

function cells(...texts: string[]): string {
  return `| ${texts.map(name).join(' | ')} |\n`;
}

function name(text: string): string {
  // Half of a character is none that GitHub keeps.
  return escapeMarkdown(text.slice(0, NAME_CHARACTERS_MAX).replace(/[\ud800-\udbff]$/, ''));
}
