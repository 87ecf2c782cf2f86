import type { Problem } from '../errors/index.js';
import { lockDatasetOf } from './lock-dataset.js';
import { identityText } from './match-tables.js';
import type { LockDataset, RegistryLock, ScannedTable, TableIdentity } from './model.js';
import {
  emptyRegistryLock,
  LOCK_BETWEEN,
  LOCK_HEAD,
  LOCK_TAIL,
  namedRecord,
  parseRegistryLock,
  printLockDataset,
} from './registry-lock.js';

/** A dataset's text in a lock, from its brace to its brace, by its key. */
export type LockBlocks = ReadonlyMap<string, string>;

const KEY_INDENT = '    ';
const BLOCK_END = `\n${KEY_INDENT}}`;
const TABLE_LINE = '\n      "table": ';

/**
 * Cuts a lock as a scan writes it into its datasets, without reading JSON. `null` for any other text, correct or not: it
 * must be parsed as a whole. Of the datasets themselves nothing is known yet.
 */
export function splitLock(text: string): LockBlocks | null {
  if (!text.startsWith(LOCK_HEAD) || !text.endsWith(LOCK_TAIL)) return null;
  const blocks = new Map<string, string>();
  const end = text.length - LOCK_TAIL.length;
  for (let at = LOCK_HEAD.length; at < end; ) {
    const colon = text.indexOf('": {\n', at);
    const close = text.indexOf(BLOCK_END, at);
    if (!text.startsWith(`${KEY_INDENT}"`, at) || colon === -1 || close < colon) return null;
    const key = keyOf(text.slice(at + KEY_INDENT.length, colon + 1));
    const after = close + BLOCK_END.length;
    if (key === null || blocks.has(key) || after > end) return null;
    blocks.set(key, text.slice(colon + 3, after));
    if (after === end) return blocks;
    if (!text.startsWith(LOCK_BETWEEN, after)) return null;
    at = after + LOCK_BETWEEN.length;
  }
  return null;
}

function keyOf(quoted: string): string | null {
  try {
    const key: unknown = JSON.parse(quoted);
    return typeof key === 'string' && key !== '__proto__' ? key : null;
  } catch {
    // It is another text than a scan writes; the whole is parsed then, which says what is wrong.
    return null;
  }
}

/**
 * Reads a lock for the scan that found these tables. A dataset whose text is what the table found would print is that table,
 * without parsing it: of a database that did not change, nothing is parsed. The result is that of `parseRegistryLock`.
 */
export function rereadLock(
  text: string,
  file: string,
  scan: { tables: readonly ScannedTable[]; datasource: string },
): { lock: RegistryLock; problems: Problem[] } {
  const blocks = splitLock(text);
  if (blocks === null) return parseRegistryLock(text, file);
  const found = new Map(scan.tables.map((table) => [identityText(table.table), table]));
  const same: [string, LockDataset][] = [];
  const rest: string[] = [];
  for (const [key, block] of blocks) {
    const identity = identityOf(block);
    const table = identity === null ? undefined : found.get(identityText(identity));
    const dataset = table === undefined ? undefined : lockDatasetOf(table, scan.datasource);
    if (dataset !== undefined && printLockDataset(dataset) === block) same.push([key, dataset]);
    else rest.push(`${KEY_INDENT}${JSON.stringify(key)}: ${block}`);
  }
  const parsed =
    rest.length === 0
      ? { lock: emptyRegistryLock(), problems: [] }
      : parseRegistryLock(`${LOCK_HEAD}${rest.join(LOCK_BETWEEN)}${LOCK_TAIL}`, file);
  const datasets = [...same, ...Object.entries(parsed.lock.datasets)];
  return {
    lock: { format_version: 'v1', datasets: namedRecord(datasets) },
    problems: parsed.problems,
  };
}

/** Whose table a dataset's text says it is; it is believed only where the whole text is that table's. */
function identityOf(block: string): TableIdentity | null {
  const start = block.indexOf(TABLE_LINE);
  if (start === -1) return null;
  const from = start + TABLE_LINE.length;
  const end = block.indexOf(',\n', from);
  try {
    const identity: unknown = JSON.parse(block.slice(from, end));
    return typeof identity === 'object' ? (identity as TableIdentity | null) : null;
  } catch {
    // Whatever it is, the parser reads it next.
    return null;
  }
}
