import type { CompiledPolicy } from './compiled-policy.js';

/** Roles that are held together, as far as a policy asks for one of them. */
export interface RoleSet {
  readonly roles: readonly string[];
  /** The same for the same roles, from 0; `null` where the policy set remembers no more of them. */
  readonly index: number | null;
}

/** Sets of roles that a policy set remembers candidates for; beyond, they are found each time anew. */
const ROLE_SETS_MAX = 64;

/** Gives the same roles as one object, so that what is found for them is found by a number. */
export function createRoleSets(
  policies: readonly CompiledPolicy[],
): (roles: readonly string[]) => RoleSet {
  const asked = new Set(policies.flatMap(({ rolesNeeded }) => rolesNeeded ?? []));
  const known = new Map<string, RoleSet>();
  return (held) => {
    // No policy tells those apart who differ in other roles.
    const roles = held.filter((role) => asked.has(role));
    // A single role stands behind a mark, so that no name of one is taken for a list of several.
    const key = roles.length === 1 ? `=${roles[0]}` : JSON.stringify(roles);
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= ROLE_SETS_MAX) return { roles, index: null };
    const made: RoleSet = { roles, index: known.size };
    known.set(key, made);
    return made;
  };
}
