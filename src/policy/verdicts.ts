import { type RoleSet, roleSetOf } from './candidates.js';
import type { CompiledPolicy } from './compiled-policy.js';
import type { CompiledDataset } from './policy-set.js';
import { and, type Truth } from './truth.js';
import { factsOf, type View, type ViewFacts } from './views.js';

/** How the conditions of a policy stand, for a dataset and a view. */
export interface Verdict {
  /** As what the policy does: an allow as an opening, everything else as a restriction. */
  truth: Truth;
  /** Whether a `lifts_mask` of the policy may be relied on. */
  lifts: boolean;
}

/** The conditions of policies on one dataset, in one view at one moment. */
export interface DatasetVerdicts {
  decide(compiled: CompiledPolicy): Verdict;
  /** The same, of a policy that `Candidates` of the view's roles hold. */
  decideCandidate(compiled: CompiledPolicy): Verdict;
  /** What decided it, for the trace. */
  because(compiled: CompiledPolicy): string;
}

/** One view at one moment. Nothing of it is kept beyond one evaluation. */
export interface Verdicts {
  /** The roles by which candidates can be told apart before their conditions are asked. */
  roles: RoleSet;
  of(dataset: CompiledDataset): DatasetVerdicts;
}

type Decide = CompiledPolicy['conditions']['decide'];

/** Verdicts are few and always the same, so that none is made for an answer. */
const VERDICTS: Readonly<Record<Truth, Verdict>> = {
  no: { truth: 'no', lifts: false },
  undecided: { truth: 'undecided', lifts: false },
  yes: { truth: 'yes', lifts: false },
};
const YES_AND_LIFTS: Verdict = { truth: 'yes', lifts: true };

/** Decides conditions in one view at one moment. */
export function verdictsOf(view: View, at: number): Verdicts {
  const known = new Map<CompiledDataset, DatasetVerdicts>();
  return {
    roles: roleSetOf(view.held),
    of: (dataset) => {
      const verdicts = known.get(dataset) ?? datasetVerdicts(factsOf(view, dataset, at));
      known.set(dataset, verdicts);
      return verdicts;
    },
  };
}

function datasetVerdicts(facts: ViewFacts): DatasetVerdicts {
  const { restriction, opening, openingOnAssigned } = facts;
  const decideBy = (decide: Decide, { action, policy }: CompiledPolicy): Verdict => {
    if (action === 'allow') return VERDICTS[asOpening(decide, facts)];
    const truth = decide(restriction);
    const lifts =
      truth === 'yes' && policy.approval?.lifts_mask === true && asOpening(decide, facts) === 'yes';
    return lifts ? YES_AND_LIFTS : VERDICTS[truth];
  };
  // Who narrows the roles holds others for an allow than those by which candidates are found.
  const isWhole = restriction.values.requester_role === opening.values.requester_role;
  const decide: DatasetVerdicts['decide'] = (compiled) =>
    decideBy(compiled.conditions.decide, compiled);
  const decideCandidate: DatasetVerdicts['decideCandidate'] = (compiled) => {
    const beyond = compiled.decideBeyondRoles;
    if (beyond !== null) return decideBy(beyond, compiled);
    return compiled.policy.approval?.lifts_mask === true ? YES_AND_LIFTS : VERDICTS.yes;
  };
  return {
    decide,
    decideCandidate: isWhole ? decideCandidate : decide,
    because: ({ policy, conditions }) => {
      if (policy.action !== 'allow') return conditions.because(restriction);
      const asSaid = conditions.decide(opening) === 'yes';
      return conditions.because(asSaid ? openingOnAssigned : opening);
    },
  };
}

/**
 * An opening must hold with the purpose as it was said, so that naming another never helps, and with it unknown unless
 * it is assigned, so that nobody opens anything by a word of their own.
 */
function asOpening(decide: Decide, { opening, openingOnAssigned }: ViewFacts): Truth {
  const said = decide(opening);
  if (said !== 'yes' || opening === openingOnAssigned) return said;
  return and([said, decide(openingOnAssigned)]);
}
