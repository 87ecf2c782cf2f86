import Table from 'cli-table3';
import { escapeTerminal } from '../util/escape.js';
import { wrap } from '../util/wrap.js';
import { coloursFor } from './colours.js';
import { terminalWidth } from './terminal-width.js';

/** A column: its heading, and what it shows of a row. */
export type Column<Row> = {
  heading: string;
  value: (row: Row) => string | number | bigint | boolean | null | undefined;
  align?: 'left' | 'right';
  /** On a terminal that is too narrow for the table it stands below its row, with its heading. */
  below?: true;
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

const INDENT = '    ';

/**
 * Rows as aligned columns for people, one row a line, without a newline at the end. Data can hold
 * codes that a terminal obeys; they are shown, not obeyed. Absent values are a dash.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  stream: NodeJS.WriteStream = process.stdout,
): string {
  const width = terminalWidth(stream);
  const beside = width === null ? columns : columnsThatFit(rows, columns, width);
  const below = columns.filter((column) => !beside.includes(column));
  const [head = '', ...lines] = linesOf(rows, beside, coloursFor(stream).bold).map((line) =>
    line.trimEnd(),
  );
  if (width === null || below.length === 0) return [head, ...lines].join('\n');
  const { dim } = coloursFor(stream);
  const placed = rows.flatMap((row, index) => [
    lines[index] ?? '',
    ...linesBelow(row, below, width).map((line) => dim(line)),
  ]);
  return [head, ...placed].join('\n');
}

/** Every line filled up to the width of the table. */
function linesOf<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  emphasise: (text: string) => string,
): string[] {
  const table = new Table({
    head: columns.map(({ heading }) => emphasise(heading)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: { ...NO_LINES },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(columns.map(({ value }) => cell(value(row))));
  return table.toString().split('\n');
}

/** Without as many of the columns that may go below as it takes, the last one first. */
function columnsThatFit<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number,
): readonly Column<Row>[] {
  const last = columns.findLastIndex(({ below }) => below);
  if (last === -1) return columns;
  // Headings have one column a character, whatever the cells hold.
  const [head = ''] = linesOf(rows, columns, (text) => text);
  return head.length > width
    ? columnsThatFit(
        rows,
        columns.filter((_, index) => index !== last),
        width,
      )
    : columns;
}

function linesBelow<Row>(row: Row, columns: readonly Column<Row>[], width: number): string[] {
  return columns.flatMap(({ heading, value }) => {
    const text = cell(value(row));
    if (text === NOTHING) return [];
    return wrap(`${heading}: ${text}`, width - INDENT.length).map((line) => `${INDENT}${line}`);
  });
}

const NOTHING = '-';

function cell(value: string | number | bigint | boolean | null | undefined): string {
  if (value === null || value === undefined || value === '') return NOTHING;
  return escapeTerminal(String(value));
}
