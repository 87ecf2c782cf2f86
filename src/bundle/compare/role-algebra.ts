import type { Conditions, Policy } from '../../policy/model.js';
import { rolesOfRequester } from '../../policy/requester-roles.js';
import { type RolesAsked, rolesAskedBy } from './role-conditions.js';

/** Some roles, and which of the lists of roles that conditions name they meet: a bit for each. */
export interface Held {
  /** Sorted. */
  roles: readonly string[];
  bits: bigint;
}

/** Sets of roles as the conditions see them: those that meet the same lists are one kind. */
export interface RoleAlgebra {
  /** One role of each kind. */
  kinds: readonly Held[];
  /** Whether some condition sees more of roles than which lists they meet, so that no set stands for another. */
  isOrdered: boolean;
  holding(roles: readonly string[]): Held;
  /** Equal where the conditions of the same policies hold, as far as roles decide it. */
  verdictsOf(held: Held): bigint;
  /** Whether a policy can hold without which nothing differs. */
  canDiffer(held: Held): boolean;
  /** The sets that fulfil what one policy wants, of each kind one; `null` where they are more than `piecesMax`. */
  piecesOf(policies: readonly Policy[], piecesMax: number): readonly Held[] | null;
  /** For each list that a policy refuses, one role of each kind in it. */
  refusalsOf(policies: readonly Policy[]): readonly Step[];
}

/** What can be added to a set: one of the options, unless the set meets one of the lists of `unless` already. */
export interface Step {
  options: readonly Held[];
  unless: bigint;
}

/** What one policy asks, in bits: all of `wanted`, none of `refused`. */
interface Asked extends RolesAsked {
  wantedBits: bigint;
  refusedBits: bigint;
}

/** An agent holds both and goes by the first of them that a policy names. */
export const AGENT_ROLES: readonly string[] = ['ai_agent', 'agent'];

/**
 * `pool` are all roles that there are, and `names` those that sets are made of, an agent by one name. `pivotal` are the
 * policies without which nothing differs, `null` where something can without any.
 */
export function roleAlgebraOf(
  pool: readonly string[],
  names: readonly string[],
  policies: readonly Policy[],
  pivotal: readonly Policy[] | null,
): RoleAlgebra {
  const lists = new Map<string, { roles: ReadonlySet<string>; bit: bigint }>();
  const bitOf = (roles: readonly string[]): bigint => {
    const key = JSON.stringify([...new Set(roles)].sort());
    const known = lists.get(key) ?? { roles: new Set(roles), bit: 1n << BigInt(lists.size) };
    lists.set(key, known);
    return known.bit;
  };
  const memo = new Map<string, Asked>();
  const askedBy = (when: Conditions): Asked => {
    const key = JSON.stringify(when);
    const known = memo.get(key);
    if (known !== undefined) return known;
    const asked = rolesAskedBy(when, pool);
    const one: Asked = {
      ...asked,
      wantedBits: asked.wanted.reduce((bits, roles) => bits | bitOf(roles), 0n),
      refusedBits: asked.refused.length === 0 ? 0n : bitOf(asked.refused),
    };
    memo.set(key, one);
    return one;
  };
  const askedByAll = (policies: readonly Policy[]) => [
    ...new Set(policies.map(({ when }) => askedBy(when))),
  ];
  const all = askedByAll(policies);
  const decisive = pivotal && askedByAll(pivotal);
  const isLinked = all.some((asked) => asked.isLinked);
  // Where roles meet other attributes, each of them may be the one that counts.
  if (isLinked) for (const role of pool) bitOf([role]);
  const holding = (roles: readonly string[]): Held => {
    const held = rolesOfRequester(roles);
    let bits = 0n;
    for (const list of lists.values()) {
      if (held.some((role) => list.roles.has(role))) bits |= list.bit;
    }
    return { roles: [...roles].sort(), bits };
  };
  const alone = new Map(names.map((name) => [name, holding([name])]));
  const kindsOf = (roles: Iterable<string>): readonly Held[] => {
    const held = [...roles].flatMap((role) => alone.get(nameOf(role, names)) ?? []);
    return distinct(held);
  };
  const verdicts = new Map<bigint, bigint>();
  return {
    kinds: kindsOf(names),
    isOrdered: all.some((asked) => asked.isOrdered),
    holding,
    verdictsOf: ({ bits }) => {
      if (isLinked) return bits;
      const known = verdicts.get(bits);
      if (known !== undefined) return known;
      let found = 0n;
      for (const [place, asked] of all.entries()) {
        if (fulfils(bits, asked)) found |= 1n << BigInt(place);
      }
      verdicts.set(bits, found);
      return found;
    },
    canDiffer: ({ bits }) =>
      decisive === null || decisive.some((asked) => asked.isLinked || fulfils(bits, asked)),
    piecesOf: (some, piecesMax) => {
      const found = new Map<bigint, Held>();
      for (const { wanted } of askedByAll(some)) {
        let pieces: readonly Held[] | null = [{ roles: [], bits: 0n }];
        for (const roles of wanted) {
          const options = kindsOf(roles);
          const step: Held[] | null = pieces && eachWith(pieces, options, piecesMax);
          pieces = step;
        }
        if (pieces === null) return null;
        for (const piece of pieces) {
          if (piece.bits !== 0n && !found.has(piece.bits)) found.set(piece.bits, piece);
        }
        if (found.size > piecesMax) return null;
      }
      return [...found.values()];
    },
    refusalsOf: (some) =>
      askedByAll(some)
        .filter(({ refused }) => refused.length > 0)
        .map(({ refused, refusedBits }) => ({ options: kindsOf(refused), unless: refusedBits })),
  };
}

/** The sets, and each with one of the options; `null` where they are more than `setsMax`. */
export function withOneOf(
  sets: readonly Held[],
  { options, unless }: Step,
  setsMax: number,
): readonly Held[] | null {
  const found = new Map(sets.map((held) => [held.bits, held]));
  for (const held of sets) {
    if ((held.bits & unless) !== 0n) continue;
    for (const option of options) {
      const bits = held.bits | option.bits;
      if (!found.has(bits)) found.set(bits, both(held, option));
      if (found.size > setsMax) return null;
    }
  }
  return [...found.values()];
}

/** Each set with each of the options; an option that adds nothing leaves it as it is. */
function eachWith(sets: readonly Held[], options: readonly Held[], setsMax: number): Held[] | null {
  if (sets.length * options.length > setsMax) return null;
  return distinct(sets.flatMap((held) => options.map((option) => both(held, option))));
}

/** What one holds who holds both. */
export function both(one: Held, other: Held): Held {
  const bits = one.bits | other.bits;
  if (bits === one.bits) return one;
  if (bits === other.bits) return other;
  return { roles: [...new Set([...one.roles, ...other.roles])].sort(), bits };
}

function fulfils(bits: bigint, { wantedBits, refusedBits }: Asked): boolean {
  return (bits & wantedBits) === wantedBits && (bits & refusedBits) === 0n;
}

/** The first of each kind. */
function distinct(sets: readonly Held[]): Held[] {
  return [...new Map([...sets].reverse().map((held) => [held.bits, held])).values()].reverse();
}

/** An agent holds both of its roles, and goes by one of them. */
function nameOf(role: string, names: readonly string[]): string {
  if (!AGENT_ROLES.includes(role)) return role;
  return names.find((name) => AGENT_ROLES.includes(name)) ?? role;
}
