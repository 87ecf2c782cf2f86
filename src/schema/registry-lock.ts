import type { Problem } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { repeatedKeys } from '../util/repeated-keys.js';
import type { LockDataset, LockField, RegistryLock, ScannedColumn } from './model.js';
import { REGISTRY_LOCK_SCHEMA } from './registry-lock-schema.js';

const CHARACTERS_MAX = 256 * 1_048_576;

/** A lock that knows nothing: what there is before the first scan. */
export function emptyRegistryLock(): RegistryLock {
  return { format_version: 'v1', datasets: namedRecord() };
}

/** A record for names that come from a database: `constructor` is a name like any other. */
export function namedRecord<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) record[name] = value;
  return record;
}

/** Reads `config/registry.lock.json`. With problems, `lock` is empty and not to be used. */
export function parseRegistryLock(
  text: string,
  file: string,
): { lock: RegistryLock; problems: Problem[] } {
  const suggestion = 'Restore it from Git, or delete it and run the scan again with --apply.';
  const refuse = (message: string) => ({
    lock: emptyRegistryLock(),
    problems: [{ file, line: 1, column: 1, code: 'invalid_lock', message, suggestion }],
  });
  if (text.length > CHARACTERS_MAX)
    return refuse(`The file has more than ${CHARACTERS_MAX} bytes.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message may quote the file; that it is no JSON says enough.
    return refuse('The registry lock is not valid JSON.');
  }
  // A reviewer reads the one, the parser keeps the other.
  const [repeated] = repeatedKeys(text, value);
  if (repeated !== undefined) return refuse(`The key ${repeated} stands there twice.`);
  const findings = checkSchema(REGISTRY_LOCK_SCHEMA, value);
  if (findings.length > 0) {
    const problems = findings.map(({ pointer, code, message }) => ({
      file,
      pointer,
      code,
      message,
      suggestion,
    }));
    return { lock: emptyRegistryLock(), problems };
  }
  const { datasets } = value as RegistryLock;
  // Of this very parse, so that they need no copies; `constructor` is a name like any other.
  Object.setPrototypeOf(datasets, null);
  Reflect.deleteProperty(datasets, '__proto__');
  for (const dataset of Object.values(datasets)) Object.setPrototypeOf(dataset.fields, null);
  return { lock: { format_version: 'v1', datasets }, problems: [] };
}

/**
 * The lock as its file: JSON with two spaces, datasets and fields sorted by name (by UTF-16 code unit), one line per field,
 * so that a changed column is one changed line. The same lock always gives the same bytes.
 */
export function printRegistryLock(lock: RegistryLock): string {
  const datasets = sortedEntries(lock.datasets).map(
    ([key, dataset]) => `    ${JSON.stringify(key)}: ${printLockDataset(dataset)}`,
  );
  return datasets.length === 0
    ? `{\n  "format_version": "${lock.format_version}",\n  "datasets": {}\n}\n`
    : `${LOCK_HEAD}${datasets.join(LOCK_BETWEEN)}${LOCK_TAIL}`;
}

/** What stands before, between and after the datasets of a lock that has any. */
export const LOCK_HEAD = '{\n  "format_version": "v1",\n  "datasets": {\n';
export const LOCK_BETWEEN = ',\n';
export const LOCK_TAIL = '\n  }\n}\n';

/** One dataset as it stands in the lock, from its brace to its brace. */
export function printLockDataset(dataset: LockDataset): string {
  const known = knownTexts.get(dataset);
  if (known !== undefined) return known;
  const text = datasetText(dataset);
  knownTexts.set(dataset, text);
  return text;
}

/** A dataset is printed to be compared with the lock that is there, and again for the next one. */
const knownTexts = new WeakMap<LockDataset, string>();

function datasetText(dataset: LockDataset): string {
  const { schema, name, oid } = dataset.table;
  const fields = fieldTexts(dataset);
  const parts = [
    `"datasource": ${JSON.stringify(dataset.datasource)}`,
    `"kind": ${JSON.stringify(dataset.kind)}`,
    `"table": ${oneLine({ schema, name, oid })}`,
    `"primary_key": ${oneLine(dataset.primary_key)}`,
    `"unique_keys": ${oneLine(dataset.unique_keys)}`,
    `"foreign_keys": ${oneLine(dataset.foreign_keys.map(orderedForeignKey))}`,
    ...(dataset.definition_digest === undefined
      ? []
      : [`"definition_digest": ${JSON.stringify(dataset.definition_digest)}`]),
    ...(dataset.definition === undefined
      ? []
      : [`"definition": ${JSON.stringify(dataset.definition)}`]),
    ...(dataset.row_security === undefined
      ? []
      : [`"row_security": ${JSON.stringify(dataset.row_security)}`]),
    `"fields": ${fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n      }`}`,
  ];
  return `{\n${parts.map((part) => `      ${part}`).join(',\n')}\n    }`;
}

/** The columns of which a dataset was made: to print it, nothing else needs to be made of them. */
export function rememberColumns(dataset: LockDataset, columns: readonly ScannedColumn[]): void {
  knownColumns.set(dataset, columns);
}

const knownColumns = new WeakMap<LockDataset, readonly ScannedColumn[]>();

function fieldTexts(dataset: LockDataset): string[] {
  const columns = knownColumns.get(dataset);
  const line = (name: string, field: LockField | undefined) =>
    `        ${jsonText(name)}: ${fieldText(field)}`;
  if (columns === undefined) {
    const names = Object.keys(dataset.fields).sort();
    return names.map((name) => line(name, dataset.fields[name]));
  }
  const sorted = [...columns].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return sorted.map((column) => line(column.name, column));
}

/** Written by hand, since a registry has hundreds of thousands of fields. */
function fieldText(field: LockField | undefined): string {
  if (field === undefined) return '{}';
  const { type, position, number, nullable, native, default_digest, comment_digest } = field;
  let text = `{"type": ${jsonText(type)}, "position": ${position}`;
  if (number !== undefined) text += `, "number": ${number}`;
  text += `, "nullable": ${nullable}`;
  if (field.generated) text += ', "generated": true';
  if (native !== undefined) text += `, "native": ${jsonText(native)}`;
  if (default_digest !== undefined) text += `, "default_digest": ${jsonText(default_digest)}`;
  if (comment_digest !== undefined) text += `, "comment_digest": ${jsonText(comment_digest)}`;
  if (field.texts !== undefined) text += `, "texts": ${oneLine(field.texts)}`;
  return `${text}}`;
}

/** `JSON.stringify` of a text; most hold nothing that it would escape. */
function jsonText(text: string): string {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}

function orderedForeignKey({ columns, references }: LockDataset['foreign_keys'][number]) {
  const { schema, table, columns: referenced } = references;
  return { columns, references: { schema, table, columns: referenced } };
}

/** JSON on one line with a space after each colon and comma: `{"type": "text", "position": 2}`. */
function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`).join(', ')}}`;
  }
  return JSON.stringify(value);
}

function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  const names = Object.keys(record).sort();
  return names.map((name) => [name, record[name] as T]);
}
