import { describe, expect, it } from 'vitest';
import { renderTable } from '../../src/cli/table.js';

const stream = (columns?: number) =>
  ({ isTTY: columns !== undefined, columns: columns === 0 ? undefined : columns }) as never;

const rows = [
  { id: 'one', note: 'short', file: 'a/long/path/that/is/not/broken.yaml' },
  { id: 'two_with_a_long_name', note: 'words that are\twrapped and not lost', file: null },
];
const columns = [
  { heading: 'id', value: (row: (typeof rows)[0]) => row.id },
  { heading: 'note', value: (row: (typeof rows)[0]) => row.note, below: true },
  { heading: 'file', value: (row: (typeof rows)[0]) => row.file, below: true },
] as const;

describe('a table', () => {
  it('has one row a line where there is no terminal, however long', () => {
    const lines = renderTable(rows, columns, stream()).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^one +short +a\/long\/path\/that\/is\/not\/broken\.yaml$/);
  });

  it('does so on a terminal that is wide enough', () => {
    expect(renderTable(rows, columns, stream(120)).split('\n')).toHaveLength(3);
  });

  it('moves below a row what has no room beside it, the last column first', () => {
    expect(renderTable(rows, columns, stream(64))).toBe(`\
id                    note
one                   short
    file: a/long/path/that/is/not/broken.yaml
two_with_a_long_name  words that are\\twrapped and not lost`);
    expect(renderTable(rows, columns, stream(40))).toBe(`\
id
one
    note: short
    file:
    a/long/path/that/is/not/broken.yaml
two_with_a_long_name
    note: words that are\\twrapped and
    not lost`);
  });

  it('takes a terminal that does not say its width for one of 100 columns', () => {
    const wide = [{ ...rows[0], note: 'x'.repeat(60) }] as typeof rows;
    const lines = renderTable(wide, columns, stream(0)).split('\n');
    expect(lines).toHaveLength(3);
  });
});
