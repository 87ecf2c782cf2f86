import type { RequestAnswer } from '../client/wire.js';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';
import { formatMoment, renderFacts } from './facts.js';

/** 0 granted, 3 denied, 4 waiting: the exit code of a command that asked for the data. */
export function exitCodeOf({ status }: RequestAnswer): 0 | 3 | 4 {
  if (status === 'granted') return 0;
  return status === 'denied' ? 3 : 4;
}

/** An answer about a request for people: what was decided, why, until when, and the command to run next. */
export function reportRequest(answer: RequestAnswer, now: number): string {
  const facts = renderFacts([
    ['requester', answer.requester],
    ['dataset', answer.dataset],
    ['datasource', answer.datasource],
    ['purpose', answer.purpose],
    ['grant', answer.grant_ref],
    ['expires', answer.expires_at === undefined ? null : formatMoment(answer.expires_at, now)],
    ['masked fields', listed(answer.masked_fields)],
    ['denied fields', listed(answer.denied_fields)],
    ['approvals', (answer.approvals ?? []).map(progressOf).join(', ')],
    ['policy', answer.policy_id],
    ['reason', answer.reason],
    ['type', answer.type],
  ]);
  const lines = [`${headingOf(answer)}  ${escapeTerminal(answer.request_id)}`, facts];
  const next = nextStep(answer);
  if (next !== null) lines.push(coloursFor(process.stdout).dim(escapeTerminal(next)));
  return lines.join('\n');
}

const HEADINGS = {
  approved: 'Granted',
  pending: 'Waiting for approval',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Cancelled',
} as const;

function headingOf({ state }: RequestAnswer): string {
  const colours = coloursFor(process.stdout);
  const colour =
    state === 'approved' ? colours.green : state === 'pending' ? colours.yellow : colours.red;
  return colour(HEADINGS[state] ?? 'Unknown');
}

function nextStep(answer: RequestAnswer): string | null {
  if (answer.grant_ref !== undefined) return `Next: vkit fetch --grant ${answer.grant_ref}`;
  if (answer.state === 'pending')
    return `See how it stands: vkit requests show ${answer.request_id}`;
  return null;
}

function listed(names: readonly string[] | undefined): string {
  return (names ?? []).join(', ');
}

function progressOf(approval: NonNullable<RequestAnswer['approvals']>[number]): string {
  return `${approval.given} of ${approval.required} by ${approval.approver_role}`;
}
