import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Action, Policy } from '../../src/policy/model.js';
import { packageRoot } from '../../src/util/package-root.js';
import { levelOf, type Workload, type WorkloadRequest } from './workload.js';

/** Decides one field of a request; what no policy matches is denied. */
export type Decide = (request: WorkloadRequest, field: WorkloadRequest['fields'][number]) => Action;

/** The mildest first: of CASL's rules the last one that matches counts. */
const MILDEST_FIRST: readonly Action[] = ['allow', 'mask', 'require_approval', 'deny'];

const load = createRequire(join(packageRoot(), 'bench', 'peers', 'package.json'));

/** What this file uses of @casl/ability; the package is not there when the types are checked. */
interface Casl {
  createMongoAbility(rules: readonly object[]): {
    relevantRuleFor(action: string, subject: object): { reason?: string } | null;
  };
  subject(type: string, value: object): object;
}

/**
 * CASL with every policy as a rule of one ability. Names of datasets are globs and lists, which no subject type can be, so
 * that they are conditions; `typed` gives it the subject type where a policy names a single dataset, the best it can have.
 */
export function caslOf({ bundle }: Workload, { typed }: { typed: boolean }): Decide {
  const { createMongoAbility, subject } = load('@casl/ability') as Casl;
  const rules = [...bundle.policies]
    .sort((a, b) => MILDEST_FIRST.indexOf(a.action) - MILDEST_FIRST.indexOf(b.action))
    .map((policy) => caslRule(policy, typed));
  const ability = createMongoAbility(rules);
  return (request, { name, tag }) => {
    const { dataset, environment, roles, clearance } = request;
    const described = { dataset, environment, roles, level: levelOf(clearance), name, tag };
    const rule = ability.relevantRuleFor('read', subject(typed ? dataset : 'Field', described));
    return (rule?.reason as Action | undefined) ?? 'deny';
  };
}

function caslRule({ match, when, action }: Policy, typed: boolean): object {
  const { dataset, fields = {} } = match as {
    dataset?: string;
    fields?: Policy['match']['fields'];
  };
  const isGlob = dataset?.includes('*') === true;
  const isTyped = typed && dataset !== undefined && !isGlob;
  const like = new RegExp(`^${dataset?.replace('*', '.*')}$`, 'i');
  return {
    action: 'read',
    subject: isTyped ? dataset : typed ? 'all' : 'Field',
    reason: action,
    conditions: {
      roles: { $in: [when.requester_role].flat() },
      ...(dataset !== undefined && !isTyped && { dataset: isGlob ? { $regex: like } : dataset }),
      ...(fields.contains && { tag: { $in: fields.contains } }),
      ...(fields.any && { name: { $in: fields.any } }),
      ...(when.environment !== undefined && { environment: when.environment }),
      ...(when.requester_clearance !== undefined && { level: { $lte: 1 } }),
    },
  };
}

/** What this file uses of @cedar-policy/cedar-wasm. */
interface Cedar {
  preparsePolicySet(
    id: string,
    policies: { staticPolicies: Record<string, string> },
  ): { type: string };
  statefulIsAuthorized(call: object): {
    type: string;
    response?: { diagnostics: { reason: readonly string[] } };
  };
}

/**
 * Cedar with every policy as a `permit`, parsed beforehand. It permits or forbids and no more; which policies matched is in
 * the diagnostics of its answer, and the strictest of them counts.
 */
export function cedarOf({ bundle }: Workload): Decide {
  const cedar = load('@cedar-policy/cedar-wasm/nodejs') as Cedar;
  const actions = new Map(bundle.policies.map(({ id, action }) => [id, action]));
  const staticPolicies = Object.fromEntries(
    bundle.policies.map((policy) => [policy.id, cedarPolicy(policy)]),
  );
  const id = `policies-${bundle.policies.length}`;
  const parsed = cedar.preparsePolicySet(id, { staticPolicies });
  if (parsed.type !== 'success') throw new Error(`Cedar: ${JSON.stringify(parsed).slice(0, 500)}`);
  return ({ dataset, environment, roles, clearance }, { name, tag }) => {
    const resource = { type: 'Field', id: 'f' };
    const principal = { type: 'User', id: 'u' };
    const answer = cedar.statefulIsAuthorized({
      principal,
      action: { type: 'Action', id: 'read' },
      resource,
      context: {},
      preparsedPolicySetId: id,
      validateRequest: false,
      entities: [
        { uid: principal, parents: [], attrs: { roles, level: levelOf(clearance) } },
        { uid: resource, parents: [], attrs: { dataset, environment, name, tag } },
      ],
    });
    if (answer.response === undefined)
      throw new Error(`Cedar: ${JSON.stringify(answer).slice(0, 500)}`);
    const matched = new Set(answer.response.diagnostics.reason.map((one) => actions.get(one)));
    return MILDEST_FIRST.findLast((action) => matched.has(action)) ?? 'deny';
  };
}

function cedarPolicy({ match, when }: Policy): string {
  const { dataset, fields = {} } = match as {
    dataset?: string;
    fields?: Policy['match']['fields'];
  };
  const set = (values: readonly unknown[]) => JSON.stringify(values);
  const conditions = [
    `principal.roles.containsAny(${set([when.requester_role].flat())})`,
    dataset === undefined
      ? ''
      : dataset.includes('*')
        ? `resource.dataset like ${JSON.stringify(dataset)}`
        : `resource.dataset == ${JSON.stringify(dataset)}`,
    fields.contains ? `${set(fields.contains)}.contains(resource.tag)` : '',
    fields.any ? `${set(fields.any)}.contains(resource.name)` : '',
    when.environment === undefined
      ? ''
      : `resource.environment == ${JSON.stringify(when.environment)}`,
    when.requester_clearance === undefined ? '' : 'principal.level <= 1',
  ];
  return `permit(principal, action, resource) when { ${conditions.filter((one) => one !== '').join(' && ')} };`;
}
