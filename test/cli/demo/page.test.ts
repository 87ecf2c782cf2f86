import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openPage, sideBySide } from '../../../src/cli/demo/page.js';
import { wrap } from '../../../src/util/wrap.js';

/** A page on a stream that is no terminal, and what was written to it. */
function pageInMemory() {
  const stream = new PassThrough();
  const page = openPage(stream as unknown as NodeJS.WriteStream);
  return { page, text: () => String(stream.read() ?? '') };
}

describe('the page of the demo', () => {
  it('wraps sentences to 80 columns, the indentation included, and cuts no word', () => {
    const { page, text } = pageInMemory();
    page.say(`${'word '.repeat(30)}${'x'.repeat(90)}`);
    const lines = text().trimEnd().split('\n');
    expect(lines.slice(0, -1).every((line) => line.startsWith('  ') && line.length <= 80)).toBe(
      true,
    );
    expect(lines.at(-1)).toBe(`  ${'x'.repeat(90)}`);
  });

  it('aligns a table, and shows a cell that a terminal would obey instead of obeying it', () => {
    const { page, text } = pageInMemory();
    page.table(
      [
        { name: 'a\u001b[31m', count: 7 },
        { name: 'long name', count: null },
      ],
      [
        { heading: 'name', value: ({ name }) => name },
        { heading: 'rows', value: ({ count }) => count, align: 'right' },
      ],
    );
    expect(text()).toBe(
      ['  name         rows', '  a\\u001b[31m     7', '  long name       -', ''].join('\n'),
    );
  });

  it('sets two blocks side by side where the width holds them, else one below the other', () => {
    expect(sideBySide(['ab', 'c'], ['x', 'y', 'z'], 10)).toEqual(['ab    x', 'c     y', '      z']);
    expect(sideBySide(['ab', 'c'], ['x'], 6)).toEqual(['ab', 'c', '', 'x']);
  });

  it('wraps an empty text to an empty line', () => {
    expect(wrap('', 10)).toEqual(['']);
  });
});
