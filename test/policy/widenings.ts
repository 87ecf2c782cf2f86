import { isDeepStrictEqual } from 'node:util';
import { MASK_METHODS, type Mask } from '../../src/masking/model.js';
import { effectiveMasks } from '../../src/policy/combine-decisions.js';
import { ACTIONS, type Decision, type ReferenceDecision } from '../../src/policy/model.js';

/** What `after` opens that `before` did not, in words; empty where it is as strict. */
export function widenings(before: Decision, after: Decision): readonly string[] {
  return [...widerReferences(before, after), ...widerBounds(before, after)];
}

/** What of the chosen references became wider. */
export function widerReferences(
  before: Decision,
  after: Decision,
  chosen: (one: ReferenceDecision) => boolean = () => true,
): readonly string[] {
  const approved = [approvedMasks(before), approvedMasks(after)] as const;
  return before.references.filter(chosen).flatMap((old) => {
    const name = `${old.dataset}.${old.field}`;
    const now = after.references.find(
      (one) => one.dataset === old.dataset && one.field === old.field,
    );
    if (now === undefined) return [`${name} is gone`];
    if (openness(now) > openness(old)) return [`${name}: ${old.action} became ${now.action}`];
    if (now.action === 'deny') return [];
    if (isMilder(now.mask, old.mask)) return [`${name}: the mask became milder`];
    const key = `${old.dataset}\0${old.field}`;
    const isMilderOnceApproved = isMilder(approved[1].get(key), approved[0].get(key));
    return isMilderOnceApproved ? [`${name}: the mask after the approval became milder`] : [];
  });
}

/** What of the bounds and approvals of the whole request became wider. */
export function widerBounds(before: Decision, after: Decision): readonly string[] {
  if (after.action === 'deny') return [];
  const asked = new Set(after.approvals.map((approval) => approval.policy_id));
  return [
    ...(after.ttl_seconds > before.ttl_seconds ? ['the ttl grew'] : []),
    ...((after.max_rows ?? Infinity) > (before.max_rows ?? Infinity) ? ['the rows grew'] : []),
    ...(before.auto_revoke && !after.auto_revoke ? ['it is no longer revoked'] : []),
    ...(before.approvals.some((one) => !asked.has(one.policy_id)) ? ['an approval is gone'] : []),
  ];
}

/** Masks are compared by themselves, so that masked is not stricter than raw here. */
function openness({ action }: ReferenceDecision): number {
  return ACTIONS.indexOf(action === 'allow' ? 'mask' : action);
}

function approvedMasks(decision: Decision): ReadonlyMap<string, Mask | null> {
  return effectiveMasks(decision, { approved: true });
}

/** Another `partial` is milder too: what it shows the first may have hidden. */
function isMilder(now: Mask | null | undefined, before: Mask | null | undefined): boolean {
  if (before === undefined || before === null) return false;
  if (now === undefined || now === null) return true;
  if (now.method === 'partial') return !isDeepStrictEqual(now, before);
  return MASK_METHODS.indexOf(now.method) > MASK_METHODS.indexOf(before.method);
}
