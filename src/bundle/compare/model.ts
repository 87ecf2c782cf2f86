import type { Mask } from '../../masking/model.js';
import type { Action } from '../../policy/model.js';

/** Both of something, or of one the absence. */
export interface Pair<T> {
  a: T;
  b: T;
}

/** `changed` is both: something opens that was closed, and something closes that was open. */
export const DIRECTIONS = ['widening', 'changed', 'narrowing'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** What is decided of a cell: the action, and the mask that stays, after an approval too (`null`: raw). */
export interface Outcome {
  action: Action;
  mask: MaskOutcome | null;
}

/** A mask with its options resolved, as it travels. */
export type MaskOutcome =
  | { method: Exclude<Mask['method'], 'partial'> }
  | { method: 'partial'; prefix: number; suffix: number; min_length: number };

/** How many different people of a role must approve. */
export interface ApprovalNeed {
  approver_role: string;
  approvals: number;
}

/** One difference between two decisions. `ttl` is in seconds; `max_rows` null is no bound. */
export type CellDifference =
  | { kind: 'decision'; from: Outcome; to: Outcome }
  | { kind: 'approvals'; from: readonly ApprovalNeed[]; to: readonly ApprovalNeed[] }
  | { kind: 'metadata'; from: readonly string[]; to: readonly string[] }
  | { kind: 'ttl'; from: number; to: number }
  | { kind: 'max_rows'; from: number | null; to: number | null }
  | { kind: 'auto_revoke'; from: boolean; to: boolean };

/** In the order in which they are listed. */
export const KINDS = [
  'decision',
  'approvals',
  'metadata',
  'ttl',
  'max_rows',
  'auto_revoke',
] as const satisfies readonly CellDifference['kind'][];

export type CellChange = CellDifference & { direction: Direction };

/** A purpose that is the identity's own, or only said; `null` is none. */
export type PurposeValue = { purpose: string; assigned: boolean } | null;

/** A moment that stands for all with the same windows open. */
export interface MomentValue {
  /** RFC 3339. */
  at: string;
  /** The windows that are open then, as a person reads them. */
  within: readonly string[];
}

/**
 * Whom a change is for. `null` is everybody: all values behave alike, or no policy looks at the attribute. In a list the
 * value `(any other)` is one that no policy on this field names, and `null` one that is not known.
 */
export interface Requesters {
  /** Each entry is what one requester holds: one role, or several where fewer of them do not make the difference. */
  roles: readonly (readonly string[])[] | null;
  clearances: readonly (string | null)[] | null;
  requester_regions: readonly (string | null)[] | null;
  purposes: readonly PurposeValue[] | null;
  times: readonly MomentValue[] | null;
}

/** Where a dataset lies; `null` where it is in neither bundle or its datasource does not say. */
export interface Whereabouts {
  datasource: string;
  environment: string | null;
  dataset_region: string | null;
}

/** What changes for requesters in the same way, wherever on a field it does. */
export type RequesterChange = CellChange &
  Requesters & {
    /** The names that `fields.all` of a policy lists, where it is so only if a query touches them all. */
    together_with: readonly string[] | null;
    /** The policies that decide it, before and after; none where the default does. */
    policies: { from: readonly string[]; to: readonly string[] };
  };

/** A change of one reference: a field, or with `null` the dataset itself (`count(*)`). */
export type DecisionChange = RequesterChange & {
  dataset: string;
  field: string | null;
  /** Of the dataset in the second bundle, or in the first where it is gone. */
  environment: string | null;
  dataset_region: string | null;
  /** Where the dataset lies elsewhere than before. */
  moved: { from: Whereabouts; to: Whereabouts } | null;
};

/**
 * A change of what decisions are about, and not of decisions: what a dataset or a datasource stands for, and of the bundle
 * itself whose it is (`org_slug`), how long it holds (`expires_at`), and that it is older (`sequence`).
 */
export interface BundleChange {
  kind: 'bundle' | 'dataset' | 'datasource';
  /** Of the dataset or the datasource. */
  name: string | null;
  /** `null` where it gives nobody more or less: a server takes no other organisation's bundle, and no older one. */
  direction: Direction | null;
  /** What differs, by its path (`table.name`, `config.host`); `null` is what is not there. */
  from: Readonly<Record<string, unknown>>;
  to: Readonly<Record<string, unknown>>;
}

/** Names by what happened to their content. */
export interface ContentDifference {
  added: readonly string[];
  removed: readonly string[];
  changed: readonly string[];
}

export interface FieldName {
  dataset: string;
  field: string;
}

/** How decisions differ between two bundles. */
export interface BundleComparison {
  /** Changes of decisions, and those of `bundle_changes` that have a direction. */
  summary: Readonly<Record<Direction, number>> & {
    /** Fields and datasets of either bundle. */
    references: number;
    /** Cells that were decided by both bundles; the others are equal, since nothing about them differs. */
    cells_compared: number;
    /** References that were left out, or compared with fewer roles at once than can matter; `warnings` says which. */
    not_compared: number;
  };
  /** Widening first, then changed, then narrowing; in each by dataset and field. */
  changes: readonly DecisionChange[];
  /** Of the bundle, then of datasets, then of datasources, by name. */
  bundle_changes: readonly BundleChange[];
  /** By content, descriptions and reasons included. */
  policies: ContentDifference;
  datasets: ContentDifference;
  /** Of datasets that both bundles have. */
  fields: {
    added: readonly FieldName[];
    removed: readonly FieldName[];
    changed: readonly FieldName[];
  };
  datasources: ContentDifference;
  packs: ContentDifference;
  default_action: { from: string; to: string } | null;
  clearances: { from: readonly string[]; to: readonly string[] } | null;
  /** Whether something is missing; `warnings` says what. */
  truncated: boolean;
  warnings: readonly string[];
}
