import { both, compareNeeds, directionOf } from './compare-cells.js';
import { compareMasks, compareNumbers, type Step } from './compare-masks.js';
import type { ApprovalNeed, Direction, MaskOutcome } from './model.js';

/** What a bundle decides of one request as a whole. */
export interface RequestOutcome {
  status: 'granted' | 'pending_approval' | 'denied';
  /** Why it is denied. */
  type?: string;
  /** What masks each field of the query that can be read, in the end; `null` is raw. Empty where it is denied. */
  masks: Readonly<Record<string, MaskOutcome | null>>;
  approvals: readonly ApprovalNeed[];
  /** `null`: no bound by a policy. */
  max_rows: number | null;
}

const ACCESS: Readonly<Record<RequestOutcome['status'], number>> = {
  denied: 0,
  pending_approval: 1,
  granted: 2,
};

/** Whether a request gets more by the second outcome than by the first; null where it gets the same. */
export function compareOutcomes(from: RequestOutcome, to: RequestOutcome): Direction | null {
  const access = compareNumbers(ACCESS[from.status], ACCESS[to.status]);
  // Of what is denied there is nothing to compare; why it is may be said differently.
  if (from.status === 'denied' || to.status === 'denied') return directionOf(access);
  let step = access;
  for (const field of new Set([...Object.keys(from.masks), ...Object.keys(to.masks)])) {
    step = both(step, compareField(from.masks[field], to.masks[field]));
  }
  if (from.status === 'pending_approval' && to.status === 'pending_approval') {
    step = both(step, compareNeeds(from.approvals, to.approvals));
  }
  step = both(step, compareNumbers(from.max_rows ?? Infinity, to.max_rows ?? Infinity));
  return directionOf(step);
}

/** A field that only one of them lets be read is one more or one fewer. */
function compareField(from: MaskOutcome | null | undefined, to: typeof from): Step {
  if (from === undefined || to === undefined) {
    return compareNumbers(Number(from !== undefined), Number(to !== undefined));
  }
  return compareMasks(from, to);
}
