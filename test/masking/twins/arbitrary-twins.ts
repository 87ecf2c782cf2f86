import { visibilityKey } from '../../aql/differential/arbitrary-case.js';
import {
  arbitraryTables,
  INDEXED,
  type TestField,
  type TestRow,
  type TestTable,
} from '../../aql/differential/arbitrary-tables.js';
import type { Dice } from '../../aql/differential/dice.js';
import type { EngineProfile } from '../../aql/differential/engine-profile.js';
import { shownText } from '../../aql/reference/masks.js';
import { kindOf, readValue } from '../../aql/reference/value.js';
import { arbitraryDifference, type Difference } from './differences.js';
import { otherPartial } from './other-partial.js';
import { type Renaming, renamingOf, saltedHash, sha256 } from './renaming.js';

/** Two databases that differ only in what masks hide. All of it is JSON, and makes the same databases again. */
export interface Twins {
  tables: readonly TestTable[];
  /** The rows of the other twin, by the table's name, each in the place of its own. */
  otherRows: Readonly<Record<string, readonly TestRow[]>>;
  /** In what order the other twin's rows are inserted, by the table's name: indexes of rows. */
  orders: Readonly<Record<string, readonly number[]>>;
  /** By `visibilityKey`. */
  differences: Readonly<Record<string, Difference>>;
  /** The other twin's names of values behind hashes and tokens. */
  renamings: Readonly<Record<'hash' | 'token', Renaming>>;
}

const COPIED = ['integer', 'bigint', 'varchar', 'date', 'numeric'];

/** Two to four tables with generated columns, views of them, indexes on what is hidden, and the rows of both twins. */
export function arbitraryTwins(dice: Dice, profile: EngineProfile): Twins {
  const differences: Record<string, Difference> = {};
  const bases = arbitraryTables(dice, profile).map((table) => withCopies(dice, table));
  for (const table of bases) chooseDifferences(dice, table, differences);
  const tables = bases.map((table) => ({ ...table, indexes: indexes(dice, table, differences) }));
  const renamings = {
    hash: renamingOf(dice, textsOf(tables, differences, 'hash'), sha256),
    token: renamingOf(dice, textsOf(tables, differences, 'token'), saltedHash),
  };
  const otherRows = Object.fromEntries(
    tables.map((table) => [table.name, othersOf(dice, table, differences, renamings, tables)]),
  );
  const views = tables.flatMap((table) =>
    dice.oneIn(3) ? [] : [viewOf(dice, table, profile, differences)],
  );
  const orders = Object.fromEntries(
    tables.map(({ name, rows }) => [name, dice.shuffled(rows.map((_, at) => at).reverse())]),
  );
  return { tables: [...tables, ...views], otherRows, orders, differences, renamings };
}

function withCopies(dice: Dice, table: TestTable): TestTable {
  const copied = table.fields.filter(({ type }) => COPIED.includes(type));
  const [source] = dice.oneIn(2) ? dice.some(copied, 0, 1) : [];
  if (source === undefined) return table;
  const at = table.fields.indexOf(source);
  const copy: TestField = { ...source, name: 'copied', isKey: false, copyOf: source.name };
  return {
    ...table,
    fields: [...table.fields, copy],
    rows: table.rows.map((row) => [...row, row[at] ?? null]),
  };
}

/** Something of every table is hidden: else nobody says in what order its rows come. */
function chooseDifferences(
  dice: Dice,
  { dataset, fields }: TestTable,
  differences: Record<string, Difference>,
): void {
  const set = (field: string, difference: Difference) => {
    differences[visibilityKey(dataset, field)] = difference;
  };
  for (const field of fields) {
    const isOpenKey = field.isKey && !dice.oneIn(3);
    set(field.name, isOpenKey ? { of: 'nothing' } : arbitraryDifference(dice, field.type));
  }
  const isHiding = fields.some(
    ({ name }) => differences[visibilityKey(dataset, name)]?.of !== 'nothing',
  );
  if (!isHiding) set('ref', { of: 'everything' });
  for (const { name, copyOf } of fields) {
    if (copyOf === undefined) continue;
    const isAlike = differences[visibilityKey(dataset, copyOf)]?.of === 'nothing';
    // A copy of what is hidden has to be hidden, too.
    set(name, { of: isAlike ? 'nothing' : 'everything' });
  }
}

/** One that begins with what is hidden, and all that an index takes behind it; and some of one column. */
function indexes(
  dice: Dice,
  { dataset, fields }: TestTable,
  differences: Readonly<Record<string, Difference>>,
): string[][] {
  const able = fields.filter(({ type }) => INDEXED.includes(type));
  const differs = ({ name }: TestField) =>
    differences[visibilityKey(dataset, name)]?.of !== 'nothing';
  const hidden = able.filter(differs);
  const open = able.filter((field) => !differs(field));
  const [first] = dice.some(hidden, 1, 1);
  const covering = first === undefined ? [] : [[first, ...open].map(({ name }) => name)];
  return [...covering, ...dice.some(hidden, 0, 2).map(({ name }) => [name])];
}

function textsOf(
  tables: readonly TestTable[],
  differences: Readonly<Record<string, Difference>>,
  of: Difference['of'],
): string[] {
  return tables.flatMap(({ dataset, fields, rows }) =>
    fields.flatMap(({ name, type }, at) =>
      differences[visibilityKey(dataset, name)]?.of === of
        ? rows.flatMap((row) => textOfCell(type, row[at] ?? null) ?? [])
        : [],
    ),
  );
}

/** What a mask of text makes of a cell. */
export function textOfCell(type: string, cell: string | null): string | undefined {
  const value = readValue(kindOf(type), cell);
  return value === null ? undefined : shownText(value);
}

function othersOf(
  dice: Dice,
  table: TestTable,
  differences: Readonly<Record<string, Difference>>,
  renamings: Twins['renamings'],
  tables: readonly TestTable[],
): TestRow[] {
  const columns = table.fields.map((field, at): (string | null)[] => {
    const difference = differences[visibilityKey(table.dataset, field.name)];
    const own = table.rows.map((row) => row[at] ?? null);
    if (difference === undefined || field.copyOf !== undefined) return own;
    const others = othersOfColumn(dice, field, own, difference, renamings, tables);
    // A key is one in both twins.
    return field.isKey && new Set(others).size < new Set(own).size ? own : others;
  });
  return table.rows.map((_, row) =>
    table.fields.map(({ copyOf }, at) => {
      const source = table.fields.findIndex(({ name }) => name === copyOf);
      return columns[source < 0 ? at : source]?.[row] ?? null;
    }),
  );
}

function othersOfColumn(
  dice: Dice,
  { type, isKey }: TestField,
  own: readonly (string | null)[],
  difference: Difference,
  renamings: Twins['renamings'],
  tables: readonly TestTable[],
): (string | null)[] {
  switch (difference.of) {
    case 'nothing':
      return [...own];
    case 'everything': {
      if (isKey) return keysInstead(dice, own);
      const values = tables.flatMap(({ fields, rows }) =>
        fields.flatMap((field, at) =>
          field.type === type ? rows.flatMap((row) => row[at] ?? []) : [],
        ),
      );
      return own.map(() => (dice.oneIn(3) || values.length === 0 ? null : dice.pick(values)));
    }
    case 'partial':
      if (isKey) return [...own];
      return own.map((cell) => otherPartial(dice, type, cell, difference.mask));
    default:
      return own.map((cell) => {
        const text = textOfCell(type, cell);
        return text === undefined ? null : (renamings[difference.of][text] ?? cell);
      });
  }
}

/** The same values for other rows: keys of several columns stay keys. */
function keysInstead(dice: Dice, own: readonly (string | null)[]): (string | null)[] {
  const values = [...new Set(own)];
  const others = dice.shuffled(values);
  return own.map((cell) => others[values.indexOf(cell)] ?? cell);
}

/** Some of the fields, in another order; now and then the rows in the order of one that it leaves out. */
function viewOf(
  dice: Dice,
  table: TestTable,
  { quoteIdentifier: quote }: EngineProfile,
  differences: Record<string, Difference>,
): TestTable {
  // MariaDB has JSON in tables alone, and SQLite columns without a type.
  const able = table.fields.filter(({ type }) => !['json', 'other'].includes(kindOf(type)));
  const open = able.filter(
    ({ name }) => differences[visibilityKey(table.dataset, name)]?.of === 'nothing',
  );
  const isOpen = open.length > 1 && dice.oneIn(2);
  const fields = dice.some(isOpen ? open : able, 1, able.length);
  const name = `${table.name} view`;
  for (const field of fields) {
    const difference = differences[visibilityKey(table.dataset, field.name)];
    if (difference) differences[visibilityKey(name, field.name)] = difference;
  }
  const columns = fields.map((field) => quote(field.name)).join(', ');
  const [sorted] = dice.some(
    table.fields.filter(({ type }) => INDEXED.includes(type)),
    0,
    1,
  );
  const order = sorted === undefined ? '' : ` order by ${quote(sorted.name)}`;
  return {
    name,
    dataset: name,
    fields: fields.map((field) => ({ name: field.name, type: field.type, isKey: false })),
    primaryKey: [],
    uniqueKeys: [],
    rows: table.rows.map((row) => fields.map((field) => row[table.fields.indexOf(field)] ?? null)),
    view: `select ${columns} from ${quote(table.name)}${order}`,
  };
}

/** The tables of the other twin. */
export function otherOf({ tables, otherRows, orders }: Twins): TestTable[] {
  return tables.map((table) => {
    const rows = otherRows[table.name];
    const order = orders[table.name];
    if (rows === undefined || order === undefined) return table;
    return { ...table, rows: order.flatMap((at) => (rows[at] ? [rows[at]] : [])) };
  });
}
