import { toUSVString } from 'node:util';
import type { Row, RowStream } from '../client/row-stream.js';
import { cleanName } from './clean.js';

/** What one answer may put into a model's context. */
export interface RowLimits {
  rowsMax: number;
  /** Bytes of the rows as JSON. */
  bytesMax: number;
}

export const ROW_LIMITS_DEFAULT: RowLimits = { rowsMax: 200, bytesMax: 48 * 1024 };

/** Characters of one cell: the beginning of a long text says what it is about. */
const CELL_CHARACTERS_MAX = 2_000;

export interface RowsRead {
  data: Record<string, unknown>[];
  masked_fields: string[];
  /** What of the answer is missing, as sentences; empty where it is whole. */
  cuts: string[];
}

/**
 * The first rows of a stream, as many as fit; then the stream is given up, which ends the query. Long cells are cut. Names of
 * columns are cleaned, where two become alike the later ones numbered.
 */
export async function readRows(stream: RowStream, limits: RowLimits): Promise<RowsRead> {
  const data: Record<string, unknown>[] = [];
  const names = new Map<string, string>();
  const cuts = new Set<string>();
  let bytes = 0;
  try {
    for await (const row of stream) {
      if (data.length >= limits.rowsMax) {
        cuts.add(`Only the first ${limits.rowsMax} rows are here: narrow the query with filters.`);
        break;
      }
      const shown = showRow(row, names, () =>
        cuts.add(`Values of more than ${CELL_CHARACTERS_MAX} characters were cut.`),
      );
      bytes += Buffer.byteLength(JSON.stringify(shown));
      if (bytes > limits.bytesMax) {
        cuts.add(
          `Only the first ${data.length} rows fit: ask for fewer fields or rows, or narrow the query with filters.`,
        );
        break;
      }
      data.push(shown);
    }
  } finally {
    await stream.close();
  }
  if (stream.rowsCap !== null && data.length >= stream.rowsCap) {
    cuts.add(`At most ${stream.rowsCap} rows are given to you: there may be more.`);
  }
  const masked = stream.maskedFields.map((name) => names.get(name) ?? cleanName(name));
  return { data, masked_fields: masked, cuts: [...cuts] };
}

function showRow(row: Row, names: Map<string, string>, onCut: () => void): Record<string, unknown> {
  const entries = Object.entries(row).map(([name, value]) => {
    const shown = names.get(name) ?? newName(name, names);
    return [shown, cutCell(value, onCut)] as const;
  });
  return Object.fromEntries(entries);
}

function newName(name: string, names: Map<string, string>): string {
  const taken = new Set(names.values());
  const clean = cleanName(name);
  let shown = clean;
  for (let count = 2; taken.has(shown); count += 1) shown = `${clean}_${count}`;
  names.set(name, shown);
  return shown;
}

function cutCell(value: unknown, onCut: () => void): unknown {
  const isText = typeof value === 'string';
  const text = isText ? value : typeof value === 'object' ? JSON.stringify(value) : '';
  if (text.length <= CELL_CHARACTERS_MAX) return value;
  onCut();
  return `${toUSVString(text.slice(0, CELL_CHARACTERS_MAX))}…`;
}
