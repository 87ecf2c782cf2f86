import type { Aql } from '../aql/model.js';
import { parseAql } from '../aql/parse-aql.js';
import type { ResolvedQuery } from '../aql/resolved-query.js';
import type { Explanation } from '../client/wire.js';
import { VkitError } from '../errors/index.js';
import { clearanceLevel } from '../policy/clearance.js';
import { explainPolicies } from '../policy/explain-policies.js';
import type { Reference } from '../policy/model.js';
import type { PolicySet } from '../policy/policy-set.js';
import { findDataset } from '../policy/policy-test-input.js';
import { rolesOfRequester } from '../policy/requester-roles.js';
import { nearest } from '../util/levenshtein.js';
import type { Identity } from './control/identity.js';
import { judge, planQuery } from './control/judge.js';
import type { LoadedPolicies } from './load-policies.js';

/** The requester to explain for; what is absent is not known. */
export interface ExplainedRequester {
  roles: readonly string[];
  clearance?: string;
  region?: string;
  purpose?: string;
  /** Whether the purpose is one of the account's own; default true. */
  purposeAssigned?: boolean;
  /** Holds `agent` and `ai_agent` too. */
  isAgent?: boolean;
}

/** A query, or what one would touch; without fields `count(*)`. */
export type ExplainedQuery = { aql: unknown } | { dataset: string; fields: readonly string[] };

/** Rows do not matter to a decision; any number plans the query. */
const ROWS = 1_000;

/**
 * Decides a query as a server with these policies does, and says for every policy why it did or did not match. Pure but for
 * its arguments. Throws `invalid_input` for a clearance that does not exist, `validation` for a query that is allowed
 * and cannot be run, `invalid_aql` for what is no query.
 */
export function explainDecision(
  policies: Pick<LoadedPolicies, 'active' | 'from'>,
  who: ExplainedRequester,
  query: ExplainedQuery,
  at: number,
): Explanation {
  const identity = describedIdentity(who, policies.active.policies);
  return explainFor(policies, { identity, purpose: who.purpose ?? null }, query, at);
}

/** The same for an identity that there is, with the person it acts for. */
export function explainFor(
  { active, from }: Pick<LoadedPolicies, 'active' | 'from'>,
  { identity, purpose }: { identity: Identity; purpose: string | null },
  query: ExplainedQuery,
  at: number,
): Explanation {
  const { policies: set } = active;
  const judgement = judge(active, identity, {
    aql: aqlOf(query, set),
    narrowing: {},
    purpose,
    at,
    trace: true,
  });
  const { resolved, input } = judgement;
  const { trace = [], bundle_checksum, ...decided } = judgement.decision;
  const unreadable = decided.action !== 'deny' && isEmpty(resolved);
  if (decided.action !== 'deny' && !unreadable) {
    planQuery(active, judgement, { approved: true, rowCap: ROWS });
  }
  const unknown = [...new Set(resolved.unknown.map(({ name }) => name))];
  const suggestions = suggestionsFor(unknown, input.references, set);
  return {
    at: new Date(at).toISOString(),
    requester: {
      roles: identity.roles,
      clearance: identity.clearance,
      region: identity.region,
      purpose,
      purpose_assigned: purpose !== null && identity.purposes.includes(purpose),
    },
    references: input.references,
    unknown,
    ...(Object.keys(suggestions).length === 0 ? {} : { suggestions }),
    decision: {
      ...decided,
      ...(unreadable ? NOTHING_READABLE : {}),
      bundle_checksum: from === 'bundle' ? bundle_checksum : null,
    },
    trace: explainPolicies(set, input, trace),
  };
}

/**
 * What was probably meant by names that do not exist. Whoever may have a decision explained may read all of the policies and
 * the registry.
 */
function suggestionsFor(
  unknown: readonly string[],
  references: readonly Reference[],
  { datasets }: PolicySet,
): Record<string, string> {
  const touched = [...new Set(references.map(({ dataset }) => dataset))];
  const fields = touched.flatMap((name) => [...(datasets.get(name)?.fields.keys() ?? [])]);
  const missing = new Set(touched.filter((name) => !datasets.has(name)));
  return Object.fromEntries(
    unknown.flatMap((name) => {
      const isDataset = missing.has(name);
      const near = nearest(name, isDataset ? namesOfDatasets(datasets) : fields);
      return near === undefined ? [] : [[name, near]];
    }),
  );
}

function namesOfDatasets(datasets: PolicySet['datasets']): string[] {
  return [...datasets.values()].flatMap(({ name, forms }) => [name, ...forms]);
}

/** Whether nothing is left to read, `"*"` expanded; a query with problems is judged by these. */
function isEmpty({ columns, aggregates, problems }: ResolvedQuery): boolean {
  return columns.length + aggregates.length + problems.length === 0;
}

/** "A request without any readable output is denied." */
const NOTHING_READABLE = {
  action: 'deny',
  policy_id: null,
  reason: null,
  denial: 'unknown_field',
  approvals: [],
  masks: {},
} as const;

function aqlOf(query: ExplainedQuery, set: PolicySet): Aql {
  return parseExplained('aql' in query ? query.aql : aqlOfNames(query, set));
}

/** A query in its checked form; throws `invalid_aql` with every problem. */
export function parseExplained(written: unknown): Aql {
  const parsed = parseAql(written);
  if ('aql' in parsed) return parsed.aql;
  throw new VkitError('invalid_aql', 'The query is not valid AQL.', {
    details: { problems: parsed.problems },
  });
}

function aqlOfNames(
  { dataset, fields }: { dataset: string; fields: readonly string[] },
  set: PolicySet,
): object {
  const found = findDataset(set, dataset);
  const source = { source_table: typeof found === 'string' ? dataset : found.name };
  if (fields.length > 0) return { ...source, columns: fields };
  return { ...source, aggregates: [{ func: 'count', field: '*' }] };
}

/** The identity of a requester who is described; throws `invalid_input` for a clearance that does not exist. */
export function describedIdentity(who: ExplainedRequester, { clearances }: PolicySet): Identity {
  const { clearance = null, region = null, purpose, purposeAssigned = true } = who;
  if (clearance !== null && clearanceLevel(clearances, clearance) === null) {
    throw new VkitError('invalid_input', `The clearance "${clearance}" does not exist.`, {
      hint: `Known, from lowest to highest: ${clearances.join(', ')}.`,
    });
  }
  return {
    kind: who.isAgent ? 'agent' : 'user',
    id: 'local',
    email: null,
    name: 'local',
    roles: rolesOfRequester(who.roles, who.isAgent),
    clearance,
    region,
    purposes: purpose !== undefined && purposeAssigned ? [purpose] : [],
    datasources: null,
    onBehalfOf: null,
    ownerIds: [],
    sessionId: null,
  };
}
