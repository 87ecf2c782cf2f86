import type { LockField, RegistryField, ScannedColumn } from './model.js';

export interface ColumnMatches {
  /**
   * Columns that the engine knows as former ones of another name, but whose entry cannot simply be renamed, since their
   * name or the former one is also that of another column: new name to former name.
   */
  heirs: ReadonlyMap<string, string>;
  /** Columns that the engine knows as new, under the name of a former one. */
  replaced: ReadonlySet<string>;
  /** New name to former name: same table, same place and type, gone and new in one scan. */
  renamed: ReadonlyMap<string, string>;
  /** Names of columns that changed their order among those that stayed, with the former and the new position. */
  moved: ReadonlyMap<string, { from: number; to: number }>;
  /** Pairs of columns of one type that changed places: perhaps it was the names that did. */
  swapped: readonly (readonly [string, string])[];
}

type Placed = { name: string; type: string; position: number };

/**
 * Compares the columns of the last scan with those of this one. Names in `fields` (the registry) are what has tags to
 * keep. Of a table that is the very object it was, the engine's numbers of columns tell what was renamed, whatever its
 * type is now. Elsewhere a rename is seen between the same neighbours, or at the same position, where the type is the same.
 */
export function matchColumns(
  before: Readonly<Record<string, LockField>>,
  columns: readonly ScannedColumn[],
  fields: ReadonlyMap<string, RegistryField>,
  isSameObject = false,
): ColumnMatches {
  const known = isSameObject ? knownByNumber(before, columns) : null;
  if (known === null && areSame(before, columns)) return NOTHING_MOVED;
  const old: Placed[] = Object.entries(before)
    .map(([name, { type, position }]) => ({ name, type, position }))
    .sort((a, b) => a.position - b.position);
  const names = new Set(columns.map(({ name }) => name));
  const gone = new Set(
    old.filter(({ name }) => !names.has(name) && fields.has(name)).map(({ name }) => name),
  );
  const isNew = ({ name }: Placed) => !Object.hasOwn(before, name) && !fields.has(name);
  const renamed = new Map<string, string>();
  const heirs = new Map<string, string>();
  for (const column of columns) {
    const former = known?.formerOf.get(column.name);
    if (former === undefined) continue;
    if (gone.delete(former) && isNew(column)) renamed.set(column.name, former);
    else heirs.set(column.name, former);
  }
  const pair = (from: Placed | undefined, to: Placed | undefined): void => {
    if (from === undefined || to === undefined || from.type !== to.type) return;
    if (!gone.has(from.name) || renamed.has(to.name) || heirs.has(to.name)) return;
    gone.delete(from.name);
    renamed.set(to.name, from.name);
  };
  const stays = ({ name }: Placed) => names.has(name) && Object.hasOwn(before, name);
  const gapsBefore = gapsOf(old, stays);
  for (const [anchor, found] of gapsOf(columns, stays)) {
    const lost = gapsBefore.get(anchor) ?? [];
    const same =
      lost.length === found.length && lost.every(({ type }, at) => type === found[at]?.type);
    if (!same || !found.every(isNew)) continue;
    for (const [index, from] of lost.entries()) pair(from, found[index]);
  }
  for (const column of columns) {
    if (isNew(column))
      pair(
        old.find(({ position }) => position === column.position),
        column,
      );
  }
  const replaced = known?.replaced ?? new Set();
  // Columns that have numbers stand in the order of these, and never move.
  const moves = known === null ? findMoves(old.filter(stays), columns.filter(stays)) : NO_MOVES;
  return { renamed, heirs, replaced, ...moves };
}

const NO_MOVES: Pick<ColumnMatches, 'moved' | 'swapped'> = { moved: new Map(), swapped: [] };
export const NOTHING_MOVED: ColumnMatches = {
  renamed: new Map(),
  heirs: new Map(),
  replaced: new Set(),
  ...NO_MOVES,
};

/** The former names of columns that have another one now, and new columns under former names; `null` without numbers. */
function knownByNumber(
  before: Readonly<Record<string, LockField>>,
  columns: readonly ScannedColumn[],
): { formerOf: ReadonlyMap<string, string>; replaced: ReadonlySet<string> } | null {
  const nameOf = new Map<number, string>();
  for (const [name, { number }] of Object.entries(before)) {
    if (number === undefined) return null;
    nameOf.set(number, name);
  }
  const formerOf = new Map<string, string>();
  const replaced = new Set<string>();
  for (const { name, number } of columns) {
    if (number === undefined) return null;
    const former = nameOf.get(number);
    if (former !== undefined && former !== name) formerOf.set(name, former);
    if (former === undefined && Object.hasOwn(before, name)) replaced.add(name);
  }
  return { formerOf, replaced };
}

/** The same names in the same places: by far the most tables are as they were. */
function areSame(
  before: Readonly<Record<string, LockField>>,
  columns: readonly ScannedColumn[],
): boolean {
  let count = 0;
  for (const _name in before) count += 1;
  return (
    count === columns.length &&
    columns.every(
      ({ name, position }) => Object.hasOwn(before, name) && before[name]?.position === position,
    )
  );
}

/** Columns that do not stay, by the pair of neighbours that do. */
function gapsOf(
  columns: readonly Placed[],
  stays: (column: Placed) => boolean,
): Map<string, Placed[]> {
  const gaps = new Map<string, Placed[]>();
  let left: string | null = null;
  let open: Placed[] = [];
  for (const column of columns) {
    if (!stays(column)) {
      open.push(column);
      continue;
    }
    if (open.length > 0) gaps.set(JSON.stringify([left, column.name]), open);
    left = column.name;
    open = [];
  }
  if (open.length > 0) gaps.set(JSON.stringify([left, null]), open);
  return gaps;
}

function findMoves(
  old: readonly Placed[],
  now: readonly Placed[],
): Pick<ColumnMatches, 'moved' | 'swapped'> {
  const moved = new Map<string, { from: number; to: number }>();
  const swapped: [string, string][] = [];
  const formerIndex = new Map(old.map(({ name }, index) => [name, index]));
  for (const [index, column] of now.entries()) {
    const former = formerIndex.get(column.name);
    if (former === undefined || former === index) continue;
    moved.set(column.name, { from: old[former]?.position ?? 0, to: column.position });
    const other = now[former];
    if (former < index || other === undefined) continue;
    if (formerIndex.get(other.name) === index && other.type === column.type) {
      swapped.push([column.name, other.name]);
    }
  }
  return { moved, swapped };
}
