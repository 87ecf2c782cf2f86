import type { ForeignKey, LockDataset, LockField, ScannedColumn, ScannedTable } from './model.js';
import { namedRecord, rememberColumns } from './registry-lock.js';

/** What the lock records of a scanned table. Keys come in a fixed order, so that the same schema gives the same lock. */
export function lockDatasetOf(scanned: ScannedTable, datasource: string): LockDataset {
  const known = knownDatasets.get(scanned);
  if (known?.datasource === datasource) return known;
  const dataset = describe(scanned, datasource);
  knownDatasets.set(scanned, dataset);
  rememberColumns(dataset, scanned.columns);
  return dataset;
}

/** A scanned table is described when the lock is read, and again when the next one is made. */
const knownDatasets = new WeakMap<ScannedTable, LockDataset>();

function describe(scanned: ScannedTable, datasource: string): LockDataset {
  const { table, kind, primary_key, definition_digest, definition, row_security } = scanned;
  let fields: LockDataset['fields'] | undefined;
  return {
    datasource,
    kind,
    table,
    primary_key,
    unique_keys: sortedByText(scanned.unique_keys),
    foreign_keys: sortedByText(scanned.foreign_keys),
    ...(definition_digest === undefined ? {} : { definition_digest }),
    ...(definition === undefined ? {} : { definition }),
    ...(row_security === undefined ? {} : { row_security }),
    // Of a database that did not change, and of a new one, nobody asks: the lock is printed from the columns themselves.
    get fields() {
      fields ??= namedRecord(scanned.columns.map((column) => [column.name, fieldOf(column)]));
      return fields;
    },
  };
}

function fieldOf(column: ScannedColumn): LockField {
  const { type, position, number, nullable, native, default_digest, comment_digest } = column;
  const field: LockField = { type, position, nullable };
  if (number !== undefined) field.number = number;
  if (column.generated) field.generated = true;
  if (native !== undefined) field.native = native;
  if (default_digest !== undefined) field.default_digest = default_digest;
  if (comment_digest !== undefined) field.comment_digest = comment_digest;
  if (column.texts !== undefined) field.texts = column.texts;
  return field;
}

/** Whether primary, unique or foreign keys differ, apart from columns that were only renamed. */
export function keysDiffer(
  before: LockDataset,
  now: LockDataset,
  renamed: ReadonlyMap<string, string>,
): boolean {
  const rename = (names: readonly string[]) => names.map((name) => renamed.get(name) ?? name);
  const renameKey = ({ columns, references }: ForeignKey): ForeignKey => ({
    columns: rename(columns),
    references,
  });
  const former = [
    rename(before.primary_key),
    sortedByText(before.unique_keys.map(rename)),
    sortedByText(before.foreign_keys.map(renameKey)).map(foreignKeyText),
  ];
  const present = [
    now.primary_key,
    now.unique_keys,
    sortedByText(now.foreign_keys).map(foreignKeyText),
  ];
  return JSON.stringify(former) !== JSON.stringify(present);
}

function foreignKeyText({ columns, references }: ForeignKey): string {
  return JSON.stringify([columns, references.schema, references.table, references.columns]);
}

function sortedByText<T>(items: readonly T[]): T[] {
  if (items.length < 2) return [...items];
  return items
    .map((item) => ({ item, text: sortText(item) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ item }) => item);
}

function sortText(item: unknown): string {
  return isForeignKey(item) ? foreignKeyText(item) : JSON.stringify(item);
}

function isForeignKey(item: unknown): item is ForeignKey {
  return typeof item === 'object' && item !== null && 'references' in item;
}
