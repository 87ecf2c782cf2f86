import type { CompiledDataset } from './compiled-dataset.js';
import type { CompiledPolicy, Question } from './compiled-policy.js';
import type { RoleSet } from './role-sets.js';
import { and, type Truth } from './truth.js';
import { factsOf, type View, type ViewFacts } from './views.js';

/** How the conditions of a policy stand, for a dataset and a view. */
export interface Verdict {
  /** As what the policy does: an allow as an opening, everything else as a restriction. */
  truth: Truth;
  /** Whether a `lifts_mask` of the policy may be relied on. */
  lifts: boolean;
  /** Tells it from the other verdicts; from 0, for `no`, to 3. */
  code: number;
}

/** The conditions of policies on one dataset, in one view at one moment. */
export interface DatasetVerdicts {
  decide(compiled: CompiledPolicy): Verdict;
  /** The same, of a policy that `Candidates` of the view's roles hold. */
  decideCandidate(compiled: CompiledPolicy): Verdict;
  ask(question: Question): Verdict;
  /** What decided it, for the trace. */
  because(compiled: CompiledPolicy): string;
}

/** One view at one moment. Nothing of it is kept beyond one evaluation. */
export interface Verdicts {
  /** The roles by which candidates can be told apart before their conditions are asked. */
  roles: RoleSet;
  /** Whether an allow may rest on every one of those roles. */
  isWhole: boolean;
  of(dataset: CompiledDataset): DatasetVerdicts;
}

type Decide = Question['decide'];

/** Verdicts are few and always the same, so that none is made for an answer. */
const VERDICTS: Readonly<Record<Truth, Verdict>> = {
  no: { truth: 'no', lifts: false, code: 0 },
  undecided: { truth: 'undecided', lifts: false, code: 1 },
  yes: { truth: 'yes', lifts: false, code: 2 },
};
const YES_AND_LIFTS: Verdict = { truth: 'yes', lifts: true, code: 3 };

/** Decides conditions in one view at one moment; `roles` are those held in it. */
export function verdictsOf(view: View, at: number, roles: RoleSet): Verdicts {
  const known = new Map<CompiledDataset, DatasetVerdicts>();
  return {
    roles,
    isWhole: view.named === view.held,
    of: (dataset) => {
      const found = known.get(dataset);
      if (found !== undefined) return found;
      const made = datasetVerdicts(factsOf(view, dataset, at));
      known.set(dataset, made);
      return made;
    },
  };
}

function datasetVerdicts(facts: ViewFacts): DatasetVerdicts {
  const { restriction, opening, openingOnAssigned } = facts;
  const ask: DatasetVerdicts['ask'] = ({ decide, isOpening, mayLift }) => {
    if (isOpening) return VERDICTS[asOpening(decide, facts)];
    const truth = decide(restriction);
    const lifts = mayLift && truth === 'yes' && asOpening(decide, facts) === 'yes';
    return lifts ? YES_AND_LIFTS : VERDICTS[truth];
  };
  // Who narrows the roles holds others for an allow than those by which candidates are found.
  const isWhole = restriction.values.requester_role === opening.values.requester_role;
  const decide: DatasetVerdicts['decide'] = ({ question }) => ask(question);
  const decideCandidate: DatasetVerdicts['decideCandidate'] = ({ beyondRoles, question }) => {
    if (beyondRoles !== null) return ask(beyondRoles);
    return question.mayLift ? YES_AND_LIFTS : VERDICTS.yes;
  };
  return {
    decide,
    decideCandidate: isWhole ? decideCandidate : decide,
    ask,
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
