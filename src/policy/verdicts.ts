import type { ConditionsResult } from './conditions.js';
import type { CompiledDataset, CompiledPolicy } from './policy-set.js';
import { and, type Truth } from './truth.js';
import { type FactsFor, factsOf, type View } from './views.js';

/** How the conditions of a policy stand, for a dataset and a view. */
export interface Verdict {
  /** As what the policy does: an allow as an opening, everything else as a restriction. */
  truth: Truth;
  because: string;
  /** Whether a `lifts_mask` of the policy may be relied on. */
  lifts: boolean;
}

export type Verdicts = (compiled: CompiledPolicy, dataset: CompiledDataset) => Verdict;

/**
 * Decides conditions in one view at one moment, each only once per policy and dataset. Nothing here is kept beyond one
 * evaluation.
 */
export function verdictsOf(view: View, at: number): Verdicts {
  const memo = new Map<CompiledDataset, Map<CompiledPolicy, Verdict>>();
  return (compiled, dataset) => {
    const ofDataset = memo.get(dataset) ?? new Map<CompiledPolicy, Verdict>();
    memo.set(dataset, ofDataset);
    const verdict = ofDataset.get(compiled) ?? decide(compiled, dataset, view, at);
    ofDataset.set(compiled, verdict);
    return verdict;
  };
}

function decide(
  { policy, conditions }: CompiledPolicy,
  dataset: CompiledDataset,
  view: View,
  at: number,
): Verdict {
  const ask = (use: FactsFor) => conditions(factsOf(view, dataset, at, use));
  if (policy.action === 'allow') return { ...asOpening(ask), lifts: false };
  const result = ask('restriction');
  const lifts =
    policy.approval?.lifts_mask === true &&
    result.truth === 'yes' &&
    asOpening(ask).truth === 'yes';
  return { ...result, lifts };
}

/**
 * An opening must hold with the purpose as it was said, so that naming another never helps, and with it unknown unless
 * it is assigned, so that nobody opens anything by a word of their own.
 */
function asOpening(ask: (use: FactsFor) => ConditionsResult): ConditionsResult {
  const said = ask('opening');
  if (said.truth !== 'yes') return said;
  const assigned = ask('opening_on_assigned_purpose');
  return { truth: and([said.truth, assigned.truth]), because: assigned.because };
}
