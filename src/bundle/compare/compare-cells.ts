import type { Action } from '../../policy/model.js';
import type { Cell } from './cell.js';
import { compareMasks, compareNumbers, type Step } from './compare-masks.js';
import type { ApprovalNeed, CellChange, CellDifference, Direction, Outcome } from './model.js';

/**
 * The differences between what two bundles say of one cell. Who approves is compared where both ask for an approval, and
 * bounds where both let somebody through: else the decision itself says it.
 */
export function compareCells(from: Cell, to: Cell): readonly CellChange[] {
  const found: CellChange[] = [];
  const add = (difference: CellDifference, step: Step) => {
    const direction = directionOf(step);
    if (direction !== null) found.push({ ...difference, direction });
  };
  const [before, after] = [outcomeOf(from), outcomeOf(to)];
  add({ kind: 'decision', from: before, to: after }, compareOutcomes(before, after));
  if (from.action === 'require_approval' && to.action === 'require_approval') {
    add(
      { kind: 'approvals', from: from.approvals, to: to.approvals },
      compareNeeds(from.approvals, to.approvals),
    );
    add(
      { kind: 'metadata', from: from.metadata, to: to.metadata },
      compareSets(from.metadata, to.metadata),
    );
  }
  const { bounds: old } = from;
  const { bounds: now } = to;
  if (old === null || now === null) return found;
  add(
    { kind: 'ttl', from: old.ttlSeconds, to: now.ttlSeconds },
    compareNumbers(old.ttlSeconds, now.ttlSeconds),
  );
  add(
    { kind: 'max_rows', from: old.rowsMax, to: now.rowsMax },
    compareNumbers(old.rowsMax ?? Infinity, now.rowsMax ?? Infinity),
  );
  add(
    { kind: 'auto_revoke', from: old.autoRevoke, to: now.autoRevoke },
    compareNumbers(Number(!old.autoRevoke), Number(!now.autoRevoke)),
  );
  return found;
}

function outcomeOf({ action, mask }: Cell): Outcome {
  return { action, mask };
}

/** How soon something is readable; which mask is on it is a matter of its own. */
const ACCESS: Readonly<Record<Action, number>> = {
  deny: 0,
  require_approval: 1,
  mask: 2,
  allow: 2,
};

function compareOutcomes(from: Outcome, to: Outcome): Step {
  const access = compareNumbers(ACCESS[from.action], ACCESS[to.action]);
  if (from.action === 'deny' || to.action === 'deny') return access;
  return both(access, compareMasks(from.mask, to.mask));
}

/** To ask a role less, or no longer, widens; where it is another role instead, nobody knows, and it is both. */
export function compareNeeds(from: readonly ApprovalNeed[], to: readonly ApprovalNeed[]): Step {
  const numbers = (needs: readonly ApprovalNeed[]) =>
    new Map(needs.map((need) => [need.approver_role, need.approvals]));
  const [old, now] = [numbers(from), numbers(to)];
  const steps = [...new Set([...old.keys(), ...now.keys()])].map((role) =>
    compareNumbers(-(old.get(role) ?? 0), -(now.get(role) ?? 0)),
  );
  return steps.reduce(both, { widens: false, narrows: false });
}

/** Sets of demands: one fewer widens. */
function compareSets(from: readonly string[], to: readonly string[]): Step {
  return {
    widens: from.some((one) => !to.includes(one)),
    narrows: to.some((one) => !from.includes(one)),
  };
}

export function both(one: Step, other: Step): Step {
  return { widens: one.widens || other.widens, narrows: one.narrows || other.narrows };
}

export function directionOf({ widens, narrows }: Step): Direction | null {
  if (widens) return narrows ? 'changed' : 'widening';
  return narrows ? 'narrowing' : null;
}
