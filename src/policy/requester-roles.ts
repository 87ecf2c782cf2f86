/** An agent always holds both beside its own. */
const AGENT_ROLES: readonly string[] = ['agent', 'ai_agent'];

/** The roles of a requester who is described by hand: one that is an agent by name or by `isAgent` holds both agent roles. */
export function rolesOfRequester(roles: readonly string[], isAgent = false): readonly string[] {
  const agent = isAgent || roles.some((role) => AGENT_ROLES.includes(role));
  return [...new Set(agent ? [...AGENT_ROLES, ...roles] : roles)];
}
