import type { Bundle, BundleField } from '../../src/bundle/model.js';
import type { EvaluationInput, Policy, Reference, Requester } from '../../src/policy/model.js';

/**
 * policy.md read a second time, as plainly as it can be: for the properties to compare with. It knows the forms that
 * `arbitraries.ts` makes, imports nothing but types, and says per reference what may be done.
 */
export interface NaiveAnswer {
  action: string;
  policyId: string | null;
  references: Record<string, { action: string; mask: string | null; approvals: string[] }>;
}

type Three = boolean | null;
const STRICT = ['deny', 'require_approval', 'mask', 'allow'];
const METHODS = ['nullify', 'full', 'tokenize', 'hash', 'partial'];
const LEVELS = ['low', 'medium', 'high', 'admin'];

interface Who {
  held: readonly string[];
  named: readonly string[];
  requester: Requester;
  clearance: number | null;
}

export function naiveEvaluate(bundle: Bundle, input: EvaluationInput): NaiveAnswer {
  const whos: Who[] = [whoOf(input.requester)];
  if (input.narrowing) {
    const { roles, clearance } = input.narrowing;
    const own = whoOf(input.requester);
    const named = clearance === undefined ? own.clearance : LEVELS.indexOf(String(clearance));
    whos.push({
      ...own,
      named: roles ? own.held.filter((role) => roles.includes(role)) : own.held,
      clearance: own.clearance === null || named === null ? null : Math.min(own.clearance, named),
    });
  }
  if (input.onBehalfOf) whos.push(whoOf(input.onBehalfOf));
  const references: NaiveAnswer['references'] = {};
  const bearing: Policy[] = [];
  for (const reference of input.references) {
    const each = whos.map((who) => decideOne(bundle, input, who, reference));
    const policies = each.flatMap((one) => one.policies);
    bearing.push(...policies);
    references[`${reference.dataset}/${reference.field ?? ''}`] = {
      action: strictest(each.map((one) => one.action)),
      mask: reference.field === null ? null : strictestMask(each.flatMap((one) => one.masks)),
      approvals: sorted(policies.filter((p) => p.action === 'require_approval').map((p) => p.id)),
    };
  }
  const actions = Object.values(references).map((one) => one.action);
  const action = actions.length === 0 ? 'deny' : strictest(actions);
  const winners = bearing.filter((policy) => policy.action === action);
  winners.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
  return { action, policyId: winners[0]?.id ?? null, references };
}

function whoOf(requester: Requester): Who {
  const level = LEVELS.indexOf(String(requester.clearance));
  const clearance = level < 0 ? null : level;
  return { held: requester.roles, named: requester.roles, requester, clearance };
}

interface One {
  action: string;
  policies: Policy[];
  masks: string[];
}

function decideOne(bundle: Bundle, input: EvaluationInput, who: Who, reference: Reference): One {
  const dataset = bundle.registry.datasets.find((one) => one.name === reference.dataset);
  const field = dataset?.fields.find((one) => one.name === reference.field);
  if (!dataset || (reference.field !== null && !field))
    return { action: 'deny', policies: [], masks: [] };
  const policies: Policy[] = [];
  const masks: string[] = [];
  let matched = false;
  for (const policy of bundle.policies) {
    if (!acts(policy, input, dataset.name, field)) continue;
    const holds = holdsFor(policy, bundle, input, who, dataset.datasource);
    if (holds === false || (holds === null && policy.action === 'allow')) continue;
    policies.push(policy);
    if (holds === true || policy.action === 'deny') matched = true;
    if (policy.action === 'mask' && field) masks.push(methodOf(policy, field.name));
  }
  if (matched) return { action: strictest(policies.map((p) => p.action)), policies, masks };
  if (field === undefined && dataset.fields.length > 0) {
    const fields = dataset.fields.map((one) =>
      decideOne(bundle, input, who, { dataset: dataset.name, field: one.name }),
    );
    const action = mostOpen(fields.map((one) => one.action));
    const touches = input.references.some(
      (one) =>
        one.dataset === dataset.name &&
        one.field !== null &&
        dataset.fields.some((f) => f.name === one.field),
    );
    const theirs = touches
      ? []
      : fields.flatMap((one) => one.policies).filter((p) => p.action === action);
    return { action, policies: [...policies, ...theirs], masks: [] };
  }
  const byDefault = bundle.bundle.default_action;
  if (byDefault === 'mask') masks.push('full');
  const fallback = byDefault === 'require_approval' ? 'deny' : byDefault;
  return { action: strictest([fallback, ...policies.map((p) => p.action)]), policies, masks };
}

function acts(
  policy: Policy,
  input: EvaluationInput,
  dataset: string,
  field: BundleField | undefined,
): boolean {
  const { match } = policy;
  if (match.dataset !== undefined && match.dataset !== dataset) return false;
  if (!field) return match.fields === undefined;
  if (policy.masking?.except?.includes(field.name)) return false;
  const wanted = match.fields ?? {};
  if (wanted.category !== undefined && wanted.category !== field.category) return false;
  if (wanted.any && !wanted.any.includes(field.name)) return false;
  if (wanted.all) {
    const touched = input.references
      .filter((one) => one.dataset === dataset)
      .map((one) => one.field);
    if (!wanted.all.includes(field.name)) return false;
    if (!wanted.all.every((name) => name === field.name || touched.includes(name))) return false;
  }
  return true;
}

function holdsFor(
  policy: Policy,
  bundle: Bundle,
  input: EvaluationInput,
  who: Who,
  datasource: string,
): Three {
  const source = bundle.registry.datasources.find((one) => one.name === datasource);
  const said = input.purpose ?? null;
  const assigned = said !== null && who.requester.purposes.includes(said);
  const opening = policy.action === 'allow';
  const withPurpose = (purpose: string | null) =>
    all(
      Object.entries(policy.when).map(([attribute, condition]) => {
        const facts: Record<string, readonly string[] | null> = {
          requester_role: opening ? who.named : who.held,
          requester_region: who.requester.region === null ? null : [who.requester.region],
          dataset_region: source?.region ? [source.region] : null,
          environment: source?.environment ? [source.environment] : null,
          purpose: purpose === null ? null : [purpose],
        };
        return one(condition as Record<string, unknown>, attribute, facts, who.clearance);
      }),
    );
  const asSaid = withPurpose(said);
  return opening && asSaid === true ? all([asSaid, withPurpose(assigned ? said : null)]) : asSaid;
}

function one(
  condition: Record<string, unknown>,
  attribute: string,
  facts: Record<string, readonly string[] | null>,
  clearance: number | null,
): Three {
  const left =
    attribute === 'requester_clearance'
      ? clearance === null
        ? null
        : [LEVELS[clearance] ?? '']
      : facts[attribute];
  const right = (value: unknown) =>
    String(value).startsWith('$') ? facts[String(value).slice(1)] : [String(value)];
  const equal = (value: unknown): Three => {
    const other = right(value);
    return left && other ? left.some((entry) => other.includes(entry)) : null;
  };
  const order = (value: unknown, holds: (a: number, b: number) => boolean): Three =>
    clearance === null ? null : holds(clearance, LEVELS.indexOf(String(value)));
  return all(
    Object.entries(condition).map(([operator, value]): Three => {
      if (operator === 'eq') return equal(value);
      if (operator === 'neq') return no(equal(value));
      if (operator === 'in') return any((value as unknown[]).map(equal));
      if (operator === 'nin') return no(any((value as unknown[]).map(equal)));
      if (operator === 'lte') return order(value, (a, b) => a <= b);
      if (operator === 'gte') return order(value, (a, b) => a >= b);
      if (operator === 'present')
        return value === (left !== null && left !== undefined && left.length > 0);
      throw new Error(`The naive evaluator does not know ${operator}.`);
    }),
  );
}

function methodOf(policy: Policy, field: string): string {
  const spec = policy.masking?.rules?.[field] ?? policy.masking?.default_method ?? 'full';
  if (typeof spec === 'string') return spec === 'partial' ? 'partial 3' : spec;
  return spec.method === 'partial' ? `partial ${spec.prefix ?? 3}` : spec.method;
}

function strictestMask(masks: string[]): string | null {
  const partials = new Set(masks.filter((mask) => mask.startsWith('partial')));
  const all = partials.size > 1 ? [...masks, 'full'] : masks;
  return (
    METHODS.flatMap((method) => all.filter((mask) => mask.split(' ')[0] === method))[0] ?? null
  );
}

const strictest = (actions: string[]) =>
  STRICT.find((action) => actions.includes(action)) ?? 'allow';
const mostOpen = (actions: string[]) =>
  STRICT.findLast((action) => actions.includes(action)) ?? 'deny';
const sorted = (names: string[]) => [...new Set(names)].sort();
const no = (value: Three): Three => (value === null ? null : !value);
const all = (values: Three[]): Three =>
  values.includes(false) ? false : values.includes(null) ? null : true;
const any = (values: Three[]): Three =>
  values.includes(true) ? true : values.includes(null) ? null : false;
