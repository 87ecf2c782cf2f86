import Table from 'cli-table3';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';

/** A column: its heading, and what it shows of a row. */
export type Column<Row> = {
  heading: string;
  value: (row: Row) => string | number | bigint | boolean | null | undefined;
  align?: 'left' | 'right';
};

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/**
 * Rows as aligned columns for people, one row a line, without a newline at the end. Data can hold
 * codes that a terminal obeys; they are shown, not obeyed. Absent values are a dash.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  stream: NodeJS.WriteStream = process.stdout,
): string {
  const colours = coloursFor(stream);
  const table = new Table({
    head: columns.map(({ heading }) => colours.bold(heading)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: { ...NO_LINES },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(columns.map(({ value }) => cell(value(row))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function cell(value: string | number | bigint | boolean | null | undefined): string {
  if (value === null || value === undefined || value === '') return '-';
  return escapeTerminal(String(value));
}
