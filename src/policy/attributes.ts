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
 * is unknown. All values are text: an attribute of an identity is, also where a policy writes it as a YAML number.
 */
export interface Facts {
  readonly values: Readonly<Record<Attribute, readonly string[] | null>>;
  /** The clearance as a level, from 1; `null` where it is unknown or none of the project's. */
  readonly level: number | null;
  /** In milliseconds since the epoch. */
  readonly at: number;
}

export function isAttribute(name: string): name is Attribute {
  return (ATTRIBUTES as readonly string[]).includes(name);
}
