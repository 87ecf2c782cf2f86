import type { Bundle, BundleDataset, BundleField } from '../../../src/bundle/model.js';
import type { Mask } from '../../../src/masking/model.js';
import type { Action, EvaluationInput, Policy, Reference } from '../../../src/policy/model.js';
import { type Asker, standingOf } from './askers.js';
import {
  addedBounds,
  BOUND_BY_DEFAULT,
  type Bounds,
  boundsOf,
  boundsOfUndecided,
  UNBOUND,
} from './bounds.js';
import { maskOf } from './masks.js';
import { matchesDataset, matchesField } from './match.js';
import { sameName } from './names.js';
import type { Note } from './note.js';

/** "`deny` beats `require_approval` beats `mask` beats `allow`." */
export const STRICT_FIRST: readonly Action[] = ['deny', 'require_approval', 'mask', 'allow'];

/** A policy that holds for a reference. */
export interface Applying {
  policy: Policy;
  truth: 'yes' | 'undecided';
  lifts: boolean;
}

/** What the policies say of one reference to one who asks. */
export interface Opinion {
  action: Action;
  masks: readonly Mask[];
  /** There is a mask, and "every matching approval policy says `lifts_mask`". */
  lifts: boolean;
  applying: readonly Applying[];
  bounds: Bounds;
  /** "A reference that is not in the bundle's registry." */
  unknown: boolean;
  /** Whether anything matches in the sense of rule 3: no default applies, and no field decides for its dataset. */
  matched: boolean;
}

/** Everything a decision is made of. */
export interface Question {
  bundle: Bundle;
  input: EvaluationInput;
  note: Note;
}

/** Rules 1 to 4 of policy.md, "Evaluation", for one reference and one who asks. */
export function opinionOf(question: Question, asker: Asker, reference: Reference): Opinion {
  const { bundle, note } = question;
  const dataset = bundle.registry.datasets.find((one) => one.name === reference.dataset);
  const field = dataset?.fields.find((one) => one.name === reference.field);
  if (dataset === undefined || (reference.field !== null && field === undefined)) {
    note('a reference is', dataset === undefined ? 'of no dataset' : 'no field', 'deny');
    return {
      action: 'deny',
      masks: [],
      lifts: false,
      applying: [],
      bounds: UNBOUND,
      unknown: true,
      matched: false,
    };
  }
  const opinion = field
    ? opinionOnField(question, asker, dataset, field)
    : opinionOnDataset(question, asker, dataset);
  note('a reference is', field ? 'a field' : 'a dataset', opinion.action);
  return opinion;
}

function opinionOnField(
  question: Question,
  asker: Asker,
  dataset: BundleDataset,
  field: BundleField,
): Opinion {
  const { bundle, note } = question;
  const { applying, bearing, matched } = collect(question, asker, dataset, field);
  const byDefault = defaultOf(bundle);
  const actions = applying.map((one) => one.policy.action);
  // Rule 3, to which a restriction that is only undecided is added.
  const action = strictest(matched ? actions : [byDefault, ...actions]);
  if (!matched) note('the default', bundle.bundle.default_action, action);
  // Rule 4: "restrictions add up".
  const masks: Mask[] = applying
    .filter((one) => one.policy.action === 'mask')
    .map((one) => maskOf(one.policy, field.name, note));
  if (!matched && byDefault === 'mask') masks.push({ method: 'full' });
  const approvals = applying.filter((one) => one.policy.action === 'require_approval');
  const lifts =
    masks.length > 0 && approvals.length > 0 && approvals.every((approval) => approval.lifts);
  if (masks.length > 0 && approvals.length > 0) {
    const some = approvals.some((approval) => approval.lifts) ? 'some lift' : 'none lifts';
    note('a mask under approval', lifts ? 'all lift' : some);
  }
  // What nothing opens brings no bounds.
  const bounds = bearing.length === 0 && action === 'deny' ? UNBOUND : boundsOf(bearing);
  return { action, masks, lifts, applying, bounds, unknown: false, matched };
}

/**
 * "Policies without `match.fields` match it; where none does, it is as open as the most open of its fields." It has no
 * value that could be masked.
 */
function opinionOnDataset(question: Question, asker: Asker, dataset: BundleDataset): Opinion {
  const { bundle, input, note } = question;
  const { applying, bearing, matched } = collect(question, asker, dataset, null);
  const whole = { masks: [], lifts: false, unknown: false, matched };
  const actions = applying.map((one) => one.policy.action);
  const touchesOne = input.references.some(
    (one) =>
      one.dataset === dataset.name &&
      dataset.fields.some((field) => one.field !== null && sameName(field.name, one.field)),
  );
  if (matched) {
    const action = strictest(actions);
    note('a dataset by', 'its own policies', action);
    const opens = bearing.some((one) => one.truth === 'yes' && one.policy.action === 'allow');
    // "Where only restrictions match it whole, a bare `count(*)` keeps the bounds of its fields."
    const kept =
      opens || touchesOne
        ? []
        : dataset.fields.map((field) => opinionOnField(question, asker, dataset, field).bounds);
    return { ...whole, action, applying, bounds: addedBounds([boundsOf(bearing), ...kept]) };
  }
  if (dataset.fields.length === 0) {
    const action = strictest([defaultOf(bundle), ...actions]);
    note('a dataset by', 'the default, without fields', action);
    return { ...whole, action, applying, bounds: boundsOf(bearing) };
  }
  const fields = dataset.fields.map((field) => opinionOnField(question, asker, dataset, field));
  const action = mostOpen(fields.map((field) => field.action));
  // What nobody can decide bounds the dataset as it does the fields.
  const undecided = boundsOfUndecided(bearing);
  if (touchesOne) {
    // "If the request touches a field of the dataset, approvals and bounds come from the fields touched."
    note('a dataset by', 'its fields, some touched', action);
    return { ...whole, action, applying, bounds: undecided };
  }
  // "A bare `count(*)` takes them from all fields, denied ones included."
  note('a dataset by', 'its fields, none touched', action);
  const ofFields = fields.flatMap((field) => field.applying);
  const bounds = addedBounds([undecided, ...fields.map((field) => field.bounds)]);
  return {
    ...whole,
    action,
    applying: [...applying, ...ofFields.filter((one) => one.policy.action === action)],
    bounds: bounds.ttls.length === 0 ? BOUND_BY_DEFAULT : bounds,
  };
}

/**
 * Rule 1: "one that cannot be decided because an attribute is unknown counts as holding for `deny`, `require_approval`
 * and `mask`, and as not holding for `allow`".
 */
function collect(
  question: Question,
  asker: Asker,
  dataset: BundleDataset,
  field: BundleField | null,
): { applying: readonly Applying[]; bearing: readonly Applying[]; matched: boolean } {
  const standing = question.bundle.policies.flatMap((policy): Applying[] => {
    const one = appliesTo(question, asker, policy, dataset, field);
    return one ? [one] : [];
  });
  const applying = standing.filter((one) => one.truth === 'yes' || one.policy.action !== 'allow');
  return {
    applying,
    // Rule 5: "over all matching policies, undecided ones included"; a deny opens nothing that could be bounded.
    bearing: standing.filter((one) => one.policy.action !== 'deny'),
    // "A mask or approval that holds only because it is undecided […] is no match in the sense of 3."
    matched: applying.some((one) => one.truth === 'yes' || one.policy.action === 'deny'),
  };
}

/** A policy as it stands for a reference of the registry, if it matches it at all. */
export function appliesTo(
  { bundle, input, note }: Question,
  asker: Asker,
  policy: Policy,
  dataset: BundleDataset,
  field: BundleField | null,
): Applying | null {
  if (!matchesDataset(policy, dataset, note)) return null;
  if (field === null && policy.match.fields !== undefined) return null;
  if (field !== null && !matchesField(policy, dataset, field, input.references, note)) return null;
  const { truth, lifts } = standingOf(policy, bundle, dataset, asker, input.at, note);
  if (truth !== 'no') note('a policy holds', policy.action, truth);
  return truth === 'no' ? null : { policy, truth, lifts };
}

export function strictest(actions: readonly Action[]): Action {
  return STRICT_FIRST.find((action) => actions.includes(action)) ?? 'allow';
}

function mostOpen(actions: readonly Action[]): Action {
  return STRICT_FIRST.findLast((action) => actions.includes(action)) ?? 'deny';
}

/** "`default_action: require_approval` names nobody who could approve, and denies." */
function defaultOf({ bundle }: Bundle): Action {
  return bundle.default_action === 'require_approval' ? 'deny' : bundle.default_action;
}
