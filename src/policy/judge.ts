import type { Mask } from '../masking/model.js';
import { type Bounds, boundsOf, smallestBounds, undecidedBounds } from './bounds.js';
import type { CandidateList, Candidates } from './candidates.js';
import type { CompiledPolicy, Hold } from './compiled-policy.js';
import { byReportingOrder, mergeHolds, RANKS } from './hold.js';
import type { Action, Reference } from './model.js';
import type { CompiledDataset, PolicySet } from './policy-set.js';
import { strictestMask } from './strictest-mask.js';
import type { Touched } from './touched.js';
import type { DatasetVerdicts, Verdicts } from './verdicts.js';

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

/** Of what the registry does not hold. */
const UNKNOWN = judgementOfWhole('deny', [], null, true);

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

/** A dataset in one view of one request. */
interface Place {
  dataset: CompiledDataset;
  verdicts: DatasetVerdicts;
  /** Fields that have the same candidates are judged once, unless their masks differ. */
  judgements: Map<Candidates, Judgement>;
}

/**
 * A judge for one request: what the policies say, by their conditions in one view, and for `fields.all` by what the request
 * touches.
 */
export function createJudge(set: PolicySet, verdicts: Verdicts, touched: Touched): Judge {
  const byDefault = defaultAction(set);
  const places = new Map<string, Place>();
  let last: Place | undefined;

  const placeOf = (name: string): Place | undefined => {
    // The references of a dataset come one after the other.
    if (last?.dataset.name === name) return last;
    last = places.get(name) ?? newPlace(name);
    return last;
  };

  const newPlace = (name: string): Place | undefined => {
    const dataset = set.datasets.get(name);
    if (dataset === undefined) return undefined;
    const made: Place = { dataset, verdicts: verdicts.of(dataset), judgements: new Map() };
    places.set(name, made);
    return made;
  };

  const judgeField = (place: Place, field: string, list: CandidateList): Judgement => {
    const candidates = list.forRoles(verdicts.roles);
    const shared = place.judgements.get(candidates);
    if (shared !== undefined) return shared;
    const collected = collect(place, candidates, touched, field);
    const judgement = judgementOfField(collected, field, byDefault);
    if (candidates.isShared) place.judgements.set(candidates, judgement);
    return judgement;
  };

  /**
   * A dataset by the policies that act on it whole. Where none matches it is as open as the most open of its fields. If the
   * request touches a field of it, that field brings its own approvals and bounds; for a bare `count(*)` those of all
   * fields hold, denied ones included, so that a further deny never removes one.
   */
  const judgeDataset = (place: Place): Judgement => {
    const { dataset } = place;
    const own = collect(place, dataset.candidates(null).forRoles(verdicts.roles), touched, null);
    const { holds } = own;
    if (own.matched || dataset.fields.size === 0) {
      const bounds = boundsOf(own.bearing);
      // An allow of its own opens the dataset beside its fields; a restriction alone must not end what bounded it before.
      const isBounded = opensByItself(own) || touched.touchesField(dataset);
      return judgementOfWhole(
        actionOf(own, byDefault),
        holds,
        isBounded ? bounds : smallestBounds([bounds, ...boundsOfFields(place)]),
      );
    }
    // Its bounds would else be lost where `mask_except` takes every field out of an undecided mask.
    const undecided = undecidedBounds(own.bearing);
    if (touched.touchesField(dataset)) return judgementOfWhole(mostOpen(place), holds, undecided);
    const fields = dataset.typicalFields().map(({ name, list }) => judgeField(place, name, list));
    const action = mostOpen(place);
    const ofFields = fields
      .flatMap((field) => field.holds)
      .filter((hold) => hold.compiled.action === action);
    const bounds = smallestBounds([undecided, ...fields.map((field) => field.bounds)]);
    return judgementOfWhole(action, mergeHolds([...holds, ...ofFields]), bounds);
  };

  const boundsOfFields = (place: Place): (Bounds | null)[] =>
    place.dataset.typicalFields().map(({ name, list }) => judgeField(place, name, list).bounds);

  /** The action of the most open field. Asks no further where nothing can be more open. */
  const mostOpen = (place: Place): Action => {
    let open: Action = 'deny';
    for (const { action } of place.judgements.values()) {
      if (RANKS[action] > RANKS[open]) open = action;
    }
    if (open === 'allow') return open;
    for (const { list, name } of place.dataset.typicalFields()) {
      const { action } = judgeField(place, name, list);
      if (RANKS[action] > RANKS[open]) open = action;
      if (open === 'allow') return open;
    }
    return open;
  };

  return ({ dataset, field }) => {
    const place = placeOf(dataset);
    if (place === undefined) return UNKNOWN;
    if (field === null) return judgeDataset(place);
    const list = place.dataset.candidates(field);
    return list === undefined ? UNKNOWN : judgeField(place, field, list);
  };
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
  };
}

/** What policies say that are the only one of a field, and hold plainly: it is the same for every request. */
const ofOnlyPolicy = new WeakMap<CompiledPolicy, Judgement>();

/** Mostly a single policy is left for a field; what it says need not be put together anew each time. */
function judgementOfField(own: Collected, field: string, byDefault: Action): Judgement {
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
  };
}

/** Of a dataset, which nothing masks. */
function judgementOfWhole(
  action: Action,
  holds: readonly Hold[],
  bounds: Bounds | null,
  unknown = false,
): Judgement {
  const policyIds = idsOf(holds);
  return { action, masks: [], mask: undefined, lifts: false, holds, policyIds, bounds, unknown };
}

/** The strictest of what holds; the default counts too where nothing matched. */
function actionOf({ holds, matched }: Collected, byDefault: Action): Action {
  const strictest = holds[0]?.compiled.action ?? 'allow';
  return matched || RANKS[strictest] < RANKS[byDefault] ? strictest : byDefault;
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
  { verdicts, dataset }: Place,
  { policies, needsTouched }: Candidates,
  touched: Touched,
  field: string | null,
): Collected {
  const holds: Hold[] = [];
  const bearing: Hold[] = [];
  let matched = false;
  for (const compiled of policies) {
    if (needsTouched && field !== null && !touched.touchesAll(compiled, dataset.name, field)) {
      continue;
    }
    const { truth, lifts } = verdicts.decideCandidate(compiled);
    if (truth === 'no') continue;
    const hold = truth === 'yes' && !lifts ? compiled.plainHold() : { compiled, truth, lifts };
    const { action } = compiled;
    if (action !== 'deny') bearing.push(hold);
    if (action === 'allow' && truth === 'undecided') continue;
    holds.push(hold);
    matched ||= truth === 'yes' || action === 'deny';
  }
  return { holds: holds.length > 1 ? holds.sort(byReportingOrder) : holds, bearing, matched };
}

/** Whether an allow matches, decidedly. */
function opensByItself({ bearing }: Collected): boolean {
  return bearing.some(({ truth, compiled }) => truth === 'yes' && compiled.action === 'allow');
}

function idsOf(holds: readonly Hold[]): readonly string[] {
  return holds.map(({ compiled }) => compiled.policy.id);
}
