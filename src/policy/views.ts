import type { Facts } from './attributes.js';
import { clearanceLevel } from './clearance.js';
import type { CompiledDataset } from './compiled-dataset.js';
import type { EvaluationInput, Requester } from './model.js';

/** One set of attributes the request is judged with; per reference the strictest of all views holds. */
export interface View {
  /** What deny, approval and mask policies match. */
  held: readonly string[];
  /** What allow policies match: the roles named where the request narrows itself, else those held. */
  named: readonly string[];
  clearance: string | number | null;
  /** The clearance as a level from 1; `null` where it is unknown. */
  level: number | null;
  region: string | null;
  /** What the requester said. */
  purpose: string | null;
  /** Whether that purpose is one of the identity's own, on which alone an allow may rest. */
  purposeAssigned: boolean;
}

/**
 * What conditions may know of a dataset in a view, by what is asked: a restriction, or an opening (`allow`, `lifts_mask`),
 * which must also hold when a purpose that is only said is not known. Where two would be the same they are one object.
 */
export interface ViewFacts {
  restriction: Facts;
  opening: Facts;
  openingOnAssigned: Facts;
}

/** The requester as they are, as they narrowed themselves, and the person an agent acts for. */
export function viewsOf(input: EvaluationInput, clearances: readonly string[]): readonly View[] {
  const own = viewOf(input.requester, input.purpose, clearances);
  const views = [own];
  const { roles, clearance } = input.narrowing ?? {};
  if (roles !== undefined || clearance !== undefined) {
    const narrowed =
      clearance === undefined ? own.clearance : lower(clearances, own.clearance, clearance);
    views.push({
      ...own,
      // The caller refused what is not held; taking only what is makes that no matter of trust.
      named: roles ? own.held.filter((role) => roles.includes(role)) : own.named,
      clearance: narrowed,
      level: clearanceLevel(clearances, narrowed),
    });
  }
  if (input.onBehalfOf) views.push(viewOf(input.onBehalfOf, input.purpose, clearances));
  return views;
}

function viewOf(
  requester: Requester,
  purpose: string | undefined,
  clearances: readonly string[],
): View {
  return {
    held: requester.roles,
    named: requester.roles,
    clearance: requester.clearance,
    level: clearanceLevel(clearances, requester.clearance),
    // An empty text is an attribute nobody filled in, not a region or purpose of that name.
    region: requester.region || null,
    purpose: purpose || null,
    purposeAssigned: purpose !== undefined && requester.purposes.includes(purpose),
  };
}

function lower(
  clearances: readonly string[],
  own: string | number | null,
  named: string | number,
): string | number | null {
  const ownLevel = clearanceLevel(clearances, own);
  const namedLevel = clearanceLevel(clearances, named);
  return ownLevel === null || namedLevel === null ? null : Math.min(ownLevel, namedLevel);
}

/** What conditions may know in a view of a dataset. */
export function factsOf(
  view: View,
  dataset: Pick<CompiledDataset, 'region' | 'environment'>,
  at: number,
): ViewFacts {
  const restriction: Facts = {
    at,
    level: view.level,
    values: {
      requester_role: view.held,
      requester_clearance: known(view.clearance),
      requester_region: known(view.region),
      dataset_region: known(dataset.region),
      environment: known(dataset.environment),
      purpose: known(view.purpose),
    },
  };
  const opening =
    view.named === view.held
      ? restriction
      : { ...restriction, values: { ...restriction.values, requester_role: view.named } };
  const isSaidOnly = view.purpose !== null && !view.purposeAssigned;
  const openingOnAssigned = isSaidOnly
    ? { ...opening, values: { ...opening.values, purpose: null } }
    : opening;
  return { restriction, opening, openingOnAssigned };
}

function known(value: string | number | null): readonly string[] | null {
  return value === null ? null : [String(value)];
}
