import type { Policy } from '../../policy/model.js';
import { rolesOfRequester } from '../../policy/requester-roles.js';
import {
  AGENT_ROLES,
  both,
  type Held,
  type RoleAlgebra,
  roleAlgebraOf,
  type Step,
  withOneOf,
} from './role-algebra.js';

/** The roles one requester holds, for the purpose of a comparison. */
export interface RoleSet {
  /** As they are shown: an agent, which holds both agent roles, by one of them. */
  roles: readonly string[];
  /** Where several are held together, the places in the list of those with fewer of them, of which at least one is before. */
  parts: readonly number[];
}

/** How many roles at once were compared: `all` is as many as can make a difference. */
export type RolesAtOnce = 'one' | 'two' | 'all';

/** What role sets are made from: the policies of both bundles that can bear on a reference. */
export interface RoleQuestion {
  /** The roles that policies name, and as many others as have to be told apart. */
  named: readonly string[];
  others: readonly string[];
  /** Whether holding no role at all is something of its own. */
  withNobody: boolean;
  policies: readonly Policy[];
  /** Without one of these no decision can differ; `null` where it can without any. */
  pivotal: readonly Policy[] | null;
  /** Policies of which more than one may be needed beside two others, and how many more. */
  extra: { policies: readonly Policy[]; count: number };
}

/**
 * The sets of roles to compare: each role alone, every two that make a difference which neither makes, and of more roles
 * one set for each way in which the policies can hold together. A decision that differs rests in each bundle on one policy
 * that holds, or on none, so the roles that two policies ask for suffice, with one for each policy that refuses it: where a
 * requester has more roles, taking the others away leaves what is strict in one bundle as strict, and what is open in the
 * other as open. Where a decision rests on more policies than these, `extra` says on which. At most `setsMax` sets, unless
 * the roles alone are more; where that is too few, `atOnce` says what is missing.
 */
export function roleSetsOf(
  question: RoleQuestion,
  setsMax: number,
): { sets: readonly RoleSet[]; atOnce: RolesAtOnce } {
  const { named, others, policies, pivotal } = question;
  const agents = AGENT_ROLES.filter((role) => named.includes(role)).slice(0, 1);
  const people = named.filter((role) => !AGENT_ROLES.includes(role));
  const names = [...[...agents, ...people].sort(), ...others];
  const algebra = roleAlgebraOf([...named, ...others], names, policies, pivotal);
  const alone = names.map((name) => algebra.holding([name]));
  const nobody = question.withNobody ? [algebra.holding([])] : [];
  const room = setsMax - alone.length - nobody.length;
  const listed = (more: readonly Held[]) => withParts([...alone, ...nobody, ...more]);
  const larger = largerSets(algebra, question, setsMax);
  for (const kinds of [alone, algebra.kinds]) {
    const pairs = pairsOf(algebra, kinds, room);
    if (pairs === null) continue;
    const more = larger && beyond(algebra, larger, [...alone, ...nobody, ...pairs]);
    if (more !== null && pairs.length + more.length <= room) {
      const isAll = !algebra.isOrdered;
      return { sets: listed([...pairs, ...more]), atOnce: isAll ? 'all' : 'two' };
    }
  }
  const pairs = pairsOf(algebra, algebra.kinds, room);
  if (pairs === null) return { sets: listed([]), atOnce: 'one' };
  return { sets: listed(pairs), atOnce: 'two' };
}

/** The roles a requester with such a set holds. */
export function heldRoles({ roles }: RoleSet): readonly string[] {
  return rolesOfRequester(roles);
}

/** Every two that are something which neither is, and for which something can differ; `null` where there is no room. */
function pairsOf(
  algebra: RoleAlgebra,
  alone: readonly Held[],
  room: number,
): readonly Held[] | null {
  const pairs: Held[] = [];
  for (const [first, one] of alone.entries()) {
    for (let second = first + 1; second < alone.length; second += 1) {
      const pair = both(one, alone[second] as Held);
      if (pair.bits === one.bits || pair.bits === alone[second]?.bits) continue;
      if (!algebra.canDiffer(pair)) continue;
      if (pairs.length >= room) return null;
      pairs.push(pair);
    }
  }
  return pairs;
}

/** Sets that fulfil what two policies ask, and `extra.count` more of the extra ones, with and without being refused by others. */
function largerSets(
  algebra: RoleAlgebra,
  { policies, extra }: RoleQuestion,
  setsMax: number,
): readonly Held[] | null {
  const refusals = algebra.refusalsOf(policies);
  const pieces = algebra.piecesOf(policies, setsMax);
  const more = algebra.piecesOf(extra.policies, setsMax);
  if (pieces === null || more === null) return null;
  const rounds = more.length === 0 ? 0 : Math.min(extra.count, more.length);
  // Two roles are compared in any case.
  if (rounds === 0 && refusals.length === 0 && pieces.every(({ roles }) => roles.length === 1)) {
    return [];
  }
  const oneOf = (options: readonly Held[]): Step => ({ options, unless: 0n });
  const steps = [
    oneOf(pieces),
    oneOf(pieces),
    ...Array.from({ length: rounds }, () => oneOf(more)),
    ...refusals,
  ];
  let sets: readonly Held[] | null = [algebra.holding([])];
  for (const step of steps) {
    sets = sets && withOneOf(sets, step, setsMax * DISCARDED_FACTOR);
  }
  return sets;
}

/** Most of the sets on the way to the largest are not compared, since nothing can differ for them. */
const DISCARDED_FACTOR = 4;

/** Those of more than two roles for which something can differ that cannot for any before. */
function beyond(
  algebra: RoleAlgebra,
  larger: readonly Held[],
  before: readonly Held[],
): readonly Held[] {
  if (larger.length === 0) return [];
  const seen = new Set(before.map(algebra.verdictsOf));
  const bySize = [...larger].sort((one, other) => one.roles.length - other.roles.length);
  return bySize.filter((held) => {
    if (held.roles.length < 3 || !algebra.canDiffer(held)) return false;
    const verdicts = algebra.verdictsOf(held);
    if (seen.has(verdicts)) return false;
    seen.add(verdicts);
    return true;
  });
}

function withParts(sets: readonly Held[]): readonly RoleSet[] {
  const places = new Map<string, number>();
  return sets.map(({ roles }, place) => {
    places.set(JSON.stringify(roles), place);
    return { roles, parts: roles.length < 2 ? [] : [...partsOf(roles, places)] };
  });
}

/** Of very many roles not all parts are looked for; what one of them has is then said again of the whole. */
const PARTS_MAX = 1_000;

/** The places of the largest parts that are in the list; one that is not stands for its own parts. */
function partsOf(roles: readonly string[], places: ReadonlyMap<string, number>): Set<number> {
  const found = new Set<number>();
  let level: ReadonlyMap<string, readonly string[]> = smaller([roles]);
  while (level.size > 0 && level.size <= PARTS_MAX) {
    const missing: (readonly string[])[] = [];
    for (const [key, part] of level) {
      const place = places.get(key);
      if (place === undefined) missing.push(part);
      else found.add(place);
    }
    level = smaller(missing);
  }
  return found;
}

/** Each with one role taken away, as long as one is left. */
function smaller(sets: readonly (readonly string[])[]): ReadonlyMap<string, readonly string[]> {
  const parts = sets
    .filter((roles) => roles.length > 1)
    .flatMap((roles) => roles.map((gone) => roles.filter((role) => role !== gone)));
  return new Map(parts.map((part) => [JSON.stringify(part), part]));
}
