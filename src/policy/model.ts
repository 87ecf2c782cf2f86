import type { Mask, MaskMethod } from '../masking/model.js';

/** What a policy does, from strictest to most open. */
export const ACTIONS = ['deny', 'require_approval', 'mask', 'allow'] as const;
export type Action = (typeof ACTIONS)[number];

export type Scalar = string | number | boolean;

/** The operator form of a condition; keys given are ANDed. A string that starts with `$` names another attribute. */
export interface OperatorCondition {
  eq?: Scalar;
  neq?: Scalar;
  in?: readonly Scalar[];
  nin?: readonly Scalar[];
  lt?: Scalar;
  lte?: Scalar;
  gt?: Scalar;
  gte?: Scalar;
  present?: boolean;
}

/** A daily window; `after` later than `before` spans midnight. Times are `HH:MM` in `timezone` (IANA, default UTC). */
export interface TimeCondition {
  after?: string;
  before?: string;
  timezone?: string;
  days?: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
}

/** A scalar is equality, a list is any of. */
export type ConditionValue = Scalar | readonly Scalar[] | OperatorCondition;

/**
 * The context of a policy. Attributes: requester_role, requester_clearance, requester_region, dataset_region,
 * environment, purpose, and time.
 */
export type Conditions = { readonly [attribute: string]: ConditionValue | TimeCondition };

export interface FieldMatch {
  sensitivity?: string | readonly string[];
  category?: string | readonly string[];
  contains?: readonly string[];
  any?: readonly string[];
  all?: readonly string[];
}

export interface PolicyMatch {
  datasource?: string | readonly string[];
  dataset?: string | readonly string[];
  fields?: FieldMatch;
}

/** A mask as a policy writes it: a method alone, or with the options of `partial`. */
export type MaskSpec =
  | MaskMethod
  | { method: MaskMethod; prefix?: number; suffix?: number; min_length?: number };

/**
 * One policy in the form a bundle carries (bundle.md): the YAML of policy.md with its short forms resolved
 * (`context`, `when` and `match.context` merged into `when`, the action as one word, durations in seconds, mask aliases
 * replaced).
 */
export interface Policy {
  id: string;
  description?: string;
  match: PolicyMatch;
  when: Conditions;
  action: Action;
  reason?: string;
  masking?: {
    default_method?: MaskSpec;
    rules?: Readonly<Record<string, MaskSpec>>;
    except?: readonly string[];
  };
  approval?: {
    approver_role: string;
    /** How many different people of that role; default 1. */
    approvals?: number;
    metadata_required?: readonly string[];
    lifts_mask?: boolean;
  };
  ttl_seconds?: number;
  max_rows?: number;
  auto_revoke?: boolean;
  priority: number;
}

/** What of a policy names something in the project: all that is left of one that has problems. */
export type PolicyDraft = Pick<Policy, 'match' | 'when' | 'masking' | 'approval'> & { id?: string };

/** Who asks, as the server authenticated them. `null` is an attribute the account does not have: unknown. */
export interface Requester {
  /** Agents always hold `agent` and `ai_agent` beside their own roles; the caller has added them. */
  roles: readonly string[];
  clearance: string | number | null;
  region: string | null;
  /** Purposes assigned to the identity: the only ones an allow may rest on. */
  purposes: readonly string[];
}

/** Attributes a request names to narrow itself; each was checked to be held by the requester or the datasource. */
export interface Narrowing {
  roles?: readonly string[];
  clearance?: string | number;
}

/** A (dataset, field) pair the query touches; `field: null` is the dataset itself. Names are registry keys. */
export interface Reference {
  dataset: string;
  field: string | null;
}

export interface EvaluationInput {
  requester: Requester;
  /** The person an agent acts for; the stricter of both decisions holds. */
  onBehalfOf?: Requester;
  narrowing?: Narrowing;
  /** What the requester says they want it for; a restriction may rest on it, an allow only if it is assigned. */
  purpose?: string;
  references: readonly Reference[];
  /** The moment of the decision, milliseconds since the epoch. */
  at: number;
  trace?: boolean;
}

export interface RequiredApproval {
  policy_id: string;
  approver_role: string;
  approvals: number;
  metadata_required: readonly string[];
  lifts_mask: boolean;
}

/** What the policies say of one reference. */
export interface ReferenceDecision extends Reference {
  action: Action;
  /** The mask that applies, also where an approval is needed first (absent when nothing masks it). */
  mask?: Mask;
  /** True where every matching approval policy lifts the mask once approved. */
  liftsMask: boolean;
  /** True where the reference is not in the registry. */
  unknown: boolean;
  /** True where a deny policy denies it: what is denied by the default alone is not told apart from what is unknown. */
  deniedByPolicy: boolean;
  /** Policies that matched or hold because undecided, in the order of their reporting. */
  policyIds: readonly string[];
}

export interface PolicyApplied {
  policy_id: string;
  action: Action;
  fields_affected: readonly string[];
  mask_type?: MaskMethod;
}

export interface TraceEntry {
  policy_id: string;
  action: Action;
  /** `no` names the first part that failed. */
  matched: 'yes' | 'undecided' | 'no';
  because: string;
}

/** The answer of the policies to one request: a pure function of bundle, request and time. */
export interface Decision {
  action: Action;
  /** Absent (null) where no policy matched and the default applied. */
  policy_id: string | null;
  reason: string | null;
  /** For a denial: by a policy, or because a reference is unknown or denied by the default alone. */
  denial: 'policy_denied' | 'unknown_field' | null;
  ttl_seconds: number;
  max_rows: number | null;
  auto_revoke: boolean;
  approvals: readonly RequiredApproval[];
  /** `dataset.field` to the mask that applies before any approval, sorted by key. */
  masks: Readonly<Record<string, Mask>>;
  /** `dataset.field` of what is denied, sorted; the dataset's name alone for a dataset reference. */
  denied_fields: readonly string[];
  policies_applied: readonly PolicyApplied[];
  bundle_checksum: string;
  references: readonly ReferenceDecision[];
  trace?: readonly TraceEntry[];
}
