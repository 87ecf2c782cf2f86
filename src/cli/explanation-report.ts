import type { Explanation } from '../client/wire.js';
import { formatDuration } from '../util/duration.js';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';
import { formatTime, renderFacts } from './facts.js';
import { becauseOf, besideOrBelow, traceLines } from './trace-lines.js';

const NEAR_MISSES_MAX = 10;
/** More than somebody reads; `--json` has all. */
const FIELDS_MAX = 40;

/** 0 allowed or masked, 3 denied, 4 an approval is needed. */
export function exitCodeOfExplanation({ decision: { action } }: Explanation): 0 | 3 | 4 {
  if (action === 'deny') return 3;
  return action === 'require_approval' ? 4 : 0;
}

/** A decision for people: what, by which policy, why; then every field, the near misses, and every policy. */
export function renderExplanation(explanation: Explanation): string {
  const { decision, requester, trace, at } = explanation;
  const { bold } = coloursFor(process.stdout);
  const isDenied = decision.action === 'deny';
  const facts = renderFacts([
    ['policy', decision.policy_id ?? noPolicy(explanation)],
    ['reason', decision.reason],
    ['not in the registry', unknownText(explanation)],
    ['approvals', decision.approvals.map(approvalText).join('; ')],
    ['grant lasts', isDenied ? null : formatDuration(decision.ttl_seconds)],
    ['rows at most', isDenied ? null : decision.max_rows],
    ['account', accountText(requester)],
    ['requester', requesterText(requester)],
    ['at', formatTime(at)],
  ]);
  const lines = [headingOf(explanation), facts, '', bold('Fields'), ...fieldLines(explanation)];
  const near = nearMisses(explanation);
  if (near.length > 0) {
    lines.push('', bold('Near misses: one thing failed'));
    for (const entry of near.slice(0, NEAR_MISSES_MAX)) {
      const head = escapeTerminal(`  ${entry.policy_id} (${entry.action}) `);
      lines.push(...besideOrBelow(head, head.length, escapeTerminal(becauseOf(entry))));
    }
    if (near.length > NEAR_MISSES_MAX) lines.push(`  … and ${near.length - NEAR_MISSES_MAX} more`);
  }
  if (isAboutPolicies(explanation)) {
    const affected = new Map(
      decision.policies_applied.map(({ policy_id, fields_affected }) => [
        policy_id,
        fields_affected,
      ]),
    );
    lines.push('', bold('Policies'), ...traceLines(trace, affected));
  }
  return lines.join('\n');
}

/** What is decided of every field that the query touches, and of the dataset itself, by which policies. */
function fieldLines({ decision: { references } }: Explanation): string[] {
  const isJoin = new Set(references.map(({ dataset }) => dataset)).size > 1;
  const shown = references.slice(0, FIELDS_MAX).map((one) => {
    const name = one.field === null ? `${one.dataset} (its rows)` : one.field;
    return {
      name: isJoin && one.field !== null ? `${one.dataset}.${name}` : name,
      outcome: outcomeOf(one),
      by: policiesOf(one),
    };
  });
  const width = Math.max(0, ...shown.map(({ name }) => name.length));
  const outcomeWidth = Math.max(0, ...shown.map(({ outcome }) => outcome.length));
  const lines = shown.flatMap(({ name, outcome, by }) => {
    const head = escapeTerminal(`  ${name.padEnd(width)}  ${outcome.padEnd(outcomeWidth)} `);
    return by === '' ? [head.trimEnd()] : besideOrBelow(head, head.length, escapeTerminal(by));
  });
  const more = references.length - shown.length;
  return more === 0 ? lines : [...lines, `  … and ${more} more; --json has all of them`];
}

type DecidedReference = Explanation['decision']['references'][number];

function policiesOf({ policyIds, field, unknown }: DecidedReference): string {
  if (policyIds.length > 0) return policyIds.join(', ');
  return field === null || unknown ? '' : 'no policy: the default action';
}

function outcomeOf({ action, mask, unknown }: DecidedReference): string {
  if (unknown) return 'not in the registry';
  if (action === 'mask') return `mask ${mask?.method ?? ''}`;
  const isOpen = action === 'allow' || action === 'require_approval';
  return isOpen && mask ? `${action}, then mask ${mask.method}` : action;
}

/** Where nothing of the query is in the registry, no policy has a reason of its own. */
function isAboutPolicies({ trace, decision: { references } }: Explanation): boolean {
  return trace.length > 0 && references.some(({ unknown }) => !unknown);
}

function unknownText({ unknown, suggestions = {} }: Explanation): string {
  return unknown
    .map((name) => {
      const near = Object.hasOwn(suggestions, name) ? suggestions[name] : undefined;
      return near === undefined ? name : `${name} (did you mean ${near}?)`;
    })
    .join(', ');
}

/** First where a condition failed, which another requester would fulfil, then where it is about something else. */
function nearMisses({ trace }: Explanation): Explanation['trace'] {
  const isElsewhere = ({ failed }: Explanation['trace'][number]) =>
    Number(/^match\.|^mask_except$/.test(failed[0]?.part ?? ''));
  return trace.filter((entry) => entry.near_miss).sort((a, b) => isElsewhere(a) - isElsewhere(b));
}

function noPolicy({ unknown }: Explanation): string {
  return unknown.length > 0
    ? 'none: a name is not in the registry'
    : 'none matches: the default action holds';
}

function headingOf({ decision: { action } }: Explanation): string {
  const { green, red, yellow } = coloursFor(process.stdout);
  if (action === 'deny') return red('Denied');
  if (action === 'require_approval') return yellow('Approval needed');
  return green(action === 'mask' ? 'Allowed, with masks' : 'Allowed');
}

function approvalText(approval: Explanation['decision']['approvals'][number]): string {
  const { approver_role: role, approvals, policy_id: policy, metadata_required: keys } = approval;
  const people = approvals === 1 ? '1 person' : `${approvals} people`;
  const lifts = approval.lifts_mask ? ', lifts the masks' : '';
  const needs = keys.length === 0 ? '' : `, with ${keys.join(', ')}`;
  return `${people} of ${role} (${policy}${lifts}${needs})`;
}

function accountText({ account }: Explanation['requester']): string | null {
  if (account === undefined) return null;
  const { name, kind, on_behalf_of: person } = account;
  return `${name} (${kind}${person === null ? '' : `, on behalf of ${person}`})`;
}

function requesterText(requester: Explanation['requester']): string {
  const { roles, clearance, region, purpose, purpose_assigned: assigned } = requester;
  const said = purpose === null ? 'none' : `${purpose}${assigned ? '' : ' (not assigned)'}`;
  return `roles ${roles.join(', ') || 'none'}; clearance ${clearance ?? 'unknown'}; region ${region ?? 'unknown'}; purpose ${said}`;
}
