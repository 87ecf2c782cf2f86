import type { Attribute } from '../../policy/attributes.js';
import { type LookedAt, lookedAtBy } from './looked-at.js';
import type { MomentValue, PurposeValue } from './model.js';
import { momentsOf, WINDOWS_MAX } from './moments.js';
import { type RoleQuestion, type RoleSet, type RolesAtOnce, roleSetsOf } from './role-sets.js';

/** A value that no policy names. */
const OTHER = '(any other)';

/**
 * The values of each attribute that have to be told apart. One value that stands for all where no policy looks at the
 * attribute, which is then not in `distinguished`.
 */
export interface Dimensions {
  roles: readonly RoleSet[];
  clearances: readonly (string | null)[];
  requester_regions: readonly (string | null)[];
  purposes: readonly PurposeValue[];
  times: readonly (MomentValue | null)[];
}
export type DimensionName = keyof Dimensions;

/** What is the same for all requesters: the facts of the datasets, and the levels there are. */
export interface KnownValues {
  environments: readonly string[];
  regions: readonly string[];
  clearances: readonly string[];
}

export const DIMENSIONS = [
  'roles',
  'clearances',
  'requester_regions',
  'purposes',
  'times',
] as const satisfies readonly DimensionName[];

/** More than this on one reference nobody can review, and it would take long; they are not compared. */
export const COMBINATIONS_MAX = 50_000;

/** What can make a difference on a reference, beside what is the same for all requesters. */
export type Bearing = Pick<RoleQuestion, 'policies' | 'pivotal' | 'extra'>;

/**
 * The dimensions for all policies that bear on a reference. `null` where there are more combinations than may be compared,
 * even with one role at a time; `rolesAtOnce` tells how many are.
 */
export function dimensionsOf(
  bearing: Bearing,
  known: KnownValues,
): { dimensions: Dimensions; rolesAtOnce: RolesAtOnce } | null {
  const looked = lookedAtBy(bearing.policies);
  if (looked.windows.length > WINDOWS_MAX) return null;
  const rest = dimensionsBesideRoles(looked, known);
  const nobody: RoleSet = { roles: [], parts: [] };
  const setsMax = Math.floor(COMBINATIONS_MAX / countCells({ ...rest, roles: [nobody] }));
  const { sets, atOnce } = looked.attributes.has('requester_role')
    ? roleSetsOf(
        {
          ...bearing,
          ...poolOf('requester_role', looked, known),
          withNobody: distinguishesNobody(looked),
        },
        setsMax,
      )
    : { sets: [nobody], atOnce: 'all' as const };
  const dimensions = { ...rest, roles: sets };
  return sets.length <= setsMax ? { dimensions, rolesAtOnce: atOnce } : null;
}

function dimensionsBesideRoles(looked: LookedAt, known: KnownValues): Omit<Dimensions, 'roles'> {
  const has = (attribute: Attribute) => looked.attributes.has(attribute);
  const pool = (attribute: Attribute) => poolOf(attribute, looked, known);
  return {
    clearances: has('requester_clearance') ? [...known.clearances, null] : [null],
    requester_regions: has('requester_region')
      ? [...textsOf(pool('requester_region')), null]
      : [null],
    purposes: has('purpose') ? [...textsOf(pool('purpose')).flatMap(asPurposes), null] : [null],
    times: looked.windows.length > 0 ? momentsOf(looked.windows) : [null],
  };
}

/** How many cells there are. */
export function countCells(dimensions: Dimensions): number {
  return DIMENSIONS.reduce((product, name) => product * dimensions[name].length, 1);
}

interface Pool {
  named: readonly string[];
  /** As many values that nobody names as attributes can meet, so that two can be equal or differ. */
  others: readonly string[];
}

const FREE: readonly Attribute[] = ['requester_role', 'requester_region', 'purpose'];

function poolOf(attribute: Attribute, looked: LookedAt, known: KnownValues): Pool {
  const group = looked.linked.get(attribute) ?? [attribute];
  const given: Partial<Record<Attribute, readonly string[]>> = {
    environment: known.environments,
    dataset_region: known.regions,
    requester_clearance: known.clearances,
  };
  const named = new Set(
    group.flatMap((name) => [...(looked.values.get(name) ?? []), ...(given[name] ?? [])]),
  );
  const count = group.filter((name) => FREE.includes(name)).length;
  const others: string[] = [];
  for (let number = 1; others.length < count; number += 1) {
    const name = number === 1 ? OTHER : `${OTHER} ${number}`;
    if (!named.has(name)) others.push(name);
  }
  return { named: [...named].sort(), others };
}

/** An empty text is an attribute that nobody filled in: it is unknown. */
function textsOf({ named, others }: Pool): readonly string[] {
  return [...named.filter((text) => text !== ''), ...others];
}

function asPurposes(purpose: string): readonly PurposeValue[] {
  return [
    { purpose, assigned: true },
    { purpose, assigned: false },
  ];
}

/** Whether a requester with no role at all may be treated otherwise than one with a role that no policy names. */
function distinguishesNobody({ present, linked }: LookedAt): boolean {
  return present.has('requester_role') || (linked.get('requester_role')?.length ?? 1) > 1;
}
