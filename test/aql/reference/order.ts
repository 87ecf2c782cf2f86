import { isCompared } from './abilities.js';
import { type Grouping, sightOfRef } from './check.js';
import type { Ref, Source } from './names.js';
import type { Join, Resolved } from './resolve.js';
import type { ReferenceWorld } from './schema.js';
import { compareValues, kindOf, type Value } from './value.js';

export interface SortKey {
  value: Value;
  direction: 'ASC' | 'DESC';
  nulls: 'first' | 'last';
}

export function compareKeys(left: readonly SortKey[], right: readonly SortKey[]): number {
  for (const [at, { value, direction, nulls }] of left.entries()) {
    const other = right[at]?.value ?? null;
    if (value === null && other === null) continue;
    const nullFirst = nulls === 'first' ? -1 : 1;
    if (value === null) return nullFirst;
    if (other === null) return -nullFirst;
    const order = compareValues(value, other) * (direction === 'ASC' ? 1 : -1);
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether a field of a dataset of the query is not readable raw: then its order is total. */
export function isGuarded({ sources }: Resolved, world: ReferenceWorld): boolean {
  return sources.some(({ dataset }) =>
    dataset.fields.some(({ name }) => world.visibility(dataset.name, name).state !== 'raw'),
  );
}

/** Fields whose equal values may be two values to an engine that writes them differently. */
const LOOSE = ['numeric', 'float', 'timestamp', 'timestamptz'];
/** Kinds whose order by their text is left to the engine: it orders them totally, but not alike. */
const WRITTEN = ['numeric', 'float', 'json', 'array', 'other'];

/**
 * The fields that follow the requested keys in a total order: "each dataset's primary key where that is readable raw,
 * else every output column as masked; with groups, the group keys".
 */
export function totalKeys(query: Resolved, grouping: Grouping, world: ReferenceWorld): Ref[] {
  if (grouping.of === 'all') return [];
  if (grouping.of === 'groups') return grouping.keys;
  const keys: Ref[] = [];
  let needsOutputs = false;
  for (const [source, one] of query.sources.entries()) {
    if (isDetermined(query.joins[source - 1], one, source, world)) continue;
    const key = primaryKey(one, source, world);
    if (key === undefined) needsOutputs = true;
    else keys.push(...key);
  }
  if (!needsOutputs) return keys;
  const written = query.columns.findIndex((ref) => WRITTEN.includes(sightOfRef(query, ref).kind));
  return [...keys, ...(written < 0 ? query.columns : query.columns.slice(0, written))];
}

function primaryKey({ dataset }: Source, source: number, world: ReferenceWorld): Ref[] | undefined {
  const refs = refsOf(dataset.primaryKey, dataset, source);
  const isUsable = (ref: Ref) => {
    const field = dataset.fields[ref.index];
    const isReadable = world.visibility(dataset.name, field?.name ?? '').state === 'raw';
    return field?.nullable === false && isReadable && isCompared(kindOf(field.type));
  };
  return refs.length > 0 && refs.every(isUsable) ? refs : undefined;
}

/** "The dataset was joined on a unique key of its own": its row follows from the rows before. */
function isDetermined(
  join: Join | undefined,
  { dataset }: Source,
  source: number,
  world: ReferenceWorld,
): boolean {
  if (join === undefined || join.type === 'RIGHT' || join.type === 'FULL') return false;
  return [dataset.primaryKey, ...dataset.uniqueKeys].some((key) => {
    const refs = refsOf(key, dataset, source);
    const isHeld = (ref: Ref) => {
      const field = dataset.fields[ref.index];
      const isReadable = world.visibility(dataset.name, field?.name ?? '').state === 'raw';
      const isJoined = join.pairs.some(({ right }) => right.index === ref.index);
      return isReadable && isJoined && !LOOSE.includes(kindOf(field?.type ?? ''));
    };
    return refs.length > 0 && refs.every(isHeld);
  });
}

function refsOf(key: readonly string[], dataset: Source['dataset'], source: number): Ref[] {
  return key.map((name) => ({
    source,
    index: dataset.fields.findIndex((field) => field.name === name),
  }));
}
