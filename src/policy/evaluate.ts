import type { Mask } from '../masking/model.js';
import { smallestBounds } from './bounds.js';
import {
  createJudge,
  type Judge,
  type Judged,
  type Judgement,
  stricterAction,
  stricterOf,
} from './judge.js';
import type { Action, Decision, EvaluationInput, Reference, ReferenceDecision } from './model.js';
import { compareText, type PolicySet } from './policy-set.js';
import { approvalsOf, nameOfReference, policiesApplied, reportingOf } from './reporting.js';
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
  return viewsOf(input, set.clearances).map((view) => verdictsOf(view, input.at));
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
  // From the last to the first: a dataset stands before its fields and may be decided by what was found of them.
  return references
    .toReversed()
    .map((reference) => ({ reference, judgement: judgeByAll(judges, reference) }))
    .reverse();
}

function judgeByAll(judges: readonly Judge[], reference: Reference): Judgement {
  const [first] = judges;
  if (first !== undefined && judges.length === 1) return first(reference);
  return stricterOf(judges.map((judge) => judge(reference)));
}

function decide(set: PolicySet, judged: readonly Judged[]): Decision {
  let action: Action = judged.length === 0 ? 'deny' : 'allow';
  for (const { judgement } of judged) action = stricterAction(action, judgement.action);
  const reported = reportingOf(judged);
  const winner = reported.find(({ hold }) => hold.compiled.policy.action === action)?.hold.compiled
    .policy;
  const bounds = smallestBounds(judged.map(({ judgement }) => judgement.bounds));
  const references = judged.map(referenceDecision);
  const denied = action === 'deny';
  return {
    action,
    policy_id: winner?.id ?? null,
    reason: winner?.reason ?? null,
    denial: denied ? (winner ? 'policy_denied' : 'unknown_field') : null,
    ttl_seconds: bounds.ttlSeconds,
    max_rows: bounds.rowsMax,
    auto_revoke: bounds.autoRevoke,
    approvals: denied ? [] : approvalsOf(reported),
    masks: denied ? {} : masksOf(references),
    denied_fields: deniedFields(references),
    policies_applied: policiesApplied(reported, judged),
    bundle_checksum: set.checksum,
    references,
  };
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
  const { action, mask, lifts, unknown, policyIds } = judgement;
  // Deny policies come first in the order of reporting.
  const deniedByPolicy = judgement.holds[0]?.compiled.policy.action === 'deny';
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
