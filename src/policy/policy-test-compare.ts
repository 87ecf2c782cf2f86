import { parseDuration } from '../util/duration.js';
import { foldName } from '../util/fold-name.js';
import { strictestAction } from './judgement.js';
import type { Action, Decision, RequiredApproval } from './model.js';
import { compareText } from './policy-set.js';
import type { ExpectedApproval, TestExpectation } from './policy-test-file.js';
import { type PreparedTest, withoutDataset } from './policy-test-input.js';

/** One thing that a case expects and a decision does not have. */
export interface TestDifference {
  key: keyof TestExpectation;
  expected: unknown;
  actual: unknown;
}

/** What a decision is compared by, in the words of a test. */
export interface ComparableDecision {
  action: Action;
  fields: Readonly<Record<string, Action>>;
  masks: Readonly<Record<string, string>>;
  policy_id: string | null;
  reason: string | null;
  denied_fields: readonly string[];
  approvals: readonly RequiredApproval[];
  missing_metadata: readonly string[];
  ttl: number;
  max_rows: number | null;
  auto_revoke: boolean;
}

/** A decision in the words of a test: fields without their dataset, masks by their method; with the metadata that is missing. */
export function comparableDecision(
  decision: Decision,
  { dataset }: Pick<PreparedTest, 'dataset'>,
  missingMetadata: readonly string[],
): ComparableDecision {
  const shortName = (name: string) => withoutDataset({ name: dataset }, name);
  return {
    action: decision.action,
    fields: Object.fromEntries(
      decision.references.flatMap(({ field, action }) => (field === null ? [] : [[field, action]])),
    ),
    masks: Object.fromEntries(
      Object.entries(decision.masks).map(([name, mask]) => [shortName(name), mask.method]),
    ),
    policy_id: decision.policy_id,
    reason: decision.reason,
    denied_fields: decision.denied_fields.map(shortName),
    approvals: decision.approvals,
    missing_metadata: missingMetadata,
    ttl: decision.ttl_seconds,
    max_rows: decision.max_rows,
    auto_revoke: decision.auto_revoke,
  };
}

/**
 * How a decision differs from what a case expects. What the case does not list it expects closed: without `action` a
 * denial, of a field that `fields` does not name a denial too, and of one that `masks` does not name that nobody masks it.
 * Everything else is compared where it is given.
 */
export function compareDecision(
  written: TestExpectation,
  actual: ComparableDecision,
  { dataset }: Pick<PreparedTest, 'dataset'>,
): readonly TestDifference[] {
  const expected = withoutPrefixes(written, (name) => withoutDataset({ name: dataset }, name));
  const differences: TestDifference[] = [];
  const compare = (key: keyof TestExpectation, wanted: unknown, is: unknown) => {
    if (canonical(wanted) !== canonical(is))
      differences.push({ key, expected: wanted, actual: is });
  };
  const fields = expected.fields === undefined ? null : expectedFields(expected.fields, actual);
  const action =
    expected.action ?? (fields === null ? 'deny' : strictestAction(Object.values(fields)));
  compare('action', action, actual.action);
  if (fields !== null) compare('fields', fields, actual.fields);
  if (expected.masks !== undefined || actual.action !== 'deny') {
    compare('masks', expectedMasks(expected.masks ?? {}, actual), actual.masks);
  }
  for (const key of ['policy_id', 'reason', 'max_rows', 'auto_revoke'] as const) {
    if (expected[key] !== undefined) compare(key, expected[key], actual[key]);
  }
  if (expected.ttl !== undefined) compare('ttl', secondsOf(expected.ttl), actual.ttl);
  for (const key of ['denied_fields', 'missing_metadata'] as const) {
    const wanted = expected[key];
    if (wanted !== undefined) compare(key, lowered(wanted), lowered(actual[key]));
  }
  if (expected.approvals !== undefined && !sameApprovals(expected.approvals, actual.approvals)) {
    const { approvals } = expected;
    differences.push({ key: 'approvals', expected: approvals, actual: actual.approvals });
  }
  return differences;
}

/** The expectation with the fields named as a comparable decision names them, without their dataset. */
function withoutPrefixes(
  { masks, fields, denied_fields: denied, ...others }: TestExpectation,
  shorten: (name: string) => string,
): TestExpectation {
  const keys = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [shorten(name), value]));
  return {
    ...others,
    ...(masks !== undefined && { masks: keys(masks) }),
    ...(fields !== undefined && { fields: keys(fields) }),
    ...(denied !== undefined && { denied_fields: denied.map(shorten) }),
  };
}

const ALIASES: Readonly<Record<string, string>> = { redact: 'full', truncate: 'partial' };

/** By the names that the registry has, with a denial for what is not listed. */
function expectedFields(
  listed: Readonly<Record<string, Action>>,
  actual: ComparableDecision,
): Record<string, Action> {
  const wanted = lowerKeys(listed);
  return Object.fromEntries(
    Object.keys(actual.fields).map((name) => [name, wanted.get(foldName(name)) ?? 'deny']),
  );
}

function expectedMasks(
  listed: Readonly<Record<string, string>>,
  actual: ComparableDecision,
): Record<string, string> {
  const wanted = lowerKeys(listed);
  return Object.fromEntries(
    Object.keys(actual.fields).flatMap((name): [string, string][] => {
      const method = wanted.get(foldName(name));
      return method === undefined ? [] : [[name, ALIASES[method] ?? method]];
    }),
  );
}

function lowerKeys<T>(record: Readonly<Record<string, T>>): Map<string, T> {
  return new Map(Object.entries(record).map(([name, value]) => [foldName(name), value]));
}

function lowered(names: readonly string[]): readonly string[] {
  return names.map((name) => foldName(name)).sort(compareText);
}

function secondsOf(ttl: string | number): number | string {
  try {
    return parseDuration(ttl);
  } catch {
    // A duration out of every range: no decision has it, and the difference shows it as it was written.
    return String(ttl);
  }
}

/** Each expected approval is one of the decision's, and none is left over; only the keys given are compared. */
function sameApprovals(
  expected: readonly (string | ExpectedApproval)[],
  actual: readonly RequiredApproval[],
): boolean {
  if (expected.length !== actual.length) return false;
  const wanted = expected.map((one) => (typeof one === 'string' ? { approver_role: one } : one));
  const left = new Set(actual);
  // What says more chooses first, so that a bare role does not take the place of a precise one.
  wanted.sort((a, b) => Object.keys(b).length - Object.keys(a).length);
  return wanted.every((one) => {
    const found = [...left].find((approval) => covers(one, approval));
    return found !== undefined && left.delete(found);
  });
}

function covers(wanted: ExpectedApproval, approval: RequiredApproval): boolean {
  return (
    wanted.approver_role === approval.approver_role &&
    (wanted.approvals ?? approval.approvals) === approval.approvals &&
    (wanted.policy_id ?? approval.policy_id) === approval.policy_id &&
    (wanted.lifts_mask ?? approval.lifts_mask) === approval.lifts_mask &&
    (wanted.metadata_required === undefined ||
      canonical([...wanted.metadata_required].sort(compareText)) ===
        canonical(approval.metadata_required))
  );
}

/** JSON with sorted keys: the order in which a file names fields says nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => compareText(a, b)))
      : one,
  );
}
