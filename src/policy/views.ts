import type { Facts } from './attributes.js';
import { clearanceLevel } from './clearance.js';
import type { EvaluationInput, Requester } from './model.js';
import type { CompiledDataset } from './policy-set.js';

/** One set of attributes the request is judged with; per reference the strictest of all views holds. */
export interface View {
  /** What deny, approval and mask policies match. */
  held: readonly string[];
  /** What allow policies match: the roles named where the request narrows itself, else those held. */
  named: readonly string[];
  clearance: string | number | null;
  region: string | null;
  /** What the requester said. */
  purpose: string | null;
  /** Whether that purpose is one of the identity's own, on which alone an allow may rest. */
  purposeAssigned: boolean;
}

/** For what a condition is asked: a restriction, or what opens something (`allow`, `lifts_mask`). */
export type FactsFor = 'restriction' | 'opening' | 'opening_on_assigned_purpose';

/** The requester as they are, as they narrowed themselves, and the person an agent acts for. */
export function viewsOf(input: EvaluationInput, clearances: readonly string[]): readonly View[] {
  const own = viewOf(input.requester, input.purpose);
  const views = [own];
  if (input.narrowing) {
    const { roles, clearance } = input.narrowing;
    views.push({
      ...own,
      // The caller refused what is not held; taking only what is makes that no matter of trust.
      named: roles ? own.held.filter((role) => roles.includes(role)) : own.named,
      clearance:
        clearance === undefined ? own.clearance : lower(clearances, own.clearance, clearance),
    });
  }
  if (input.onBehalfOf) views.push(viewOf(input.onBehalfOf, input.purpose));
  return views;
}

function viewOf(requester: Requester, purpose: string | undefined): View {
  return {
    held: requester.roles,
    named: requester.roles,
    clearance: requester.clearance,
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
export function factsOf(view: View, dataset: CompiledDataset, at: number, use: FactsFor): Facts {
  const trusted = use !== 'opening_on_assigned_purpose' || view.purposeAssigned;
  return {
    at,
    values: {
      requester_role: use === 'restriction' ? view.held : view.named,
      requester_clearance: known(view.clearance),
      requester_region: known(view.region),
      dataset_region: known(dataset.region),
      environment: known(dataset.environment),
      purpose: trusted ? known(view.purpose) : null,
    },
  };
}

function known(value: string | number | null): readonly (string | number)[] | null {
  return value === null ? null : [value];
}
