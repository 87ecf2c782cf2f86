import { lazily } from '../util/lazily.js';
import type { Classification, Classifier, Evidence } from './classification/classification.js';
import { type ValueCounts, whatValuesSay } from './classification/count-values.js';
import { kindOfType } from './field-type.js';
import { identityText } from './match-tables.js';
import {
  type RegistryField,
  type ScannedColumn,
  type ScannedTable,
  SENSITIVITIES,
  type Sensitivity,
  type TableIdentity,
} from './model.js';

/** Equal columns may share one and the same object. */
export interface StartingTags {
  readonly field: RegistryField;
  readonly because: string;
}

/** A chain of foreign keys longer than any schema has; beyond it the origin counts as unknown. */
const REFERENCES_MAX = 64;

/**
 * How a column that nobody has reviewed starts: as it is classified, at least as strict as the columns that it comes from (by
 * a foreign key, or as the engine tells of generated columns and of views), and `high` where what it holds cannot be told (JSON, arrays, XML, bytes, unknown types, columns of views,
 * generated columns, foreign keys to a table that the scan did not see).
 */
export function startingTagsOf(context: {
  classify: Classifier;
  /** What the values of a column look like, where some were looked at. */
  countsOf?: (table: TableIdentity, column: string) => ValueCounts | undefined;
  tables: readonly ScannedTable[];
  /** The registry key of a scanned table. */
  keyOf: (table: ScannedTable) => string;
  /** What the registry already says of a column, where it has it. */
  reviewed: (table: ScannedTable, column: string) => RegistryField | undefined;
}): (table: ScannedTable, column: ScannedColumn) => StartingTags {
  const lookUp = lazily(() => tableLookup(context.tables));
  const { countsOf = () => undefined } = context;
  const byRules = createStart(context);
  const classified = (table: ScannedTable, column: ScannedColumn): StartingTags => {
    const start = byRules(table, column);
    const counts = countsOf(table.table, column.name);
    return counts === undefined ? start : withValues(start, counts);
  };
  const known = new Map<ScannedColumn, StartingTags>();
  const underWay = new Set<ScannedColumn>();
  const find = (table: ScannedTable, column: ScannedColumn): StartingTags => {
    const { foreign_keys, reads } = table;
    if (foreign_keys.length === 0 && column.origins === undefined && reads === undefined) {
      return classified(table, column);
    }
    const before = known.get(column);
    if (before !== undefined) return before;
    underWay.add(column);
    const found = withOrigins(table, column, classified(table, column));
    underWay.delete(column);
    known.set(column, found);
    return found;
  };
  const withOrigins = (
    table: ScannedTable,
    column: ScannedColumn,
    start: StartingTags,
  ): StartingTags => {
    const { because } = start;
    let { field } = start;
    const reasons = because === '' ? [] : [because];
    for (const { schema, table: from, column: named, index = 0, verb } of sourcesOf(
      table,
      column,
    )) {
      const target = lookUp()(schema, from);
      const name = named ?? target?.primary_key[index];
      const source = target?.columns.find((candidate) => sameName(candidate.name, name));
      if (source === column) continue;
      const place = `${from}.${name ?? '?'}`;
      const reviewed = target && source && context.reviewed(target, source.name);
      const circle = source && (underWay.has(source) || underWay.size > REFERENCES_MAX);
      if (reviewed === undefined && (target === undefined || source === undefined || circle)) {
        field = { ...field, sensitivity: 'high' };
        reasons.push(`${verb} ${place}, of which the scan cannot tell what it holds`);
        continue;
      }
      const origin = reviewed ?? (target && source && find(target, source).field);
      if (origin === undefined) continue;
      const merged = strictest(field, origin);
      if (merged !== field) reasons.push(`${verb} ${place}, and is as strict`);
      field = merged;
    }
    return reasons.length === (because === '' ? 0 : 1) && field === start.field
      ? start
      : { field, because: reasons.join('; ') };
  };
  return find;
}

interface Source {
  schema: string;
  table: string;
  /** Absent for the primary key's column at `index`. */
  column?: string | undefined;
  index?: number;
  verb: 'refers to' | 'comes from' | 'is of a view that reads';
}

/** The columns that a column takes its values from: by foreign keys, and as the engine tells of generated ones and of views. */
function sourcesOf({ foreign_keys, reads = [] }: ScannedTable, column: ScannedColumn): Source[] {
  const referred = foreign_keys.flatMap(({ columns, references }): Source[] => {
    const index = columns.indexOf(column.name);
    if (index === -1) return [];
    const { schema, table, columns: names } = references;
    return [{ schema, table, column: names[index], index, verb: 'refers to' }];
  });
  const own = column.origins?.map((origin): Source => ({ ...origin, verb: 'comes from' }));
  const read = reads.map((origin): Source => ({ ...origin, verb: 'is of a view that reads' }));
  return [...referred, ...(own ?? read)];
}

/** What values say makes a start stricter, and never less strict. */
function withValues({ field, because }: StartingTags, counts: ValueCounts): StartingTags {
  const said = whatValuesSay(counts);
  const reasons = said.map((one) => one.because);
  const strict = said.reduce((base, { check: { classification, category, sensitivity } }) => {
    return strictest(base, { type: base.type, classification, category, sensitivity, tags: [] });
  }, field);
  return { field: strict, because: [because, ...reasons].filter((text) => text !== '').join('; ') };
}

/** How a column starts by itself. A classifier gives equal columns one answer, which is then put into words once. */
function createStart({
  classify,
  keyOf,
}: {
  classify: Classifier;
  keyOf: (table: ScannedTable) => string;
}): (table: ScannedTable, column: ScannedColumn) => StartingTags {
  const known = new WeakMap<Classification, Map<string, StartingTags>>();
  return (table, column) => {
    const { name, type, comment } = column;
    const dataset = keyOf(table);
    const found = classify(
      comment === undefined ? { dataset, name, type } : { dataset, name, type, comment },
    );
    const unknown = unknownOrigin(table, column);
    const texts = known.get(found) ?? new Map<string, StartingTags>();
    if (texts.size === 0) known.set(found, texts);
    const key = `${type} ${unknown ?? ''}`;
    const before = texts.get(key);
    if (before !== undefined) return before;
    const start = startOf(found, type, unknown);
    texts.set(key, start);
    return start;
  };
}

function startOf(
  { classification, category, sensitivity, because }: Classification,
  type: string,
  unknown: string | null,
): StartingTags {
  return {
    field: {
      type,
      sensitivity: unknown === null ? sensitivity : 'high',
      category,
      ...(classification === 'generic' ? {} : { classification }),
      tags: [],
    },
    because: [...because.map(evidenceText), ...(unknown === null ? [] : [unknown])].join('; '),
  };
}

function evidenceText({ rule, matched, origin }: Evidence): string {
  return `${origin} "${matched.join(' ')}" (${rule})`;
}

/** SQLite declares foreign keys in whatever case somebody typed. */
function tableLookup(
  tables: readonly ScannedTable[],
): (schema: string, name: string) => ScannedTable | undefined {
  const exact = new Map(tables.map((table) => [identityText(table.table), table]));
  const folded = new Map(
    tables.map((table) => [identityText(table.table).toLowerCase(), table] as const),
  );
  return (schema, name) => {
    const text = identityText({ schema, name });
    return exact.get(text) ?? folded.get(text.toLowerCase());
  };
}

function sameName(name: string, other: string | undefined): boolean {
  return name === other || name.toLowerCase() === other?.toLowerCase();
}

function unknownOrigin(table: ScannedTable, column: ScannedColumn): string | null {
  if (table.kind === 'view' || table.kind === 'materialized_view') {
    return 'a column of a view, of which the engine does not tell all that it shows';
  }
  if (column.generated && column.origins === undefined) {
    return 'generated from other columns, which the engine does not tell';
  }
  const kind = kindOfType(column.type);
  const opaque = kind === 'json' || kind === 'bytes' || kind === 'array';
  if (opaque || column.type === 'xml' || column.type === 'other') {
    return `can hold anything (${column.type})`;
  }
  return kind === 'other' && !KNOWN_OTHER.has(column.type) ? 'of an unknown type' : null;
}

/** Types without operations in a query whose content is nevertheless plain from the type. */
const KNOWN_OTHER = new Set([
  'money',
  'timetz',
  'interval',
  'inet',
  'cidr',
  'macaddr',
  'bit',
  'geometry',
]);

/**
 * Both descriptions of one column in one: the higher sensitivity with the category and classification that go with it,
 * and the other category as a tag, which policies match like a category. `base` itself where it is already all of that.
 */
export function strictest(base: RegistryField, other: RegistryField): RegistryField {
  const higher = rank(other.sensitivity) > rank(base.sensitivity);
  // A category says more than none: at the same sensitivity `internal` gives way.
  const wins = higher || (rank(other.sensitivity) === rank(base.sensitivity) && isInternal(base));
  const first = wins && !(isInternal(other) && !isInternal(base)) ? other : base;
  const second = first === base ? other : base;
  const tags = new Set([...base.tags, ...other.tags]);
  if (!isInternal(second) && second.category !== first.category) tags.add(second.category);
  const sensitivity = higher ? other.sensitivity : base.sensitivity;
  // A classification belongs to its category: it chooses the key under which a value is tokenized.
  const inherited = second.category === first.category ? second.classification : undefined;
  const classification = first.classification ?? inherited;
  const same =
    first.category === base.category &&
    sensitivity === base.sensitivity &&
    classification === base.classification &&
    tags.size === new Set(base.tags).size;
  if (same) return base;
  const { classification: _former, ...rest } = base;
  return {
    ...rest,
    sensitivity,
    category: first.category,
    ...(classification === undefined ? {} : { classification }),
    tags: [...tags],
  };
}

function isInternal(field: RegistryField): boolean {
  return field.category === 'internal';
}

function rank(sensitivity: Sensitivity): number {
  return SENSITIVITIES.indexOf(sensitivity);
}
