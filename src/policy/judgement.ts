import type { Mask } from '../masking/model.js';
import { type Bounds, boundsOf, smallestBounds } from './bounds.js';
import type { CompiledPolicy, Hold } from './compiled-policy.js';
import { mergeHolds } from './hold.js';
import type { Action } from './model.js';
import { RANKS } from './ranks.js';
import { strictestMask } from './strictest-mask.js';

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
  deniedByPolicy: boolean;
}

/** The policies that bear on a reference in one view. */
export interface Collected {
  /** In the order of reporting. */
  holds: readonly Hold[];
  /** What bounds ttl and rows: no deny, but undecided allows too. */
  bearing: readonly Hold[];
  /** Whether one of them is a match in the sense of policy.md, "Evaluation", 3. */
  matched: boolean;
}

/** The action that closes most; `allow` of nothing. */
export function strictestAction(actions: readonly Action[]): Action {
  let strictest: Action = 'allow';
  for (const action of actions) strictest = stricterAction(strictest, action);
  return strictest;
}

/** The one of two actions that closes more. */
export function stricterAction(a: Action, b: Action): Action {
  return RANKS[b] < RANKS[a] ? b : a;
}

/** The one of two actions that opens more. */
export function moreOpen(a: Action, b: Action): Action {
  return RANKS[b] > RANKS[a] ? b : a;
}

/** The stricter of several views, on one reference. */
export function stricterOf(judgements: readonly Judgement[]): Judgement {
  const masks = judgements.flatMap((judgement) => judgement.masks);
  const bounds = judgements.map((judgement) => judgement.bounds);
  const holds = mergeHolds(judgements.flatMap((judgement) => judgement.holds));
  return {
    action: strictestAction(judgements.map((judgement) => judgement.action)),
    masks,
    mask: strictestMask(masks),
    // A view that masks for good is not undone by one that would lift.
    lifts: masks.length > 0 && judgements.every((one) => one.masks.length === 0 || one.lifts),
    holds,
    policyIds: idsOf(holds),
    bounds: bounds.every((entry) => entry === null) ? null : smallestBounds(bounds),
    unknown: judgements.some((judgement) => judgement.unknown),
    deniedByPolicy: isDenied(holds),
  };
}

/** What policies say that are the only one of a field, and hold plainly: it is the same for every request. */
const ofOnlyPolicy = new WeakMap<CompiledPolicy, Judgement>();

/** Mostly a single policy is left for a field; what it says need not be put together anew each time. */
export function judgementOfField(own: Collected, field: string, byDefault: Action): Judgement {
  const [hold, another] = own.holds;
  const isAlone =
    hold !== undefined &&
    another === undefined &&
    hold.compiled.masksAlike &&
    hold === hold.compiled.plainHold() &&
    own.bearing.every((one) => one === hold);
  if (!isAlone) return judgementOf(own, field, byDefault);
  const known = ofOnlyPolicy.get(hold.compiled) ?? judgementOf(own, field, byDefault);
  ofOnlyPolicy.set(hold.compiled, known);
  return known;
}

function judgementOf(own: Collected, field: string, byDefault: Action): Judgement {
  const action = actionOf(own, byDefault);
  const masks: Mask[] = [];
  let approvals = 0;
  let lifting = 0;
  for (const { compiled, lifts } of own.holds) {
    if (compiled.action === 'mask') masks.push(compiled.maskOf(field));
    if (compiled.action !== 'require_approval') continue;
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
    holds: own.holds,
    policyIds: idsOf(own.holds),
    bounds: isSilent ? null : boundsOf(own.bearing),
    unknown: false,
    deniedByPolicy: isDenied(own.holds),
  };
}

/** Of a dataset, which nothing masks. */
export function judgementOfWhole(
  action: Action,
  holds: readonly Hold[],
  bounds: Bounds | null,
  unknown = false,
): Judgement {
  const policyIds = idsOf(holds);
  const deniedByPolicy = isDenied(holds);
  const masks: readonly Mask[] = [];
  const lifts = false;
  return {
    action,
    masks,
    mask: undefined,
    lifts,
    holds,
    policyIds,
    bounds,
    unknown,
    deniedByPolicy,
  };
}

/** The strictest of what holds; the default counts too where nothing matched. */
export function actionOf({ holds, matched }: Collected, byDefault: Action): Action {
  const strictest = holds[0]?.compiled.action ?? 'allow';
  return matched || RANKS[strictest] < RANKS[byDefault] ? strictest : byDefault;
}

/** Deny policies come first in the order of reporting. */
function isDenied(holds: readonly Hold[]): boolean {
  return holds[0]?.compiled.action === 'deny';
}

function idsOf(holds: readonly Hold[]): readonly string[] {
  return holds.map(({ compiled }) => compiled.id);
}
