import type { Classifier } from './classification/classification.js';
import type { ValueCounts } from './classification/count-values.js';
import type { DriftFinding } from './drift.js';
import { editRegistryFiles } from './edit-registry-files.js';
import { keysDiffer, lockDatasetOf } from './lock-dataset.js';
import { type ColumnMatches, matchColumns, NOTHING_MOVED } from './match-columns.js';
import { matchTables, type TableMatch } from './match-tables.js';
import type {
  LockDataset,
  LockField,
  Registry,
  RegistryDataset,
  RegistryField,
  RegistryLock,
  ScannedColumn,
  ScannedSchema,
  ScannedTable,
  TableIdentity,
} from './model.js';
import type { RegistryEdit } from './registry-edit.js';
import { namedRecord } from './registry-lock.js';
import { isUsableName } from './registry-names.js';
import { newDatasetText } from './registry-text.js';
import { startingTagsOf, strictest } from './starting-tags.js';

export interface MergeScanInput {
  /** The text of `registry.yaml`; empty where there is none yet. It must parse without problems. */
  registryText: string;
  /** The text of the datasource's own file; absent where it has none. */
  partText?: string | null;
  /** What these texts say, together with the files of other datasources. */
  registry: Registry;
  lock: RegistryLock;
  scanned: ScannedSchema;
  datasource: string;
  classify: Classifier;
  /** What the values of a column look like, where some were looked at. */
  countsOf?: (table: TableIdentity, column: string) => ValueCounts | undefined;
  /** Tables the scan looked for; of the others it says nothing. Default: every table. */
  inScope?: (table: TableIdentity) => boolean;
}

export interface MergeScanResult {
  /** The proposed registry: byte for byte the given text where nothing is to change. */
  registryText: string;
  /** The datasource's own file; null where it has none. */
  partText: string | null;
  /** The same before any edit, where datasets were moved to it: written first, no dataset is ever in two files in two forms. */
  movedText: string | null;
  lock: RegistryLock;
  /** Sorted by dataset; the finding about the dataset before those about its fields, these in the order of the table. */
  drift: readonly DriftFinding[];
  /** Tables and columns whose names no registry can hold; they are not served. */
  leftOut: readonly string[];
}

/**
 * Compares a scan with the baseline and proposes the next one. Pure.
 *
 * What a person wrote stays: sensitivity, category, tags, descriptions, comments, order. New datasets are inserted in the
 * order of their keys, new fields after the column that precedes them in the table. What the database no longer has is
 * not removed but marked `gone: true`, so that its tags are there if it comes back, and reported in the scan that finds it
 * gone, not again. A renamed field keeps its entry under the new name, a renamed table its key; where the new name is
 * classified stricter than what the entry says, the stricter holds. Merging the same scan again changes nothing.
 */
export function mergeScan(input: MergeScanInput): MergeScanResult {
  const { registry, lock, scanned, datasource } = input;
  const leftOut: string[] = [];
  const tables = usableTables(scanned.tables, leftOut);
  const { matches, gone, unseen } = matchTables({
    registry,
    lock,
    tables,
    datasource,
    defaultSchema: scanned.defaultSchema,
    inScope: input.inScope ?? (() => true),
  });
  const matchOf = new Map(matches.map((match) => [match.table, match]));
  const columnsOf = new Map(matches.map((match) => [match, columnMatches(match, registry)]));
  const reviewed = (table: ScannedTable, column: string): RegistryField | undefined => {
    const match = matchOf.get(table);
    const columns = match && columnsOf.get(match);
    const tagsOf = match?.added === true ? match.tagsOf : undefined;
    const fields = registry.get(tagsOf ?? match?.key ?? '')?.fields;
    const former = columns?.renamed.get(column) ?? columns?.heirs.get(column);
    const field = fields?.get(columns?.renamed.get(column) ?? column) ?? fields?.get(former ?? '');
    return field?.gone ? undefined : field;
  };
  const start = startingTagsOf({
    classify: input.classify,
    ...(input.countsOf === undefined ? {} : { countsOf: input.countsOf }),
    tables,
    keyOf: (table) => matchOf.get(table)?.key ?? table.table.name,
    reviewed,
  });
  const edits: RegistryEdit[] = [];
  const drift: DriftFinding[] = [];
  const locks = Object.entries(lock.datasets).filter(
    ([key, dataset]) => dataset.datasource !== datasource || unseen.has(key),
  );
  for (const match of matches) {
    const merged = mergeTable(match, columnsOf.get(match), { registry, start, datasource });
    edits.push(...merged.edits);
    drift.push(...merged.drift);
    locks.push([match.key, lockDatasetOf(match.table, datasource)]);
  }
  for (const key of gone) {
    if (registry.get(key)?.gone) continue;
    edits.push({ edit: 'mark_dataset', key, gone: true });
    drift.push({ kind: 'dataset_removed', datasource, dataset: key });
  }
  const texts = editRegistryFiles(
    { registry: input.registryText, part: input.partText ?? null },
    edits,
    { id: datasource, keys: ownKeys(registry, datasource) },
  );
  return {
    registryText: texts.registry,
    partText: texts.part,
    movedText: texts.moved ?? null,
    lock: { format_version: 'v1', datasets: namedRecord(locks) },
    drift: sortedByDataset(drift),
    leftOut,
  };
}

function ownKeys(registry: Registry, datasource: string): string[] {
  return [...registry].flatMap(([key, dataset]) =>
    dataset.datasource === datasource ? [key] : [],
  );
}

type TableContext = {
  registry: Registry;
  start: ReturnType<typeof startingTagsOf>;
  datasource: string;
};
type Merged = { edits: RegistryEdit[]; drift: DriftFinding[] };

function columnMatches({ key, table, lock, added }: TableMatch, registry: Registry): ColumnMatches {
  if (added || (lock !== undefined && isLockOf(lock, table))) return NOTHING_MOVED;
  const fields = registry.get(key)?.fields;
  const { oid } = table.table;
  const isSameObject = oid !== undefined && oid === lock?.table.oid;
  return matchColumns(lock?.fields ?? {}, table.columns, fields ?? new Map(), isSameObject);
}

function mergeTable(
  match: TableMatch,
  columns: ColumnMatches | undefined,
  context: TableContext,
): Merged {
  const dataset = context.registry.get(match.key);
  if (match.added || dataset === undefined || columns === undefined) {
    return addTable(match, context);
  }
  const { table, key } = match;
  const { datasource } = context;
  const result: Merged = { edits: [], drift: [] };
  const about = { datasource, dataset: key };
  if (dataset.gone) {
    result.edits.push({ edit: 'mark_dataset', key, gone: false });
    result.drift.push({ kind: 'dataset_returned', ...about });
  }
  if (match.renamedFrom !== undefined) {
    const [from, to] = [placeText(match.renamedFrom), placeText(table.table)];
    result.drift.push({ kind: 'renamed', ...about, from, to });
  }
  result.drift.push(...tableFindings(match, columns.renamed, about));
  mergeColumns(match, dataset, columns, context, result);
  return result;
}

function addTable({ table, key, tagsOf }: TableMatch, context: TableContext): Merged {
  const { datasource, registry, start } = context;
  const drift: DriftFinding[] = [{ kind: 'dataset_added', datasource, dataset: key }];
  const former = tagsOf === undefined ? undefined : registry.get(tagsOf)?.fields;
  const fields: RegistryField[] = [];
  for (const column of table.columns) {
    const { field: fresh, because } = start(table, column);
    const kept = former?.get(column.name);
    const present =
      kept === undefined ? fresh : withoutGone(strictest({ ...kept, type: column.type }, fresh));
    fields.push(present);
    drift.push(fieldAdded(datasource, key, column.name, present, because));
  }
  const names = table.columns.map(({ name }) => name);
  const text = newDatasetText(key, datasource, names, fields);
  return { edits: [{ edit: 'add_dataset', key, text }], drift };
}

/** Differences of the table itself: what it is, what it shows, what identifies its rows. */
function tableFindings(
  { lock, table }: TableMatch,
  renamed: ReadonlyMap<string, string>,
  about: { datasource: string; dataset: string },
): DriftFinding[] {
  const now = lockDatasetOf(table, about.datasource);
  // The very object: what the lock says was not even parsed, since it is what the table found would print.
  if (lock === undefined || lock === now) return [];
  const findings: DriftFinding[] = [];
  if (lock.kind !== table.kind) {
    findings.push({ kind: 'redefined', ...about, from: lock.kind, to: table.kind });
  } else if (lock.definition_digest !== table.definition_digest) {
    findings.push({ kind: 'redefined', ...about, from: table.kind, to: 'another definition' });
  }
  // One that says nothing of it may be older than what is recorded: that rows are protected now is no risk.
  if (lock.row_security !== undefined && lock.row_security !== now.row_security) {
    const [from, to] = [lock.row_security, now.row_security ?? 'off'];
    findings.push({ kind: 'row_security_changed', ...about, from, to });
  }
  if (keysDiffer(lock, now, new Map([...renamed].map(([to, from]) => [from, to])))) {
    findings.push({
      kind: 'keys_changed',
      ...about,
      from: keysText(lock),
      to: keysText(now),
    });
  }
  return findings;
}

function mergeColumns(
  { key, table, lock, tagsOf }: TableMatch,
  dataset: RegistryDataset,
  { renamed, heirs, replaced, moved, swapped }: ColumnMatches,
  { registry, start, datasource }: TableContext,
  { edits, drift }: Merged,
): void {
  const isUnchanged =
    tagsOf === undefined && renamed.size + heirs.size + replaced.size + moved.size === 0;
  if (isUnchanged && hasSameFields(table, dataset, lock)) return;
  const exchanged = new Map(swapped.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]));
  const others = registry.get(tagsOf ?? '')?.fields;
  let previous: string | null = null;
  for (const column of table.columns) {
    const { name } = column;
    const former = renamed.get(name);
    const inherited = heirs.get(name);
    const entry = dataset.fields.get(former ?? name);
    const about = { datasource, dataset: key, field: name };
    // Entries that stay where they are, and whose tags this column may not lose.
    const sources = [dataset.fields.get(inherited ?? ''), others?.get(name)];
    const withSources = (base: RegistryField): RegistryField =>
      sources.reduce<RegistryField>(
        (field, source) => (source === undefined ? field : strictest(field, source)),
        base,
      );
    if (entry === undefined) {
      const { field: fresh, because } = start(table, column);
      const field = withSources(fresh);
      edits.push({ edit: 'add_field', key, name, field, after: previous });
      drift.push(
        inherited === undefined
          ? fieldAdded(datasource, key, name, field, because)
          : { kind: 'renamed', ...about, from: inherited, to: name, ...described(field) },
      );
      previous = name;
      continue;
    }
    const { gone: wasGone, ...kept } = entry;
    let field: RegistryField = { ...kept, type: column.type };
    if (former !== undefined) field = strictest(field, start(table, column).field);
    if (replaced.has(name)) field = strictest(field, start(table, column).field);
    field = withSources(field);
    const other = dataset.fields.get(exchanged.get(name) ?? '');
    if (other !== undefined) field = strictest(field, other);
    const from = former ?? inherited;
    const [before, facts] = [lock?.fields[from ?? name], described(field)];
    if (from !== undefined) {
      drift.push({ kind: 'renamed', ...about, from, to: name, ...facts });
    }
    if (replaced.has(name)) drift.push({ kind: 'field_added', ...about, ...facts });
    if (wasGone) drift.push({ kind: 'field_returned', ...about, ...facts });
    if (entry.type !== column.type) {
      drift.push({ kind: 'type_changed', ...about, from: entry.type, to: column.type, ...facts });
    }
    if (before !== undefined && before.nullable !== column.nullable) {
      const [from, to] = [before, column].map(nullText);
      drift.push({ kind: 'nullability_changed', ...about, ...texts(from, to), ...facts });
    }
    if (before !== undefined && before.comment_digest !== column.comment_digest) {
      // Comments can hold secrets: that one changed is all that is said.
      const [from, to] = [before, column].map(commentText);
      drift.push({ kind: 'comment_changed', ...about, ...texts(from, to), ...facts });
    }
    const place = moved.get(name);
    if (place !== undefined) {
      const [from, to] = [`position ${place.from}`, `position ${place.to}`];
      drift.push({ kind: 'moved', ...about, from, to, ...facts });
    }
    if (former !== undefined || !sameField(entry, field)) {
      edits.push({ edit: 'change_field', key, name: former ?? name, newName: name, field });
    }
    previous = name;
  }
  const present = new Set([...table.columns.map(({ name }) => name), ...renamed.values()]);
  for (const [name, field] of dataset.fields) {
    if (present.has(name) || field.gone) continue;
    edits.push({ edit: 'change_field', key, name, newName: name, field: { ...field, gone: true } });
    const type = lock?.fields[name]?.type ?? field.type;
    drift.push({ kind: 'field_removed', datasource, dataset: key, field: name, type });
  }
}

/** By far the most tables are as they were: nothing else is to be said of them. */
function hasSameFields(
  table: ScannedTable,
  { fields }: RegistryDataset,
  lock: LockDataset | undefined,
): boolean {
  const { columns } = table;
  const isSameLock = lock !== undefined && isLockOf(lock, table);
  return (
    fields.size === columns.length &&
    columns.every(({ name, type, nullable, comment_digest }) => {
      const entry = fields.get(name);
      if (entry?.type !== type || entry.gone === true) return false;
      if (isSameLock) return true;
      const before = lock?.fields[name];
      return before?.nullable === nullable && before.comment_digest === comment_digest;
    })
  );
}

/** Whether what the lock says is what the table found would print: then it is the very same object. */
function isLockOf(lock: LockDataset, table: ScannedTable): boolean {
  return lock === lockDatasetOf(table, lock.datasource);
}

function usableTables(tables: readonly ScannedTable[], leftOut: string[]): ScannedTable[] {
  return tables
    .filter(({ table }) => {
      const usable =
        isUsableName(table.name) && (table.schema === '' || isUsableName(table.schema));
      if (!usable) leftOut.push(placeText(table));
      return usable;
    })
    .map((table) => {
      const columns = table.columns.filter(({ name }) => isUsableName(name));
      if (columns.length === table.columns.length) return table;
      for (const { name } of table.columns) {
        if (!isUsableName(name)) leftOut.push(`${placeText(table.table)}.${name}`);
      }
      return { ...table, columns };
    })
    .sort((a, b) => (placeText(a.table) < placeText(b.table) ? -1 : 1));
}

function withoutGone({ gone: _gone, ...field }: RegistryField): RegistryField {
  return field;
}

/** Without a spread: the first scan of a large database finds hundreds of thousands. */
function fieldAdded(
  datasource: string,
  dataset: string,
  field: string,
  { type, classification, category, sensitivity, tags }: RegistryField,
  because: string,
): DriftFinding {
  const kind = 'field_added';
  // Until policies are asked.
  const effect = 'uncovered';
  return classification === undefined
    ? { kind, datasource, dataset, field, type, category, sensitivity, tags, because, effect }
    : {
        kind,
        datasource,
        dataset,
        field,
        type,
        classification,
        category,
        sensitivity,
        tags,
        because,
        effect,
      };
}

function described(field: RegistryField): Partial<DriftFinding> {
  const { type, classification, category, sensitivity, tags } = field;
  return {
    type,
    ...(classification === undefined ? {} : { classification }),
    category,
    sensitivity,
    tags,
  };
}

function sameField(a: RegistryField, b: RegistryField): boolean {
  return (
    a.type === b.type &&
    a.sensitivity === b.sensitivity &&
    a.category === b.category &&
    a.classification === b.classification &&
    a.gone === b.gone &&
    a.tags.join('\0') === b.tags.join('\0')
  );
}

function sortedByDataset(findings: readonly DriftFinding[]): DriftFinding[] {
  const isSorted = findings.every(
    ({ dataset }, index) => index === 0 || (findings[index - 1]?.dataset ?? '') <= dataset,
  );
  if (isSorted) return [...findings];
  // The sort is stable: within a dataset the order of the merge stays.
  return [...findings].sort((a, b) => (a.dataset < b.dataset ? -1 : a.dataset > b.dataset ? 1 : 0));
}

function texts(from = '', to = ''): { from: string; to: string } {
  return { from, to };
}

function nullText({ nullable }: Pick<ScannedColumn, 'nullable'>): string {
  return nullable ? 'nullable' : 'not null';
}

function commentText({ comment_digest }: Pick<LockField, 'comment_digest'>): string {
  return comment_digest === undefined ? 'no comment' : 'a comment';
}

function placeText({ schema, name }: TableIdentity): string {
  return schema === '' ? name : `${schema}.${name}`;
}

function keysText({ primary_key, unique_keys, foreign_keys }: LockDataset): string {
  const counts = [`${unique_keys.length} unique`, `${foreign_keys.length} foreign`];
  const primary =
    primary_key.length === 0 ? 'no primary key' : `primary key ${primary_key.join(', ')}`;
  return [primary, ...counts].join(', ');
}
