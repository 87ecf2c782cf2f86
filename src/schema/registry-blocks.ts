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
  const blocks: { lead: string; body: string; line: number }[] = [];
  let header = '';
  let from = 0;
  let line = 1;
  // One marker may open the document; any other means more than one document.
  const marker = /^\ufeff?---[ \t]*\r?(?:\n|$)/.exec(text)?.[0];
  if (marker !== undefined) {
    header = marker;
    from = marker.length;
    line = 2;
  }
  /** Where the lines begin that belong to nothing yet: blank ones and comments. */
  let pending = from;
  let current: { lead: string; start: number; line: number } | null = null;
  const close = () => {
    if (current === null) return;
    const { lead, start } = current;
    blocks.push({ lead, body: text.slice(start, pending), line: current.line });
  };
  for (; from < text.length; line += 1) {
    const end = endOfLine(text, from);
    const first = text.charCodeAt(from);
    if (first === HASH || isBlank(text, from, end)) {
      from = end;
      continue;
    }
    if (first === SPACE || first === TAB) {
      if (current === null) return null;
    } else {
      const start = text.slice(from, from + 4);
      if (!/^["'\w$:\p{L}]/u.test(start) || /^(---|\.\.\.)/.test(start)) return null;
      close();
      let lead = text.slice(pending, from);
      if (current === null) [header, lead] = cutHeader(header, lead);
      current = { lead, start: from, line };
    }
    from = end;
    pending = end;
  }
  if (current === null) return { header: header + text.slice(pending), blocks, trailer: '' };
  close();
  return { header, blocks, trailer: text.slice(pending) };
}

const HASH = 0x23;
const SPACE = 0x20;
const TAB = 0x09;
const RETURN = 0x0d;
const NEWLINE = 0x0a;

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end + 1;
}

function isBlank(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== SPACE && code !== TAB && code !== RETURN && code !== NEWLINE) return false;
  }
  return true;
}

/** Comments that touch the first entry speak of it; those above the last blank line speak of the file. */
function cutHeader(header: string, pending: string): [string, string] {
  let cut = 0;
  for (let from = 0; from < pending.length; ) {
    const end = endOfLine(pending, from);
    if (isBlank(pending, from, end)) cut = end;
    from = end;
  }
  return [header + pending.slice(0, cut), pending.slice(cut)];
}
