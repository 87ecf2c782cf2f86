import type { Action, Policy } from '../../policy/model.js';
import type { ApprovalNeed, MaskOutcome } from './model.js';

/** What one bundle says of one cell. What is denied has nothing else. */
export interface Cell {
  action: Action;
  /** What masks the field in the end, after an approval too; `null` is raw. */
  mask: MaskOutcome | null;
  /** By role, sorted; what a role needs is the largest number that a policy asks of it. */
  approvals: readonly ApprovalNeed[];
  /** Sorted. */
  metadata: readonly string[];
  /** `null` where several fields are touched, which bring bounds of their own. */
  bounds: { ttlSeconds: number; rowsMax: number | null; autoRevoke: boolean } | null;
  /** The policies that made the action and the mask. */
  deciding: readonly Policy[];
  /** All policies that bear on it. */
  bearing: readonly Policy[];
}

export const DENIED: Cell = {
  action: 'deny',
  mask: null,
  approvals: [],
  metadata: [],
  bounds: null,
  deciding: [],
  bearing: [],
};
