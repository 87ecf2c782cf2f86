import { localBundle } from '../bundle/local-bundle.js';
import type { BundleDataset, BundleDatasource } from '../bundle/model.js';
import { tableOfKey } from '../bundle/parse-bundle.js';
import { listOf } from '../policy/compile-match.js';
import { evaluate } from '../policy/evaluate.js';
import type { Action, Conditions, Policy, ReferenceDecision } from '../policy/model.js';
import { compareText, compilePolicySet, type PolicySet } from '../policy/policy-set.js';
import { rolesOfRequester } from '../policy/requester-roles.js';
import type { DriftFinding, RoleOutcome, RolesByOutcome } from '../schema/drift.js';

/** What decides beside the findings. */
export interface DriftPolicies {
  policies: readonly Policy[];
  datasource: BundleDatasource;
  /** Of `vkit.yaml`. */
  defaultAction: Action;
  /** Of `vkit.yaml`, from lowest to highest; null: the usual ones. */
  clearances: readonly string[] | null;
  /** Of `vkit.yaml`; null where it names none. */
  roles: readonly string[] | null;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Stands for every role that neither a policy nor `vkit.yaml` names. */
export const OTHER_ROLES = '*';

/** A first scan can find hundreds of thousands of fields, which nobody reads one by one. */
const FIELDS_MAX = 2_000;
const ROLES_MAX = 40;

/**
 * The findings about fields that are there, with what the policies would decide about each for somebody of each role of whom nothing
 * else is known. Of more than 2,000 fields the first ones.
 */
export function withRoleEffects(
  findings: readonly DriftFinding[],
  policies: DriftPolicies,
): DriftFinding[] {
  const decided = findings.filter(isOfField).slice(0, FIELDS_MAX);
  const set = driftPolicySet(decided, policies);
  const roles = rolesOf(policies);
  const decisions = new Map(roles.map((role) => [role, decide(set, decided, role, policies.at)]));
  const known = new Set<DriftFinding>(decided);
  return findings.map((finding) => {
    if (!known.has(finding)) return finding;
    const { dataset, field = '' } = finding;
    const outcomes = roles.map(
      (role) => [role, outcomeOf(decisions.get(role)?.get(dataset)?.get(field))] as const,
    );
    return { ...finding, roles: rolesByOutcome(outcomes) };
  });
}

/** A finding that says what a field is now. */
export type FieldFinding = DriftFinding & { field: string; type: string };

export function isOfField(finding: DriftFinding): finding is FieldFinding {
  return (
    finding.field !== undefined && finding.type !== undefined && !finding.kind.endsWith('_removed')
  );
}

/** The policies over the fields of these findings alone. */
export function driftPolicySet(
  findings: readonly FieldFinding[],
  { policies, datasource, defaultAction, clearances }: Omit<DriftPolicies, 'roles' | 'at'>,
): PolicySet {
  const datasets = new Map<string, BundleDataset & { fields: BundleDataset['fields'][number][] }>();
  const seen = new Set<string>();
  for (const finding of findings) {
    const { dataset: name, field, type, category, classification, tags } = finding;
    // Two things can have changed about one field; what it is now, each of the findings says.
    const place = JSON.stringify([name, field]);
    if (seen.has(place)) continue;
    seen.add(place);
    const dataset = datasets.get(name) ?? {
      name,
      datasource: datasource.name,
      table: tableOfKey(name, datasource.name),
      fields: [],
    };
    datasets.set(name, dataset);
    dataset.fields.push({
      name: field,
      type,
      sensitivity: finding.sensitivity ?? 'high',
      ...(category === undefined ? {} : { category }),
      ...(classification === undefined ? {} : { classification }),
      ...(tags === undefined ? {} : { tags }),
    });
  }
  const bundle = localBundle({
    policies,
    registry: { datasets: [...datasets.values()], datasources: [datasource] },
    defaultAction,
    ...(clearances === null ? {} : { clearances }),
  });
  return compilePolicySet(bundle);
}

/** Decides each field by itself, as if it alone were asked for. */
export function decideField(
  set: PolicySet,
  { dataset, field }: FieldFinding,
  role: string,
  at: number,
): ReferenceDecision | undefined {
  const roles = role === OTHER_ROLES ? [] : rolesOfRequester([role]);
  const requester = { roles, clearance: null, region: null, purposes: [] };
  return evaluate(set, { requester, references: [{ dataset, field }], at }).references[0];
}

type Decisions = Map<string, Map<string, ReferenceDecision | undefined>>;

function decide(
  set: PolicySet,
  findings: readonly FieldFinding[],
  role: string,
  at: number,
): Decisions {
  const decisions: Decisions = new Map();
  for (const finding of findings) {
    const ofDataset = decisions.get(finding.dataset) ?? new Map();
    decisions.set(finding.dataset, ofDataset);
    ofDataset.set(finding.field, decideField(set, finding, role, at));
  }
  return decisions;
}

const OUTCOMES: Readonly<Record<Action, RoleOutcome>> = {
  allow: 'allowed',
  mask: 'masked',
  require_approval: 'approval',
  deny: 'denied',
};

export function outcomeOf(decision: ReferenceDecision | undefined): RoleOutcome {
  if (decision === undefined) return 'uncovered';
  return decision.action === 'deny' && !decision.deniedByPolicy
    ? 'uncovered'
    : OUTCOMES[decision.action];
}

function rolesByOutcome(outcomes: readonly (readonly [string, RoleOutcome])[]): RolesByOutcome {
  const roles: Partial<Record<RoleOutcome, string[]>> = {};
  for (const [role, outcome] of outcomes) roles[outcome] = [...(roles[outcome] ?? []), role];
  return roles;
}

/** The roles that can make a difference, sorted, and the one that stands for all others. */
export function rolesOf({ policies, roles }: Pick<DriftPolicies, 'policies' | 'roles'>): string[] {
  const named = [...(roles ?? []), ...policies.flatMap(({ when }) => rolesIn(when))];
  return [...[...new Set(named)].sort(compareText).slice(0, ROLES_MAX), OTHER_ROLES];
}

function rolesIn({ requester_role: condition }: Conditions): string[] {
  if (condition === undefined) return [];
  const values =
    typeof condition === 'object' && !Array.isArray(condition)
      ? Object.values(condition).flatMap((value) => (value === undefined ? [] : listOf(value)))
      : listOf(condition);
  // A reference to another attribute is no role.
  return values.filter((value) => typeof value === 'string' && !value.startsWith('$'));
}
