import { formatDuration } from '../../util/duration.js';
import type {
  BundleChange,
  BundleComparison,
  ContentDifference,
  DecisionChange,
  MaskOutcome,
  Outcome,
  PurposeValue,
} from './model.js';

/** What of a change goes from what to what: `mask full → allow`, `ttl 15m → 1h`. */
export function wordsOfChange(change: DecisionChange): string {
  switch (change.kind) {
    case 'decision':
      return arrow('', outcome(change.from), outcome(change.to));
    case 'approvals':
      return arrow('approved by', needs(change.from), needs(change.to));
    case 'metadata':
      return arrow('metadata', list(change.from), list(change.to));
    case 'ttl':
      return arrow('ttl', formatDuration(change.from), formatDuration(change.to));
    case 'max_rows':
      return arrow('rows', rows(change.from), rows(change.to));
    case 'auto_revoke':
      return arrow('auto_revoke', yes(change.from), yes(change.to));
  }
}

/** What a change of the bundle is of: `dataset customers`. */
export function wordsOfSubject({ kind, name }: BundleChange): string {
  return name === null ? kind : `${kind} ${name}`;
}

/** What of it goes from what to what: `table.name users → people, table.oid 16402 → 17001`. */
export function wordsOfBundleChange({ from, to }: BundleChange): string {
  const parts = Object.keys(from);
  return parts.map((part) => arrow(part, plain(from[part]), plain(to[part]))).join(', ');
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whom and where a change is for: `roles analyst, (any other); clearance low; production`. */
export function wordsOfRequesters(change: DecisionChange): string {
  const { roles, clearances, requester_regions, purposes, times, together_with, moved } = change;
  const attributes = [
    roles && `${roles.length === 1 ? 'role' : 'roles'} ${roles.map(roleSet).join(', ')}`,
    clearances && `clearance ${clearances.map(known).join(', ')}`,
    requester_regions && `region ${requester_regions.map(known).join(', ')}`,
    purposes && `purpose ${purposeWords(purposes)}`,
    times && `at ${times.map(({ within }) => windows(within)).join('; or ')}`,
  ].filter((text) => text !== null);
  const together = together_with && `if ${together_with.join(' and ')} are touched together`;
  const environment = moved
    ? `${known(moved.from.environment)} → ${known(moved.to.environment)}`
    : change.environment;
  const parts = [...(attributes.length === 0 ? ['everybody'] : attributes), together, environment];
  return parts.filter((text) => text !== null).join('; ');
}

/** What of the content was added, removed and changed: `Policies changed` and their names, where there are any. */
export function wordsOfContent(
  comparison: BundleComparison,
): readonly [string, readonly string[]][] {
  const { fields, default_action: action, clearances } = comparison;
  const others = comparison.bundle_changes.filter(({ direction }) => direction === null);
  const names = (of: 'added' | 'removed' | 'changed') =>
    fields[of].map(({ dataset, field }) => `${dataset}.${field}`);
  const sections: [string, ContentDifference][] = [
    ['Policies', comparison.policies],
    ['Datasets', comparison.datasets],
    ['Fields', { added: names('added'), removed: names('removed'), changed: names('changed') }],
    ['Datasources', comparison.datasources],
    ['Packs', comparison.packs],
  ];
  const listed = sections.flatMap(([what, difference]) =>
    (['added', 'removed', 'changed'] as const).map((how): [string, readonly string[]] => [
      `${what} ${how}`,
      difference[how],
    ]),
  );
  const settings: [string, readonly string[]][] = [
    ['Default action', action ? [arrow('', action.from, action.to)] : []],
    ['Clearances', clearances ? [arrow('', levels(clearances.from), levels(clearances.to))] : []],
  ];
  const bundle: [string, readonly string[]] = ['Bundle', others.map(wordsOfBundleChange)];
  return [bundle, ...listed, ...settings].filter(([, texts]) => texts.length > 0);
}

function arrow(what: string, from: string, to: string): string {
  return `${what === '' ? '' : `${what} `}${from} → ${to}`;
}

function outcome({ action, mask }: Outcome): string {
  if (action === 'mask') return `mask ${maskWords(mask)}`;
  return mask === null ? action : `${action}, then mask ${maskWords(mask)}`;
}

function maskWords(mask: MaskOutcome | null): string {
  if (mask?.method !== 'partial') return mask?.method ?? '';
  const { prefix, suffix, min_length } = mask;
  const usual = min_length === 2 * (prefix + suffix) ? '' : `, of ${min_length} or more`;
  return `partial (first ${prefix}${suffix === 0 ? '' : `, last ${suffix}`}${usual})`;
}

function needs(approvals: readonly { approver_role: string; approvals: number }[]): string {
  return list(
    approvals.map(({ approver_role: role, approvals: count }) =>
      count === 1 ? role : `${count} of ${role}`,
    ),
  );
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function levels(clearances: readonly string[]): string {
  return clearances.length === 0 ? 'the usual' : clearances.join(' < ');
}

function rows(count: number | null): string {
  return count === null ? 'without limit' : String(count);
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}

function roleSet(roles: readonly string[]): string {
  return roles.length === 0 ? '(none)' : roles.join(' + ');
}

function known(value: string | null): string {
  return value ?? 'unknown';
}

/** A purpose that is assigned and one that is only said are told apart where they are not both meant. */
function purposeWords(purposes: readonly PurposeValue[]): string {
  const words = purposes.map((one) => {
    if (one === null) return 'none';
    const isBoth = purposes.some(
      (other) => other?.purpose === one.purpose && other.assigned !== one.assigned,
    );
    return isBoth ? one.purpose : `${one.purpose} (${one.assigned ? 'assigned' : 'only said'})`;
  });
  return [...new Set(words)].join(', ');
}

function windows(within: readonly string[]): string {
  return within.length === 0 ? 'any other time' : within.join(' and ');
}
