import type { DecisionChange, Direction } from './model.js';

/** One change, with every field and dataset that has it. */
export interface ChangeGroup {
  change: DecisionChange;
  /** `customers.email`; of a dataset itself `customers (count)`. */
  places: readonly string[];
}

/** The changes of one direction, those that are the same on several fields together, in their order. */
export function groupChanges(
  changes: readonly DecisionChange[],
  direction: Direction,
): readonly ChangeGroup[] {
  const groups = new Map<string, { change: DecisionChange; places: string[] }>();
  for (const change of changes) {
    if (change.direction !== direction) continue;
    const { dataset, field, policies: _policies, ...same } = change;
    const key = JSON.stringify(same);
    const group = groups.get(key) ?? { change, places: [] };
    groups.set(key, group);
    group.places.push(field === null ? `${dataset} (count)` : `${dataset}.${field}`);
  }
  return [...groups.values()];
}
