import type { CompiledPolicy } from './policy-set.js';

/** A policy that bears on a reference. */
export interface Hold {
  compiled: CompiledPolicy;
  /** `undecided`: an attribute is unknown, which for a restriction counts as holding. */
  truth: 'yes' | 'undecided';
  /** An approval of it also lifts the masks. */
  lifts: boolean;
}

/** One hold per policy, the decided one where there are both; an approval lifts only if it does so everywhere. */
export function mergeHolds(holds: readonly Hold[]): readonly Hold[] {
  const merged = new Map<CompiledPolicy, Hold>();
  for (const hold of holds) {
    const other = merged.get(hold.compiled);
    merged.set(hold.compiled, {
      compiled: hold.compiled,
      truth: hold.truth === 'yes' || other?.truth === 'yes' ? 'yes' : 'undecided',
      lifts: hold.lifts && other?.lifts !== false,
    });
  }
  return [...merged.values()];
}
