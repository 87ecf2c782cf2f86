import type { RegistryField, Sensitivity } from './model.js';

/**
 * What can differ between the baseline and the database. `*_returned`: was marked `gone` and is there again; `moved`: the
 * order of the columns changed; `redefined`: a view's definition, or what kind of table it is; `keys_changed`: primary,
 * unique or foreign keys; `row_security_changed`: row-level security was switched off, or holds for others.
 */
export const DRIFT_KINDS = [
  'dataset_added',
  'dataset_removed',
  'dataset_returned',
  'renamed',
  'redefined',
  'keys_changed',
  'row_security_changed',
  'field_added',
  'field_removed',
  'field_returned',
  'type_changed',
  'nullability_changed',
  'comment_changed',
  'moved',
] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

/** One difference. Without `field` it is about the dataset itself. Names are the database's own: escape them. */
export interface DriftFinding {
  kind: DriftKind;
  datasource: string;
  /** The dataset's registry key. */
  dataset: string;
  field?: string;
  /** What the baseline says and what the database has: names, types, positions, or words. */
  from?: string;
  to?: string;
  /** What the proposed registry says of the field. */
  type?: string;
  classification?: string;
  category?: string;
  sensitivity?: Sensitivity;
  tags?: readonly string[];
  /** Why the field was classified so, for `--explain`. */
  because?: string;
  /** What the current policies would do with it: `masked by mask_pii`; `uncovered` where none says anything. */
  effect?: string;
  /** What they would decide for whom; absent of what is gone, and beyond a bound. */
  roles?: RolesByOutcome;
}

/** `uncovered`: nothing but the default denies it. */
export const ROLE_OUTCOMES = ['allowed', 'masked', 'approval', 'denied', 'uncovered'] as const;
export type RoleOutcome = (typeof ROLE_OUTCOMES)[number];

/** Roles by what somebody of each would get, of whom nothing else is known; `*` is every role that nobody names. */
export type RolesByOutcome = Readonly<Partial<Record<RoleOutcome, readonly string[]>>>;

/** A policy that would cover what nothing covers, and its test, as files of a project. */
export interface SuggestedPolicy {
  id: string;
  policy: { file: string; text: string };
  test: { file: string; text: string };
}

/** How many differences of which sort; `changed` is everything that is neither new nor gone. */
export interface DriftSummary {
  new_datasets: number;
  new_fields: number;
  changed: number;
  removed: number;
}

export function summarizeDrift(findings: readonly DriftFinding[]): DriftSummary {
  const summary = { new_datasets: 0, new_fields: 0, changed: 0, removed: 0 };
  for (const { kind } of findings) {
    if (kind === 'dataset_added' || kind === 'dataset_returned') summary.new_datasets += 1;
    else if (kind === 'field_added' || kind === 'field_returned') summary.new_fields += 1;
    else if (kind === 'dataset_removed' || kind === 'field_removed') summary.removed += 1;
    else summary.changed += 1;
  }
  return summary;
}

/** What the current policies say of something in the registry; the scan asks, somebody else knows. */
export interface PolicyView {
  /** What they would do with a field as the proposed registry has it, or `null` where no policy speaks of it. */
  effectOn(dataset: string, datasource: string, field: string, tags: RegistryField): string | null;
  /** The policies that name what is gone, or `null`. Without `field` the dataset itself is gone. */
  namedBy(dataset: string, datasource: string, field?: string): string | null;
}

/** The findings with what the policies do about each; `uncovered` where they say nothing of a field that is there. */
export function withPolicyEffects(
  findings: readonly DriftFinding[],
  policies: PolicyView,
): DriftFinding[] {
  return findings.map((finding) => {
    const { dataset, datasource, field, kind } = finding;
    if (kind === 'dataset_removed' || kind === 'field_removed') {
      const named = policies.namedBy(dataset, datasource, field);
      return named === null ? finding : { ...finding, effect: named };
    }
    if (field === undefined || finding.type === undefined) return finding;
    const { type, sensitivity = 'high', category = 'internal', classification, tags } = finding;
    const effect = policies.effectOn(dataset, datasource, field, {
      type,
      sensitivity,
      category,
      ...(classification === undefined ? {} : { classification }),
      tags: tags ?? [],
    });
    const said = effect ?? 'uncovered';
    return finding.effect === said ? finding : { ...finding, effect: said };
  });
}
