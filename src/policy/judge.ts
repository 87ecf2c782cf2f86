import type { Mask } from '../masking/model.js';
import { type Bounds, boundsOf, smallestBounds, undecidedBounds } from './bounds.js';
import { type Hold, mergeHolds } from './hold.js';
import { ACTIONS, type Action, type Reference } from './model.js';
import type { CompiledDataset, CompiledPolicy, PolicySet } from './policy-set.js';
import type { Verdicts } from './verdicts.js';

/** What one view's policies say of one reference. */
export interface Judgement {
  action: Action;
  /** All that apply; see `strictestMask`. */
  masks: readonly Mask[];
  /** There is a mask, and every approval policy lifts it. */
  lifts: boolean;
  /** What made the action and the restrictions: no undecided allow. */
  holds: readonly Hold[];
  /** Of ttl and rows, undecided allows included; `null` where the reference brings none of its own. */
  bounds: Bounds | null;
  unknown: boolean;
}

/** A reference with what all views together say of it. */
export interface Judged {
  reference: Reference;
  judgement: Judgement;
}

/** What judging needs: the policies, their conditions in one view, and for `fields.all` what the request touches. */
export interface JudgeContext {
  set: PolicySet;
  verdicts: Verdicts;
  touched: Touched;
}

/** Dataset to the fields that the request touches there, in lower case. */
export type Touched = ReadonlyMap<string, ReadonlySet<string>>;

const NOBODY: Omit<Judgement, 'action'> = {
  masks: [],
  lifts: false,
  holds: [],
  bounds: null,
  unknown: false,
};

export function touchedBy(references: readonly Reference[]): Touched {
  const touched = new Map<string, Set<string>>();
  for (const { dataset, field } of references) {
    const fields = touched.get(dataset) ?? new Set();
    touched.set(dataset, fields);
    if (field !== null) fields.add(field.toLowerCase());
  }
  return touched;
}

/** Judges one reference; one that the registry does not hold is denied. */
export function judge(context: JudgeContext, { dataset: name, field }: Reference): Judgement {
  const dataset = context.set.datasets.get(name);
  if (dataset === undefined || (field !== null && !dataset.fields.has(field))) {
    return { ...NOBODY, action: 'deny', unknown: true };
  }
  return field === null ? judgeDataset(context, dataset) : judgeField(context, dataset, field);
}

/** The action that closes most; `allow` of nothing. */
export function strictestAction(actions: readonly Action[]): Action {
  return ACTIONS.find((action) => actions.includes(action)) ?? 'allow';
}

/** The action that closes least; `deny` of nothing. */
function mostOpenAction(actions: readonly Action[]): Action {
  return ACTIONS.findLast((action) => actions.includes(action)) ?? 'deny';
}

function judgeField(context: JudgeContext, dataset: CompiledDataset, field: string): Judgement {
  const own = collect(context, dataset, field);
  const action = own.matched
    ? strictestAction(actionsOf(own.holds))
    : strictestAction([defaultAction(context.set), ...actionsOf(own.holds)]);
  const masks: Mask[] = own.holds
    .filter((hold) => hold.compiled.policy.action === 'mask')
    .map((hold) => hold.compiled.maskOf(field));
  if (!own.matched && defaultAction(context.set) === 'mask') masks.push({ method: 'full' });
  const approvals = own.holds.filter((hold) => hold.compiled.policy.action === 'require_approval');
  const lifts =
    masks.length > 0 && approvals.length > 0 && approvals.every((approval) => approval.lifts);
  const silent = own.bearing.length === 0 && action === 'deny';
  const bounds = silent ? null : boundsOf(own.bearing);
  return { action, masks, lifts, holds: own.holds, bounds, unknown: false };
}

/**
 * A dataset by the policies that act on it whole. Where none matches it is as open as the most open of its fields. If the
 * request touches a field of it, that field brings its own approvals and bounds; for a bare `count(*)` those of all
 * fields hold, denied ones included, so that a further deny never removes one.
 */
function judgeDataset(context: JudgeContext, dataset: CompiledDataset): Judgement {
  const own = collect(context, dataset, null);
  const { holds } = own;
  if (own.matched) {
    const action = strictestAction(actionsOf(holds));
    return { ...NOBODY, action, holds, bounds: boundsOf(own.bearing) };
  }
  const names = [...dataset.fields.keys()];
  const fields = names.map((name) => judgeField(context, dataset, name));
  if (fields.length === 0) {
    const action = strictestAction([defaultAction(context.set), ...actionsOf(holds)]);
    return { ...NOBODY, action, holds, bounds: boundsOf(own.bearing) };
  }
  const action = mostOpenAction(fields.map((field) => field.action));
  // Its bounds would else be lost where `mask_except` takes every field out of an undecided mask.
  const undecided = undecidedBounds(own.bearing);
  const touched = context.touched.get(dataset.name);
  if (names.some((name) => touched?.has(name.toLowerCase()))) {
    return { ...NOBODY, holds, action, bounds: undecided };
  }
  const ofFields = fields
    .flatMap((field) => field.holds)
    .filter((hold) => hold.compiled.policy.action === action);
  return {
    ...NOBODY,
    action,
    holds: mergeHolds([...holds, ...ofFields]),
    bounds: smallestBounds([undecided, ...fields.map((field) => field.bounds)]),
  };
}

/** The default of the bundle. One that wants an approval names nobody who could give it, and so denies. */
function defaultAction(set: PolicySet): Action {
  return set.defaultAction === 'require_approval' ? 'deny' : set.defaultAction;
}

interface Collected {
  holds: Hold[];
  /** What bounds ttl and rows: no deny, but undecided allows too. */
  bearing: Hold[];
  /** Whether one of them is a match in the sense of policy.md, "Evaluation", 3. */
  matched: boolean;
}

function collect(context: JudgeContext, dataset: CompiledDataset, field: string | null): Collected {
  const collected: Collected = { holds: [], bearing: [], matched: false };
  for (const compiled of dataset.candidates(field)) {
    if (field !== null && !touchesAll(context.touched, compiled, dataset.name, field)) continue;
    const { truth, lifts } = context.verdicts(compiled, dataset);
    if (truth === 'no') continue;
    const hold: Hold = { compiled, truth, lifts };
    const { action } = compiled.policy;
    if (action !== 'deny') collected.bearing.push(hold);
    if (action === 'allow' && truth === 'undecided') continue;
    collected.holds.push(hold);
    collected.matched ||= truth === 'yes' || action === 'deny';
  }
  return collected;
}

/** `fields.all`: the request, with the field that is judged, touches all of these names in the dataset. */
export function touchesAll(
  touched: Touched,
  { match }: CompiledPolicy,
  dataset: string,
  field: string,
): boolean {
  if (match.all === null) return true;
  const names = touched.get(dataset);
  return match.all.every((name) => name === field.toLowerCase() || names?.has(name) === true);
}

function actionsOf(holds: readonly Hold[]): readonly Action[] {
  return holds.map((hold) => hold.compiled.policy.action);
}
