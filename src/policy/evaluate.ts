import type { Mask } from '../masking/model.js';
import { BOUNDS_DEFAULT, type Bounds, smallerBounds } from './bounds.js';
import type { CompiledDataset, CompiledField } from './compiled-dataset.js';
import { createJudge, type Judge, type Judged } from './judge.js';
import { type Judgement, stricterAction, stricterOf } from './judgement.js';
import type { Action, Decision, EvaluationInput, Reference, ReferenceDecision } from './model.js';
import { nameOfReference } from './name-of-reference.js';
import { compareText, type PolicySet } from './policy-set.js';
import { approvalsOf, policiesApplied, reportingOf } from './reporting.js';
import { strictestMask } from './strictest-mask.js';
import { touchedBy } from './touched.js';
import { traceOf } from './trace.js';
import { type Verdicts, verdictsOf } from './verdicts.js';
import { viewsOf } from './views.js';

/**
 * Decides a request by policy.md, "Evaluation" and "Trusted context". A pure and total function: no clock, network or
 * file, and the same inputs give the same bytes, whatever the order of policies or references. A request that touches
 * nothing is denied. What is denied shows neither masks nor approvals.
 */
export function evaluate(set: PolicySet, input: EvaluationInput): Decision {
  const references = inOrder(input.references);
  const views = verdictsOfViews(set, input);
  const judged = judgeAll(set, views, references, references);
  const decision = decide(set, judged);
  return input.trace ? { ...decision, trace: traceOf(set, views, judged) } : decision;
}

/** The conditions in every view of the request. */
export function verdictsOfViews(set: PolicySet, input: EvaluationInput): readonly Verdicts[] {
  return viewsOf(input, set.clearances).map((view) =>
    verdictsOf(view, input.at, set.roleSetOf(view.held)),
  );
}

/** Judges each reference by the strictest of the views; `touching` is what the request touches as a whole. */
export function judgeAll(
  set: PolicySet,
  views: readonly Verdicts[],
  references: readonly Reference[],
  touching: readonly Reference[],
): readonly Judged[] {
  const touched = touchedBy(touching);
  const judges = views.map((verdicts) => createJudge(set, verdicts, touched));
  const judged: Judged[] = new Array(references.length);
  let name: string | undefined;
  let dataset: CompiledDataset | undefined;
  // From the last to the first: a dataset stands before its fields and may be decided by what was found of them.
  for (let index = references.length - 1; index >= 0; index -= 1) {
    const reference = references[index] as Reference;
    // The one beside it is of the same dataset more often than not.
    if (reference.dataset !== name) {
      name = reference.dataset;
      dataset = set.datasets.get(name);
    }
    const field = reference.field === null ? null : dataset?.field(reference.field);
    judged[index] = { reference, field, judgement: judgeByAll(judges, dataset, field) };
  }
  return judged;
}

function judgeByAll(
  judges: readonly Judge[],
  dataset: CompiledDataset | undefined,
  field: CompiledField | null | undefined,
): Judgement {
  const [first] = judges;
  if (first !== undefined && judges.length === 1) return first(dataset, field);
  return stricterOf(judges.map((judge) => judge(dataset, field)));
}

function decide(set: PolicySet, judged: readonly Judged[]): Decision {
  let action: Action = judged.length === 0 ? 'deny' : 'allow';
  let bounds: Bounds | null = null;
  for (const { judgement } of judged) {
    action = stricterAction(action, judgement.action);
    bounds = smallerBounds(bounds, judgement.bounds);
  }
  const { ttlSeconds, rowsMax, autoRevoke } = bounds ?? BOUNDS_DEFAULT;
  const reported = reportingOf(judged);
  const winner = reported.find(({ hold }) => hold.compiled.action === action)?.hold.compiled.policy;
  const references = judged.map(referenceDecision);
  const denied = action === 'deny';
  // The references come by their datasets.
  const isOneDataset = references[0]?.dataset === references.at(-1)?.dataset;
  return {
    action,
    policy_id: winner?.id ?? null,
    reason: winner?.reason ?? null,
    denial: denied ? (winner ? 'policy_denied' : 'unknown_field') : null,
    ttl_seconds: ttlSeconds,
    max_rows: rowsMax,
    auto_revoke: autoRevoke,
    approvals: denied ? [] : approvalsOf(reported),
    masks: denied ? {} : isOneDataset ? masksOfOne(judged) : masksOf(references),
    denied_fields: isOneDataset ? deniedOfOne(judged) : deniedFields(references),
    policies_applied: policiesApplied(reported, isOneDataset),
    bundle_checksum: set.checksum,
    references,
  };
}

/** As `masksOf`, where all are fields of one dataset in order: then so are the keys, and none comes twice. */
function masksOfOne(judged: readonly Judged[]): Readonly<Record<string, Mask>> {
  const masks: Record<string, Mask> = {};
  for (const { field, judgement } of judged) {
    // The dot in the full name keeps it apart from `__proto__`.
    if (field && judgement.mask !== undefined) masks[field.fullName] = judgement.mask;
  }
  return masks;
}

/** As `deniedFields`, where all are of one dataset in order. */
function deniedOfOne(judged: readonly Judged[]): readonly string[] {
  const denied: string[] = [];
  for (const { reference, field, judgement } of judged) {
    if (judgement.action === 'deny') denied.push(field?.fullName ?? nameOfReference(reference));
  }
  return denied;
}

/** `dataset.field` to its mask, sorted by key. */
export function masksOf(references: readonly ReferenceDecision[]): Readonly<Record<string, Mask>> {
  const masks = new Map<string, Mask>();
  for (const reference of references) {
    if (reference.mask === undefined) continue;
    const name = nameOfReference(reference);
    // Where names have dots two references can share a key: it has what hides both.
    const other = masks.get(name);
    const mask = other === undefined ? reference.mask : strictestMask([other, reference.mask]);
    masks.set(name, mask ?? reference.mask);
  }
  const entries = [...masks];
  return Object.fromEntries(entries.sort(([a], [b]) => compareText(a, b)));
}

export function deniedFields(references: readonly ReferenceDecision[]): readonly string[] {
  const denied = references.filter((reference) => reference.action === 'deny');
  return denied.map(nameOfReference).sort(compareText);
}

function referenceDecision({ reference, judgement }: Judged): ReferenceDecision {
  const { action, mask, lifts, unknown, deniedByPolicy, policyIds } = judgement;
  const { dataset, field } = reference;
  const liftsMask = action === 'require_approval' && lifts;
  return mask === undefined
    ? { dataset, field, action, liftsMask, unknown, deniedByPolicy, policyIds }
    : { dataset, field, action, mask, liftsMask, unknown, deniedByPolicy, policyIds };
}

/** Each reference once, by dataset, the dataset itself first, then by field. */
function inOrder(references: readonly Reference[]): readonly Reference[] {
  if (references.every((one, index) => compareReferences(references[index - 1], one) < 0)) {
    return references;
  }
  const sorted = [...references].sort(compareReferences);
  return sorted.filter((one, index) => compareReferences(sorted[index - 1], one) < 0);
}

function compareReferences(a: Reference | undefined, b: Reference): number {
  if (a === undefined) return -1;
  return compareText(a.dataset, b.dataset) || compareFields(a.field, b.field);
}

function compareFields(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return compareText(a, b);
}
