import type { Bundle } from '../../src/bundle/model.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type {
  Conditions,
  Decision,
  EvaluationInput,
  OperatorCondition,
  Policy,
  ReferenceDecision,
} from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';

/** The engine with one thing wrong. */
export type Fault = (bundle: Bundle, input: EvaluationInput) => Decision;

function decide(bundle: Bundle, input: EvaluationInput): Decision {
  return evaluate(compilePolicySet(bundle), input);
}

/** The engine on policies that are changed, or left out with `null`. */
function withPolicies(bundle: Bundle, change: (policy: Policy) => Policy | null): Bundle {
  const policies = bundle.policies.flatMap((policy) => change(policy) ?? []);
  return { ...bundle, policies };
}

/** The ids of policies that hold nowhere but because an attribute is unknown. */
function undecided(bundle: Bundle, input: EvaluationInput): ReadonlySet<string> {
  const { trace = [] } = decide(bundle, { ...input, trace: true });
  return new Set(trace.flatMap((one) => (one.matched === 'undecided' ? [one.policy_id] : [])));
}

/** The engine on other policies where some are undecided. */
function onUndecided(change: (policy: Policy) => Policy | null): Fault {
  return (bundle, input) => {
    const ids = undecided(bundle, input);
    return decide(
      withPolicies(bundle, (policy) => (ids.has(policy.id) ? change(policy) : policy)),
      input,
    );
  };
}

/** The engine's decision with its references changed. */
function onReferences(
  change: (reference: ReferenceDecision, bundle: Bundle) => ReferenceDecision,
): Fault {
  return (bundle, input) => {
    const decision = decide(bundle, input);
    return { ...decision, references: decision.references.map((one) => change(one, bundle)) };
  };
}

/** The policies of one action that a reference rests on. */
function policiesOf(bundle: Bundle, { policyIds }: ReferenceDecision, action: Policy['action']) {
  return bundle.policies.filter((one) => one.action === action && policyIds.includes(one.id));
}

function without(when: Conditions, attribute: string): Conditions {
  return Object.fromEntries(Object.entries(when).filter(([name]) => name !== attribute));
}

/** Zones without the summer time of others. */
const STANDARD_TIMES: Readonly<Record<string, string>> = {
  'Europe/Berlin': 'Etc/GMT-1',
  'America/New_York': 'Etc/GMT+5',
};

/** Deliberate faults, each of which the comparison with the reference must find. */
export const FAULTS = {
  'a deny is ignored where it is undecided': onUndecided((policy) =>
    policy.action === 'deny' ? null : policy,
  ),

  'a mask on a region is dropped where the region is unknown': (bundle, input) => {
    if (input.requester.region !== null) return decide(bundle, input);
    const isDropped = ({ action, when }: Policy) => action === 'mask' && 'requester_region' in when;
    return decide(
      withPolicies(bundle, (policy) => (isDropped(policy) ? null : policy)),
      input,
    );
  },

  'neq on roles holds if one of them differs': (bundle, input) =>
    decide(
      withPolicies(bundle, (policy) => {
        const neq = (policy.when.requester_role as OperatorCondition | undefined)?.neq;
        if (neq === undefined || String(neq).startsWith('$')) return policy;
        const isOther = input.requester.roles.some((role) => role !== neq);
        return isOther ? { ...policy, when: without(policy.when, 'requester_role') } : policy;
      }),
      input,
    ),

  'an allow rests on a purpose that is only said': (bundle, input) => {
    const { requester, purpose } = input;
    const purposes = [...requester.purposes, ...(purpose === undefined ? [] : [purpose])];
    return decide(bundle, { ...input, requester: { ...requester, purposes } });
  },

  'the lowest priority is reported': (bundle, input) =>
    decide(
      withPolicies(bundle, (policy) => ({ ...policy, priority: -policy.priority })),
      input,
    ),

  'of two partials the first is kept': onReferences((reference, bundle) => {
    if (reference.mask?.method !== 'full') return reference;
    const specs = policiesOf(bundle, reference, 'mask').map((one) => one.masking?.default_method);
    const isPartial = (spec: (typeof specs)[number]) =>
      typeof spec === 'object' ? spec.method === 'partial' : spec === 'partial';
    if (specs.length < 2 || !specs.every(isPartial)) return reference;
    return { ...reference, mask: { method: 'partial', prefix: 3, suffix: 0, minLength: 6 } };
  }),

  'an approval lifts the mask although another does not': onReferences((reference, bundle) => {
    const approvals = policiesOf(bundle, reference, 'require_approval');
    const oneLifts = approvals.some((policy) => policy.approval?.lifts_mask === true);
    const isMasked = reference.action === 'require_approval' && reference.mask !== undefined;
    return isMasked && approvals.length > 1 && oneLifts
      ? { ...reference, liftsMask: true }
      : reference;
  }),

  'the ttl of an undecided policy is ignored': onUndecided((policy) =>
    policy.ttl_seconds === undefined ? policy : { ...policy, ttl_seconds: 86_400 },
  ),

  'an undecided allow bounds nothing': onUndecided((policy) =>
    policy.action === 'allow' ? null : policy,
  ),

  'the largest number of rows holds': (bundle, input) => {
    const decision = decide(bundle, input);
    const ids = decision.policies_applied.map((one) => one.policy_id);
    const rows = bundle.policies.flatMap((one) =>
      ids.includes(one.id) ? (one.max_rows ?? []) : [],
    );
    return rows.length === 0 ? decision : { ...decision, max_rows: Math.max(...rows) };
  },

  'a dataset is open although all of its fields are denied': onReferences((reference) =>
    reference.field === null && reference.action === 'deny' && !reference.unknown
      ? { ...reference, action: 'allow' }
      : reference,
  ),

  'narrowing ignores the denials of roles that are held': (bundle, input) => {
    const roles = input.narrowing?.roles;
    if (roles === undefined) return decide(bundle, input);
    const { requester } = input;
    const named = requester.roles.filter((role) => roles.includes(role));
    return decide(bundle, { ...input, requester: { ...requester, roles: named } });
  },

  'narrowing replaces the clearance instead of adding a stricter view': (bundle, input) => {
    const clearance = input.narrowing?.clearance;
    if (clearance === undefined) return decide(bundle, input);
    return decide(bundle, { ...input, requester: { ...input.requester, clearance } });
  },

  'the person an agent acts for is forgotten': (bundle, { onBehalfOf: _person, ...input }) =>
    decide(bundle, input),

  'daylight saving is ignored': (bundle, input) =>
    decide(
      withPolicies(bundle, (policy) => {
        const time = policy.when.time as { timezone?: string } | undefined;
        const standard = STANDARD_TIMES[time?.timezone ?? 'UTC'];
        if (standard === undefined) return policy;
        const when = { ...policy.when, time: { ...time, timezone: standard } };
        return { ...policy, when };
      }),
      input,
    ),

  'the early hours of a window belong to their own day': (bundle, input) =>
    decide(
      withPolicies(bundle, (policy) => {
        const time = policy.when.time as { after?: string; before?: string } | undefined;
        if (time?.after === undefined || time.before === undefined) return policy;
        if (time.after < time.before) return policy;
        // As two policies, of which the second begins at midnight.
        const early = { ...time, after: '00:00' };
        const isEarly = new Date(input.at).getUTCHours() < Number(time.before.slice(0, 2));
        return isEarly ? { ...policy, when: { ...policy.when, time: early } } : policy;
      }),
      input,
    ),

  'an integer is no clearance': (bundle, input) => {
    const { requester } = input;
    const clearance = typeof requester.clearance === 'number' ? null : requester.clearance;
    return decide(bundle, { ...input, requester: { ...requester, clearance } });
  },

  'a dataset goes by its key alone': (bundle, input) => {
    const keys = bundle.registry.datasets.map(({ name }) => name.toLowerCase());
    return decide(
      withPolicies(bundle, (policy) => {
        const { dataset } = policy.match;
        const isName = typeof dataset === 'string' && !/[*?]/.test(dataset);
        return isName && !keys.includes(dataset.toLowerCase()) ? null : policy;
      }),
      input,
    );
  },

  'the category of a field is no tag': (bundle, input) =>
    decide(
      withPolicies(bundle, (policy) => {
        const { fields } = policy.match;
        if (fields?.contains === undefined) return policy;
        const contains = fields.contains.filter((tag) => tag.toLowerCase() !== 'pii');
        return { ...policy, match: { ...policy.match, fields: { ...fields, contains } } };
      }),
      input,
    ),

  'one of the fields of all is enough': (bundle, input) =>
    decide(
      withPolicies(bundle, (policy) => {
        const { all, ...fields } = policy.match.fields ?? {};
        if (all === undefined || fields.any !== undefined) return policy;
        return { ...policy, match: { ...policy.match, fields: { ...fields, any: all } } };
      }),
      input,
    ),

  'an undecided mask is a match, so that no default applies': onUndecided((policy) =>
    policy.action === 'mask' ? { ...policy, when: {} } : policy,
  ),

  'the fields of mask_except are masked too': (bundle, input) =>
    decide(
      withPolicies(bundle, (policy) => {
        const { except: _except, ...masking } = policy.masking ?? {};
        return policy.masking ? { ...policy, masking } : policy;
      }),
      input,
    ),

  'an approval says one person where it needs several': (bundle, input) => {
    const decision = decide(bundle, input);
    const approvals = decision.approvals.map((one) => ({ ...one, approvals: 1 }));
    return { ...decision, approvals };
  },

  'a default of approval allows': (bundle, input) => {
    const { default_action } = bundle.bundle;
    if (default_action !== 'require_approval') return decide(bundle, input);
    return decide({ ...bundle, bundle: { ...bundle.bundle, default_action: 'allow' } }, input);
  },
} as const satisfies Record<string, Fault>;
