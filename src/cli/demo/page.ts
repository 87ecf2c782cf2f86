import { stripVTControlCharacters } from 'node:util';
import type { ChalkInstance } from 'chalk';
import { escapeTerminal } from '../../util/escape.js';
import { wrap } from '../../util/wrap.js';
import { coloursFor } from '../colours.js';

/** A column of a table on the page. */
export interface PageColumn<Row> {
  heading: string;
  value: (row: Row) => string | number | null;
  align?: 'right';
  /** Colours a cell that was escaped and padded. */
  paint?: (text: string, row: Row) => string;
}

/** Where the story is told: sentences, tables and commands on a terminal of some width. */
export interface Page {
  readonly colours: ChalkInstance;
  /** Characters of a line, the indentation included. */
  readonly width: number;
  heading(number: number, title: string): void;
  /** A sentence or several, wrapped. */
  say(text: string): void;
  /** A detail for those who want it, wrapped and dim. */
  aside(text: string): void;
  /** What a person would type for this. */
  command(text: string): void;
  table<Row>(rows: readonly Row[], columns: readonly PageColumn<Row>[]): void;
  /** Lines as they are, indented. They are escaped already. */
  block(lines: readonly string[]): void;
  blank(): void;
}

const INDENT = '  ';
const WIDTH_MIN = 60;
const WIDTH_MAX = 100;
const WIDTH = 80;

/** A page on stdout; without a terminal it is 80 characters wide and has no colours. */
export function openPage(stream: NodeJS.WriteStream = process.stdout): Page {
  const colours = coloursFor(stream);
  const columns = stream.isTTY ? (stream.columns ?? WIDTH) : WIDTH;
  const width = Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, columns));
  const write = (line: string) => stream.write(`${line}\n`);
  const indented = (lines: readonly string[], style: (text: string) => string = (text) => text) => {
    for (const line of lines) write(line === '' ? '' : `${INDENT}${style(line)}`);
  };
  const wrapped = (text: string) => wrap(escapeTerminal(text), width - INDENT.length);
  return {
    colours,
    width,
    heading(number, title) {
      write('');
      write(`${colours.bold.cyan(String(number))} ${colours.bold(title)}`);
    },
    say: (text) => indented(wrapped(text)),
    aside: (text) => indented(wrapped(text), colours.dim),
    command: (text) => write(`${INDENT}${colours.dim('$')} ${colours.cyan(escapeTerminal(text))}`),
    table: (rows, shown) => indented(tableLines(rows, shown, colours)),
    block: (lines) => indented(lines),
    blank: () => write(''),
  };
}

/** Rows as aligned columns under dim headings; what is absent is a dash. */
function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly PageColumn<Row>[],
  colours: ChalkInstance,
): string[] {
  const cells = columns.map(({ heading, value, align, paint = (text: string) => text }) => {
    const texts = rows.map((row) => escapeTerminal(String(value(row) ?? '-')));
    const width = Math.max(heading.length, ...texts.map((text) => text.length));
    const pad = (text: string) => (align === 'right' ? text.padStart(width) : text.padEnd(width));
    return [
      colours.dim(pad(heading)),
      ...rows.map((row, index) => paint(pad(texts[index] ?? ''), row)),
    ];
  });
  return Array.from({ length: rows.length + 1 }, (_, line) =>
    cells
      .map((column) => column[line] ?? '')
      .join('  ')
      .trimEnd(),
  );
}

/** Two blocks of lines side by side, or one under the other where the width does not hold both. */
export function sideBySide(
  left: readonly string[],
  right: readonly string[],
  width: number,
  gap = 4,
): string[] {
  const leftWidth = Math.max(0, ...left.map(visibleLength));
  const rightWidth = Math.max(0, ...right.map(visibleLength));
  if (leftWidth + gap + rightWidth > width) return [...left, '', ...right];
  const rows = Math.max(left.length, right.length);
  return Array.from({ length: rows }, (_, index) => {
    const first = left[index] ?? '';
    return `${first}${' '.repeat(leftWidth + gap - visibleLength(first))}${right[index] ?? ''}`.trimEnd();
  });
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
