import { type Bounds, boundsOf, smallestBounds, undecidedBounds } from './bounds.js';
import type { Candidates } from './candidates.js';
import type { CompiledDataset, CompiledField, RoleCandidates } from './compiled-dataset.js';
import type { Hold } from './compiled-policy.js';
import { byReportingOrder, mergeHolds } from './hold.js';
import {
  actionOf,
  type Collected,
  type Judgement,
  judgementOfField,
  judgementOfWhole,
  moreOpen,
} from './judgement.js';
import { ACTIONS, type Action, type Reference } from './model.js';
import { codeOf, keepOutcome, outcomeOf } from './outcomes.js';
import type { PolicySet } from './policy-set.js';
import type { Touched } from './touched.js';
import type { DatasetVerdicts, Verdicts } from './verdicts.js';

/** A reference with what all views together say of it. */
export interface Judged {
  reference: Reference;
  /** `null` for the dataset itself; `undefined` where the registry does not hold it. */
  field: CompiledField | null | undefined;
  judgement: Judgement;
}

/**
 * Judges the references of one request in one view; one that the registry does not hold (`undefined`) is denied. `null`
 * stands for the dataset itself.
 */
export type Judge = (
  dataset: CompiledDataset | undefined,
  field: CompiledField | null | undefined,
) => Judgement;

/** Of what the registry does not hold. */
const UNKNOWN = judgementOfWhole('deny', [], null, true);

/** Of a dataset that no policy acts on as a whole, where its fields bring what else there is to say. */
const BY_FIELDS = Object.fromEntries(
  ACTIONS.map((action) => [action, judgementOfWhole(action, [], null)]),
) as Readonly<Record<Action, Judgement>>;

/** A dataset in one view of one request. */
interface Place {
  dataset: CompiledDataset;
  candidates: RoleCandidates;
  verdicts: DatasetVerdicts;
  /** The action of the most open field that was judged. */
  open: Action;
}

/**
 * A judge for one request: what the policies say, by their conditions in one view, and for `fields.all` by what the request
 * touches.
 */
export function createJudge(set: PolicySet, verdicts: Verdicts, touched: Touched): Judge {
  const byDefault = defaultAction(set);
  const places = new Map<CompiledDataset, Place>();
  let last: Place | undefined;

  const placeOf = (dataset: CompiledDataset): Place => {
    // The references of a dataset come one after the other.
    if (last?.dataset === dataset) return last;
    last = places.get(dataset) ?? newPlace(dataset);
    return last;
  };

  const newPlace = (dataset: CompiledDataset): Place => {
    const candidates = dataset.forRoles(verdicts.roles);
    const made: Place = { dataset, candidates, verdicts: verdicts.of(dataset), open: 'deny' };
    places.set(dataset, made);
    return made;
  };

  const judgeField = (place: Place, field: CompiledField): Judgement => {
    const judgement = judgeCandidates(place, place.candidates.ofField(field), field.name);
    place.open = moreOpen(place.open, judgement.action);
    return judgement;
  };

  const judgeCandidates = (place: Place, candidates: Candidates, field: string): Judgement => {
    // Who narrows the roles holds others for an allow than those by which candidates are found.
    const code =
      candidates.isShared && verdicts.isWhole
        ? codeOf(candidates.questions, place.verdicts.ask)
        : null;
    const known = code === null ? undefined : outcomeOf(candidates, code);
    if (known !== undefined) return known;
    const judgement = judgementOfField(
      collect(place, candidates, touched, field),
      field,
      byDefault,
    );
    if (code !== null) keepOutcome(candidates, code, judgement);
    return judgement;
  };

  /**
   * A dataset by the policies that act on it whole. Where none matches it is as open as the most open of its fields. If the
   * request touches a field of it, that field brings its own approvals and bounds; for a bare `count(*)` those of all
   * fields hold, denied ones included, so that a further deny never removes one.
   */
  const judgeDataset = (place: Place): Judgement => {
    const { dataset, candidates } = place;
    const isTouched = touched.touchesField(dataset);
    if (candidates.whole.policies.length === 0 && isTouched) return BY_FIELDS[mostOpen(place)];
    const own = collect(place, candidates.whole, touched, null);
    const { holds } = own;
    if (own.matched || dataset.fields.size === 0) {
      const bounds = boundsOf(own.bearing);
      // An allow of its own opens the dataset beside its fields; a restriction alone must not end what bounded it before.
      const isBounded = opensByItself(own) || isTouched;
      return judgementOfWhole(
        actionOf(own, byDefault),
        holds,
        isBounded ? bounds : smallestBounds([bounds, ...boundsOfFields(place)]),
      );
    }
    // Its bounds would else be lost where `mask_except` takes every field out of an undecided mask.
    const undecided = undecidedBounds(own.bearing);
    if (isTouched) return judgementOfWhole(mostOpen(place), holds, undecided);
    const fields = candidates.typicalFields().map((field) => judgeField(place, field));
    const action = mostOpen(place);
    const ofFields = fields
      .flatMap((field) => field.holds)
      .filter((hold) => hold.compiled.action === action);
    const bounds = smallestBounds([undecided, ...fields.map((field) => field.bounds)]);
    return judgementOfWhole(action, mergeHolds([...holds, ...ofFields]), bounds);
  };

  const boundsOfFields = (place: Place): (Bounds | null)[] =>
    place.candidates.typicalFields().map((field) => judgeField(place, field).bounds);

  /** The action of the most open field. Asks no further where nothing can be more open. */
  const mostOpen = (place: Place): Action => {
    if (place.open === 'allow') return place.open;
    const { open, others } = settledOf(place);
    place.open = moreOpen(place.open, open);
    for (const field of others) {
      if (place.open === 'allow') break;
      judgeField(place, field);
    }
    return place.open;
  };

  /** What need not be asked anew for every request: the fields of which nothing is asked beside roles. */
  const settledOf = (place: Place): NonNullable<RoleCandidates['settled']> => {
    const { candidates } = place;
    if (candidates.settled !== undefined && verdicts.isWhole) return candidates.settled;
    const fields = candidates.typicalFields();
    if (!verdicts.isWhole) return { open: 'deny', others: fields };
    const isSettled = (field: CompiledField) => {
      const { questions, needsTouched } = candidates.ofField(field);
      return questions.length === 0 && !needsTouched;
    };
    const actions = fields.filter(isSettled).map((field) => judgeField(place, field).action);
    const open = actions.reduce(moreOpen, 'deny');
    candidates.settled = { open, others: fields.filter((field) => !isSettled(field)) };
    return candidates.settled;
  };

  return (dataset, field) => {
    if (dataset === undefined || field === undefined) return UNKNOWN;
    const place = placeOf(dataset);
    return field === null ? judgeDataset(place) : judgeField(place, field);
  };
}

/** The default of the bundle. One that wants an approval names nobody who could give it, and so denies. */
function defaultAction(set: PolicySet): Action {
  return set.defaultAction === 'require_approval' ? 'deny' : set.defaultAction;
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
