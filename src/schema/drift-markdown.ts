import { escapeMarkdown } from '../util/escape.js';
import type { DriftFinding } from './drift.js';
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

const WORDS: Record<DriftFinding['kind'], string> = {
  dataset_added: 'new dataset',
  dataset_removed: 'dataset gone',
  dataset_returned: 'dataset back',
  renamed: 'renamed',
  redefined: 'redefined',
  keys_changed: 'keys changed',
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
export function renderDriftMarkdown(reports: readonly ScanReport[]): string {
  let text = '## Schema drift\n';
  let cut = 0;
  for (const report of reports) {
    text += `\n### ${name(report.datasource)} (${name(report.server)})\n\n`;
    text += `${escapeMarkdown(renderSummary({ ...report, applied: false }).split('. ')[0] ?? '')}\n`;
    if (report.drift.length === 0) continue;
    text +=
      '\n| | Dataset | Field | Change | Classified as | Policies |\n|---|---|---|---|---|---|\n';
    for (const group of groupByDataset(report.drift)) {
      const rows = rowsOf(group);
      if (text.length + rows.length > CHARACTERS_MAX) cut += 1;
      else text += rows;
    }
    for (const left of report.leftOut.slice(0, 20)) {
      text += `\nLeft out, since no registry can hold its name: ${name(left)}\n`;
    }
  }
  if (cut > 0) text += `\n${cut} more datasets changed; \`vkit scan --format json\` lists all.\n`;
  return text;
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
  return escapeMarkdown(text.slice(0, NAME_CHARACTERS_MAX));
}
