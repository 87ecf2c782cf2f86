import type { Scalar } from './model.js';

/** The attributes a condition may be about, `time` aside, which has a form of its own. */
export const ATTRIBUTES = [
  'requester_role',
  'requester_clearance',
  'requester_region',
  'dataset_region',
  'environment',
  'purpose',
] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

/**
 * What is known when a condition is decided. Every attribute is a set, so that roles need no form of their own; `null`
 * is unknown. `at` is in milliseconds since the epoch.
 */
export interface Facts {
  readonly values: Readonly<Record<Attribute, readonly Scalar[] | null>>;
  readonly at: number;
}

export function isAttribute(name: string): name is Attribute {
  return (ATTRIBUTES as readonly string[]).includes(name);
}
