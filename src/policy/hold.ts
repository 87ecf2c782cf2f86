import type { CompiledPolicy, Hold } from './compiled-policy.js';

/** The order of reporting: the strictest action first, then the highest priority, then the lowest id. */
export function byReportingOrder(a: Pick<Hold, 'compiled'>, b: Pick<Hold, 'compiled'>): number {
  return a.compiled.reportedAt - b.compiled.reportedAt;
}

/** Two holds of one policy as one: decided where one of them is; an approval lifts only if it does so in both. */
export function mergeHold(a: Hold, b: Hold): Hold {
  if (a === b || (a.truth === b.truth && a.lifts === b.lifts)) return a;
  return {
    compiled: a.compiled,
    truth: a.truth === 'yes' || b.truth === 'yes' ? 'yes' : 'undecided',
    lifts: a.lifts && b.lifts,
  };
}

/** One hold per policy, in the order of reporting. */
export function mergeHolds(holds: readonly Hold[]): readonly Hold[] {
  const merged = new Map<CompiledPolicy, Hold>();
  for (const hold of holds) {
    const other = merged.get(hold.compiled);
    merged.set(hold.compiled, other === undefined ? hold : mergeHold(other, hold));
  }
  return [...merged.values()].sort(byReportingOrder);
}
