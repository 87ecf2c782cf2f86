/** One top-level entry of `registry.yaml`: the lines of one dataset, kept apart so that the others stay as they are. */
export interface RegistryBlock {
  /** Blank lines and comments in column 1 that stand before the key. */
  lead: string;
  /** The entry itself, with its last newline where there is one. */
  body: string;
  /** The line of the file on which `body` begins, from 1. */
  line: number;
}

export interface RegistryBlocks {
  /** What stands before the first entry and is separated from it by a blank line; a document marker too. */
  header: string;
  blocks: readonly RegistryBlock[];
  /** What stands after the last entry: blank lines and comments. */
  trailer: string;
}

/**
 * Cuts a registry into its entries by their lines, without reading YAML: in a block mapping every line that begins in
 * column 1 and is no comment begins an entry. `null` for text of another form (a flow mapping, several documents), which
 * is then read as a whole. `header`, all `lead` and `body`, and `trailer` in their order are the text again, byte for byte.
 */
export function splitRegistry(text: string): RegistryBlocks | null {
  const lines = linesOf(text);
  const blocks: { lead: string; body: string; line: number }[] = [];
  let header = '';
  let pending = '';
  let start = 0;
  // One marker may open the document; any other means more than one document.
  if (/^\ufeff?---[ \t]*\r?\n?$/.test(lines[0] ?? '')) {
    header = lines[0] ?? '';
    start = 1;
  }
  for (let index = start; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^[ \t\r]*\n?$/.test(line) || line.startsWith('#')) {
      pending += line;
      continue;
    }
    const current = blocks.at(-1);
    if (/^[ \t]/.test(line)) {
      if (current === undefined) return null;
      current.body += pending + line;
      pending = '';
      continue;
    }
    if (!/^["'\w$:\p{L}]/u.test(line) || /^(---|\.\.\.)/.test(line)) return null;
    if (current === undefined) [header, pending] = cutHeader(header, pending);
    blocks.push({ lead: pending, body: line, line: index + 1 });
    pending = '';
  }
  if (blocks.length === 0) return { header: header + pending, blocks, trailer: '' };
  return { header, blocks, trailer: pending };
}

/** Comments that touch the first entry speak of it; those above the last blank line speak of the file. */
function cutHeader(header: string, pending: string): [string, string] {
  const lines = linesOf(pending);
  const blank = lines.findLastIndex((line) => /^[ \t\r]*\n?$/.test(line));
  return [header + lines.slice(0, blank + 1).join(''), lines.slice(blank + 1).join('')];
}

/** With their ends. A regular expression takes ten times as long, of a registry of hundreds of thousands of lines. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const to = end === -1 ? text.length : end + 1;
    lines.push(text.slice(from, to));
    from = to;
  }
  return lines.length === 0 ? [''] : lines;
}
