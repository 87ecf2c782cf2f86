import type { Explanation } from '../client/wire.js';
import { formatDuration } from '../util/duration.js';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';
import { formatTime, renderFacts } from './facts.js';
import { becauseOf, traceLines } from './trace-lines.js';

const NEAR_MISSES_MAX = 10;

/** 0 allowed or masked, 3 denied, 4 an approval is needed. */
export function exitCodeOfExplanation({ decision: { action } }: Explanation): 0 | 3 | 4 {
  if (action === 'deny') return 3;
  return action === 'require_approval' ? 4 : 0;
}

/** A decision for people: what, by which policy, why; then the near misses, then every policy. */
export function renderExplanation(explanation: Explanation): string {
  const { decision, requester, trace, at } = explanation;
  const { bold } = coloursFor(process.stdout);
  const isDenied = decision.action === 'deny';
  const facts = renderFacts([
    ['policy', decision.policy_id ?? noPolicy(explanation)],
    ['reason', decision.reason],
    ['not in the registry', explanation.unknown.join(', ')],
    ['denied fields', decision.denied_fields.join(', ')],
    ['masks', masksText(explanation)],
    ['approvals', decision.approvals.map(approvalText).join('; ')],
    ['grant lasts', isDenied ? null : formatDuration(decision.ttl_seconds)],
    ['rows at most', isDenied ? null : decision.max_rows],
    ['account', accountText(requester)],
    ['requester', requesterText(requester)],
    ['at', formatTime(at)],
  ]);
  const near = nearMisses(explanation);
  const lines = [headingOf(explanation), facts];
  if (near.length > 0) {
    lines.push('', bold('Near misses: one thing failed'));
    for (const entry of near.slice(0, NEAR_MISSES_MAX)) {
      lines.push(
        `  ${escapeTerminal(`${entry.policy_id} (${entry.action})  ${becauseOf(entry)}`)}`,
      );
    }
    if (near.length > NEAR_MISSES_MAX) lines.push(`  … and ${near.length - NEAR_MISSES_MAX} more`);
  }
  if (trace.length > 0) lines.push('', bold('Policies'), ...traceLines(trace));
  return lines.join('\n');
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

function masksText({ decision: { masks } }: Explanation): string {
  return Object.entries(masks)
    .map(([name, mask]) => `${name} ${mask.method}`)
    .join(', ');
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
