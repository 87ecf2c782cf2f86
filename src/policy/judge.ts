import type { Mask } from '../masking/model.js';
import { type Bounds, boundsOf, smallestBounds } from './bounds.js';
import type { CandidateList } from './candidates.js';
import { byReportingOrder, type Hold, mergeHolds, RANKS } from './hold.js';
import { ACTIONS, type Action, type Reference } from './model.js';
import type { CompiledDataset, PolicySet } from './policy-set.js';
import { strictestMask } from './strictest-mask.js';
import type { Touched } from './touched.js';
import type { Verdicts } from './verdicts.js';

/** What one view's policies say of one reference. */
export interface Judgement {
  action: Action;
  /** All that apply. */
  masks: readonly Mask[];
  /** The strictest of them. */
  mask: Mask | undefined;
  /** There is a mask, and every approval policy lifts it. */
  lifts: boolean;
  /** What made the action and the restrictions, in the order of reporting: no undecided allow. */
  holds: readonly Hold[];
  /** Of `holds`. */
  policyIds: readonly string[];
  /** Of ttl and rows, undecided allows included; `null` where the reference brings none of its own. */
  bounds: Bounds | null;
  unknown: boolean;
}

/** A reference with what all views together say of it. */
export interface Judged {
  reference: Reference;
  judgement: Judgement;
}

/** Judges the references of one request in one view; one that the registry does not hold is denied. */
export type Judge = (reference: Reference) => Judgement;

const NOBODY: Omit<Judgement, 'action'> = {
  masks: [],
  mask: undefined,
  lifts: false,
  holds: [],
  policyIds: [],
  bounds: null,
  unknown: false,
};
const UNKNOWN: Judgement = { ...NOBODY, action: 'deny', unknown: true };

/** The action that closes most; `allow` of nothing. */
export function strictestAction(actions: readonly Action[]): Action {
  let strictest: Action = 'allow';
  for (const action of actions) if (RANKS[action] < RANKS[strictest]) strictest = action;
  return strictest;
}

/** The action that closes least; `deny` of nothing. */
function mostOpenAction(actions: readonly Action[]): Action {
  return ACTIONS.findLast((action) => actions.includes(action)) ?? 'deny';
}

/**
 * A judge for one request: what the policies say, by their conditions in one view, and for `fields.all` by what the request
 * touches. Fields that have the same candidates are judged once.
 */
export function createJudge(set: PolicySet, verdicts: Verdicts, touched: Touched): Judge {
  const byDefault = defaultAction(set);
  const known = new Map<CompiledDataset, Map<CandidateList, Judgement>>();

  const judgeField = (dataset: CompiledDataset, field: string): Judgement => {
    const list = dataset.candidates(field);
    const ofDataset = known.get(dataset) ?? new Map<CandidateList, Judgement>();
    known.set(dataset, ofDataset);
    const shared = ofDataset.get(list);
    if (shared !== undefined) return shared;
    const collected = collect(verdicts, touched, dataset, field, list);
    const judgement = judgementOf(collected, field, byDefault);
    const isOfAll = collected.holds.every(({ compiled }) => compiled.masksAlike);
    if (isOfAll && !list.needsTouched) ofDataset.set(list, judgement);
    return judgement;
  };

  /**
   * A dataset by the policies that act on it whole. Where none matches it is as open as the most open of its fields. If the
   * request touches a field of it, that field brings its own approvals and bounds; for a bare `count(*)` those of all
   * fields hold, denied ones included, so that a further deny never removes one.
   */
  const judgeDataset = (dataset: CompiledDataset): Judgement => {
    const own = collect(verdicts, touched, dataset, null, dataset.candidates(null));
    const { holds } = own;
    if (own.matched || dataset.fields.size === 0) {
      const actions = actionsOf(holds);
      const action = strictestAction(own.matched ? actions : [byDefault, ...actions]);
      return { ...NOBODY, action, ...reported(holds), bounds: boundsOf(own.bearing) };
    }
    const fields: Judgement[] = [];
    for (const [list, names] of dataset.candidatesOfFields()) {
      // Masks do not matter here, so that one field speaks for all that have its candidates.
      const asked = list.needsTouched ? names : names.slice(0, 1);
      for (const name of asked) fields.push(judgeField(dataset, name));
    }
    const action = mostOpenAction(fields.map((field) => field.action));
    if (touched.touchesField(dataset)) return { ...NOBODY, ...reported(holds), action };
    const ofFields = fields
      .flatMap((field) => field.holds)
      .filter((hold) => hold.compiled.policy.action === action);
    return {
      ...NOBODY,
      action,
      ...reported(mergeHolds([...holds, ...ofFields])),
      bounds: smallestBounds(fields.map((field) => field.bounds)),
    };
  };

  return ({ dataset: name, field }) => {
    const dataset = set.datasets.get(name);
    if (dataset === undefined || (field !== null && !dataset.fields.has(field))) return UNKNOWN;
    return field === null ? judgeDataset(dataset) : judgeField(dataset, field);
  };
}

/** The stricter of several views, on one reference. */
export function stricterOf(judgements: readonly Judgement[]): Judgement {
  const [first] = judgements;
  if (first !== undefined && judgements.length === 1) return first;
  const action = strictestAction(judgements.map((judgement) => judgement.action));
  const masks = judgements.flatMap((judgement) => judgement.masks);
  const bounds = judgements.map((judgement) => judgement.bounds);
  return {
    action,
    masks,
    mask: strictestMask(masks),
    // A view that masks for good is not undone by one that would lift.
    lifts: masks.length > 0 && judgements.every((one) => one.masks.length === 0 || one.lifts),
    ...reported(mergeHolds(judgements.flatMap((judgement) => judgement.holds))),
    bounds: bounds.every((entry) => entry === null) ? null : smallestBounds(bounds),
    unknown: judgements.some((judgement) => judgement.unknown),
  };
}

function judgementOf(own: Collected, field: string, byDefault: Action): Judgement {
  const actions = actionsOf(own.holds);
  const action = strictestAction(own.matched ? actions : [byDefault, ...actions]);
  const masks: Mask[] = [];
  let approvals = 0;
  let lifting = 0;
  for (const { compiled, lifts } of own.holds) {
    if (compiled.policy.action === 'mask') masks.push(compiled.maskOf(field));
    if (compiled.policy.action !== 'require_approval') continue;
    approvals += 1;
    if (lifts) lifting += 1;
  }
  if (!own.matched && byDefault === 'mask') masks.push({ method: 'full' });
  const isSilent = own.bearing.length === 0 && action === 'deny';
  return {
    action,
    masks,
    mask: strictestMask(masks),
    lifts: masks.length > 0 && approvals > 0 && lifting === approvals,
    ...reported(own.holds),
    bounds: isSilent ? null : boundsOf(own.bearing),
    unknown: false,
  };
}

/** The default of the bundle. One that wants an approval names nobody who could give it, and so denies. */
function defaultAction(set: PolicySet): Action {
  return set.defaultAction === 'require_approval' ? 'deny' : set.defaultAction;
}

interface Collected {
  /** In the order of reporting. */
  holds: readonly Hold[];
  /** What bounds ttl and rows: no deny, but undecided allows too. */
  bearing: readonly Hold[];
  /** Whether one of them is a match in the sense of policy.md, "Evaluation", 3. */
  matched: boolean;
}

function collect(
  verdicts: Verdicts,
  touched: Touched,
  dataset: CompiledDataset,
  field: string | null,
  list: CandidateList,
): Collected {
  const holds: Hold[] = [];
  const bearing: Hold[] = [];
  let matched = false;
  for (const compiled of list.forRoles(verdicts.roles)) {
    if (field !== null && !touched.touchesAll(compiled, dataset.name, field)) continue;
    const { truth, lifts } = verdicts.decide(compiled, dataset);
    if (truth === 'no') continue;
    const hold: Hold = { compiled, truth, lifts };
    const { action } = compiled.policy;
    if (action !== 'deny') bearing.push(hold);
    if (action === 'allow' && truth === 'undecided') continue;
    holds.push(hold);
    matched ||= truth === 'yes' || action === 'deny';
  }
  return { holds: holds.length > 1 ? holds.sort(byReportingOrder) : holds, bearing, matched };
}

function reported(holds: readonly Hold[]): Pick<Judgement, 'holds' | 'policyIds'> {
  return { holds, policyIds: holds.map(({ compiled }) => compiled.policy.id) };
}

function actionsOf(holds: readonly Hold[]): readonly Action[] {
  return holds.map((hold) => hold.compiled.policy.action);
}
