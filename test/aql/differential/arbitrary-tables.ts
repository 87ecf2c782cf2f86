import type { Dice } from './dice.js';
import { EDGE_VALUES, TWINS } from './edge-values.js';
import { type EngineProfile, literalOf } from './engine-profile.js';

export interface TestField {
  name: string;
  type: string;
  isKey: boolean;
  /** The field of the same table of which the database makes this one. */
  copyOf?: string;
}

export interface TestTable {
  name: string;
  /** The registry key. */
  dataset: string;
  fields: readonly TestField[];
  primaryKey: readonly string[];
  uniqueKeys: readonly (readonly string[])[];
  rows: readonly TestRow[];
  /** The columns of its indexes; default some fields of types that an index takes, each by itself. */
  indexes?: readonly (readonly string[])[];
  /** The SELECT of a view, whose rows are those that it gives. */
  view?: string;
}

export type TestRow = readonly (string | null)[];

const TABLES = ['people', 'orders', 'log entries', 'T"4'];
const ROWS_MAX = 9;
export const INDEXED = ['integer', 'bigint', 'varchar', 'date'];
/** Names that several tables have, and names that are no plain identifiers. */
const NAMES = [
  'mail',
  'name',
  'kind',
  'size',
  'Noted',
  'select',
  'with space',
  'qu"ote',
  "o'clock",
  'ünï',
  'dot.ted',
  'count',
  'back\\slash',
  'ratio',
  'at',
  '100%',
];

/** Two to four tables that have every type of the engine among them, and rows of edge values. */
export function arbitraryTables(dice: Dice, profile: EngineProfile): TestTable[] {
  const names = TABLES.slice(0, 2 + dice.upTo(2));
  const types = dice.shuffled(Object.keys(profile.types));
  // Few values per type, so that rows meet in joins and groups; neighbours, which are easily confused.
  const values = new Map(types.map((type) => [type, neighbours(dice, type, profile)]));
  return names.map((name, at) => {
    const own = types.filter((_, index) => index % names.length === at);
    const all = [...own, ...dice.some(types, 0, 3)];
    const labels = dice.some(NAMES, all.length, all.length);
    const data = all.map((type, index) => ({
      name: labels[index] ?? `c${index}`,
      type,
      isKey: false,
    }));
    // Where one of few is empty, most answers are.
    const isEmpty = at > 1 && dice.oneIn(5);
    return arbitraryTable(dice, name, data, isEmpty ? 0 : 3 + dice.upTo(ROWS_MAX - 3), values);
  });
}

function neighbours(dice: Dice, type: string, profile: EngineProfile): string[] {
  const values = valuesOf(type, profile);
  const start = dice.upTo(values.length - 1);
  const chosen = [...values.slice(start), ...values.slice(0, start)].slice(0, 3 + dice.upTo(3));
  const twins = TWINS[type]?.(dice.pick(chosen)) ?? [];
  return [...chosen, ...twins];
}

export function valuesOf(type: string, profile: EngineProfile): string[] {
  const values = EDGE_VALUES[type] ?? [];
  return values.filter((spelled) => profile.keeps?.(type, spelled) ?? true);
}

function arbitraryTable(
  dice: Dice,
  name: string,
  data: readonly TestField[],
  count: number,
  values: ReadonlyMap<string, readonly string[]>,
): TestTable {
  const key = dice.pick(['id', 'none', 'id and part', 'code', 'id and nr']);
  const keys: Record<string, TestField & { of(row: number): string }> = {
    id: { name: 'id', type: 'integer', isKey: true, of: (row) => String(row + 1) },
    part: {
      name: 'part',
      type: 'varchar',
      isKey: true,
      of: (row) => ['x', 'y', 'z'][row % 3] ?? '',
    },
    code: { name: 'code', type: 'varchar', isKey: true, of: (row) => `k${(row * 5) % 11}` },
    nr: {
      name: 'nr',
      type: 'bigint',
      isKey: true,
      of: (row) => String(9007199254740990n + BigInt(row)),
    },
  };
  const keyNames = key === 'none' ? [] : key.split(' and ');
  const keyFields = keyNames.flatMap((one) => keys[one] ?? []);
  const reference = { name: 'ref', type: 'integer', isKey: false };
  const fields = dice.shuffled([...keyFields, reference, ...data]);
  const halved = (row: number) => (keyNames.includes('part') ? Math.floor(row / 3) : row);
  const rows = Array.from({ length: count }, (_, row) =>
    fields.map((field): string | null => {
      const generated = keyFields.find((one) => one === field);
      if (generated !== undefined) return generated.of(field.name === 'id' ? halved(row) : row);
      if (dice.oneIn(6)) return null;
      return field === reference
        ? String(1 + dice.upTo(4))
        : dice.pick(values.get(field.type) ?? []);
    }),
  );
  return {
    name,
    dataset: dice.oneIn(3) ? `shop.${name}` : name,
    fields: fields.map(({ name: field, type, isKey }) => ({ name: field, type, isKey })),
    primaryKey: key === 'id and part' ? ['id', 'part'] : keyNames.slice(0, 1),
    uniqueKeys: key === 'id and nr' ? [['nr']] : [],
    rows: dice.shuffled(rows),
  };
}

function generation(quote: (name: string) => string, { copyOf }: TestField): string {
  return copyOf === undefined ? '' : ` generated always as (${quote(copyOf)}) stored`;
}

/** The statements that make the tables, fill them, and index some columns. */
export function sqlOf(tables: readonly TestTable[], profile: EngineProfile): string {
  const quote = profile.quoteIdentifier;
  const statements = tables.flatMap((table) => {
    const { name, fields, primaryKey, uniqueKeys, rows, view } = table;
    if (view !== undefined) return [`create view ${quote(name)} as ${view}`];
    const list = (names: readonly string[]) => names.map(quote).join(', ');
    const parts = [
      ...fields.map(
        (field) =>
          `${quote(field.name)} ${profile.types[field.type]}${generation(quote, field)}${field.isKey ? ' not null' : ''}`,
      ),
      ...(primaryKey.length > 0 ? [`primary key (${list(primaryKey)})`] : []),
      ...uniqueKeys.map((key) => `unique (${list(key)})`),
    ];
    const tuples = rows.map((row) => {
      const cells = row.flatMap((cell, at) =>
        fields[at]?.copyOf ? [] : literalOf(profile, fields[at]?.type ?? '', cell),
      );
      return `(${cells.join(', ')})`;
    });
    const indexed = fields.filter((field) => INDEXED.includes(field.type)).slice(0, 2);
    const indexes = table.indexes ?? indexed.map((field) => [field.name]);
    const written = fields.filter(({ copyOf }) => !copyOf).map((field) => field.name);
    return [
      `create table ${quote(name)} (${parts.join(', ')})`,
      ...(tuples.length > 0
        ? [`insert into ${quote(name)} (${list(written)}) values ${tuples.join(', ')}`]
        : []),
      ...indexes.map(
        (columns, at) =>
          `create index ${quote(`${name} ${at}`)} on ${quote(name)} (${list(columns)})`,
      ),
    ];
  });
  return [...(profile.prelude ? [profile.prelude] : []), ...statements].join(';\n');
}
