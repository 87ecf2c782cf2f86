import type { Policy } from '../../policy/model.js';
import { rolesOfRequester } from '../../policy/requester-roles.js';
import { lookedAtBy } from './looked-at.js';

/** The roles one requester holds, for the purpose of a comparison. */
export interface RoleSet {
  /** As they are shown: an agent, which holds both agent roles, by one of them. */
  roles: readonly string[];
  /** Where two are held together, the places of each by itself in the list. */
  parts: readonly number[];
}

const AGENT_ROLES = ['ai_agent', 'agent'];

/**
 * The sets of roles to compare: each role alone, and two of them together where `pivotal` policies name one. One role at a
 * time would miss most widenings, since a deny that is taken away opens something only for who also holds a role that is
 * allowed in. Two suffice for every change of action while conditions ask for roles to be there; a condition that asks for
 * their absence could need three, which are not compared. Stops beyond `setsMax`.
 */
export function roleSetsOf(
  named: readonly string[],
  others: readonly (readonly string[])[],
  pivotal: readonly Policy[],
  setsMax: number,
): readonly RoleSet[] {
  const agents = AGENT_ROLES.filter((role) => named.includes(role)).slice(0, 1);
  const people = named.filter((role) => !AGENT_ROLES.includes(role));
  const single = [...agents, ...people].sort();
  const pivots = new Set(
    (lookedAtBy(pivotal).values.get('requester_role') ?? []).flatMap((role) =>
      AGENT_ROLES.includes(role) ? agents : [role],
    ),
  );
  const sets: RoleSet[] = [...single.map((role) => [role]), ...others].map((roles) => ({
    roles,
    parts: [],
  }));
  for (const [first, one] of single.entries()) {
    for (const [second, other] of single.entries()) {
      if (first >= second || !(pivots.has(one) || pivots.has(other))) continue;
      if (sets.length > setsMax) return sets;
      sets.push({ roles: [one, other], parts: [first, second] });
    }
  }
  return sets;
}

/** The roles a requester with such a set holds. */
export function heldRoles({ roles }: RoleSet): readonly string[] {
  return rolesOfRequester(roles);
}
