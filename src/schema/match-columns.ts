import type { LockField, RegistryField, ScannedColumn } from './model.js';

export interface ColumnMatches {
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
 * keep. A rename is seen between the same neighbours, or at the same position, where the type is the same.
 */
export function matchColumns(
  before: Readonly<Record<string, LockField>>,
  columns: readonly ScannedColumn[],
  fields: ReadonlyMap<string, RegistryField>,
): ColumnMatches {
  if (areSame(before, columns)) return NOTHING_MOVED;
  const old: Placed[] = Object.entries(before)
    .map(([name, { type, position }]) => ({ name, type, position }))
    .sort((a, b) => a.position - b.position);
  const names = new Set(columns.map(({ name }) => name));
  const gone = new Set(
    old.filter(({ name }) => !names.has(name) && fields.has(name)).map(({ name }) => name),
  );
  const isNew = ({ name }: Placed) => !Object.hasOwn(before, name) && !fields.has(name);
  const renamed = new Map<string, string>();
  const pair = (from: Placed | undefined, to: Placed | undefined): void => {
    if (from === undefined || to === undefined || from.type !== to.type) return;
    if (!gone.has(from.name) || renamed.has(to.name)) return;
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
  return { renamed, ...findMoves(old.filter(stays), columns.filter(stays)) };
}

const NOTHING_MOVED: ColumnMatches = { renamed: new Map(), moved: new Map(), swapped: [] };

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
