import type { JoinType } from '../../../src/aql/model.js';
import { allOf, equal } from './conditions.js';
import type { Ref, Source } from './names.js';
import type { EngineLimits } from './schema.js';
import type { Value } from './value.js';

/** One row of FROM: a row of each dataset so far, or `null` where an outer join found none. */
export type Joined = readonly (readonly Value[] | null)[];

export function cellOf(row: Joined, { source, index }: Ref): Value {
  return row[source]?.[index] ?? null;
}

/** Every row before the join beside every row that joins, as far as all pairs are equal. */
export function joinRows(
  left: readonly Joined[],
  source: Source,
  type: JoinType,
  pairs: readonly { left: Ref; right: Ref }[],
  limits: EngineLimits,
): Joined[] {
  const isMatch = (row: Joined) =>
    allOf(pairs.map((pair) => equal(cellOf(row, pair.left), cellOf(row, pair.right), limits))) ===
    true;
  const matchesOf = (before: Joined) =>
    source.rows.map((right) => [...before, right]).filter(isMatch);
  const matched = left.flatMap(matchesOf);
  const alone = left
    .filter((before) => matchesOf(before).length === 0)
    .map((before) => [...before, null]);
  // The dataset that joins stands after all those before it.
  const nobody: Joined = Array.from({ length: pairs[0]?.right.source ?? 0 }, () => null);
  const unmet = source.rows
    .filter((right) => !left.some((before) => isMatch([...before, right])))
    .map((right) => [...nobody, right]);
  return [
    ...matched,
    ...(type === 'LEFT' || type === 'FULL' ? alone : []),
    ...(type === 'RIGHT' || type === 'FULL' ? unmet : []),
  ];
}
