import type { ApprovalItem, GrantBody, RequestAnswer, Suggestion } from '../client/wire.js';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';
import { formatMoment, renderFacts } from './facts.js';
import { queryFacts } from './query-text.js';
import { quoteForShell } from './quote-for-shell.js';

/** 0 granted, 3 denied, 4 waiting: the exit code of a command that asked for the data. */
export function exitCodeOf({ status }: RequestAnswer): 0 | 3 | 4 {
  if (status === 'granted') return 0;
  return status === 'denied' ? 3 : 4;
}

/** What a request's own requester is told, or, with the query, one of its approvers. */
export type ShownRequest = RequestAnswer & Partial<ApprovalItem>;

/** An answer about a request for people: what was asked, where that is told, what was decided, why, and until when. */
export function reportRequest(answer: ShownRequest, now: number): string {
  const over = answer.expires_at !== undefined && Date.parse(answer.expires_at) <= now;
  const facts = renderFacts([
    ['requester', answer.requester],
    ['dataset', answer.dataset],
    ['datasource', answer.datasource],
    ...(answer.aql === undefined ? [] : queryFacts(answer.aql)),
    ['purpose', answer.purpose],
    ['asked because', answer.request_reason],
    ['metadata', metadataText(answer.metadata ?? {})],
    ['grant', answer.grant_ref],
    [
      over ? 'expired' : 'expires',
      answer.expires_at === undefined ? null : formatMoment(answer.expires_at, now),
    ],
    ['masked fields', listed(answer.masked_fields)],
    ['denied fields', listed(answer.denied_fields ?? answer.details?.fields)],
    ['approvals', (answer.approvals ?? []).map(progressOf).join(', ')],
    ['policy', answer.policy_id],
    [answer.state === 'pending' ? 'waits because' : 'reason', answer.reason],
    ['type', answer.type],
  ]);
  return `${headingOf(answer)}  ${escapeTerminal(answer.request_id)}\n${facts}`;
}

/** What whoever reads an answer can do now: lines for stderr, or null where there is nothing to do. */
export function nextStep(
  answer: ShownRequest,
  options: { now: number; reader: 'requester' | 'approver'; grant?: GrantBody['state'] },
): string | null {
  const { request_id: id, grant_ref: ref, requester } = answer;
  const mine = options.reader === 'requester';
  if (answer.state === 'pending') {
    if (mine || answer.aql === undefined) return `See how it stands: vkit requests show ${id}`;
    return `Next: vkit approval approve ${id}\nOr:   vkit approval deny ${id} --reason '…'`;
  }
  if (ref === undefined) return null;
  const again = mine ? ' Ask again: vkit request' : '';
  if (options.grant === 'revoked') return `The grant was revoked.${again}`;
  const over = Date.parse(answer.expires_at ?? '') <= options.now;
  if (over || options.grant === 'expired') return `The grant has expired.${again}`;
  return mine
    ? `Next: vkit fetch --grant ${ref}`
    : `${requester} can fetch it now, and nobody else: vkit fetch --grant ${ref}`;
}

/**
 * What would pass instead of a denied request, each as a command to paste: lines for stderr, or null where nothing would.
 */
export function suggestionLines({ details }: RequestAnswer): string | null {
  const lines = (details?.suggestions ?? []).flatMap((suggestion) => [
    `${suggestion.change} ${promiseOf(suggestion)}`,
    `  ${commandOf(suggestion)}`,
  ]);
  return lines.length === 0 ? null : ['This would pass:', ...lines].join('\n');
}

function promiseOf({ status, approvals = [], metadata_required = [] }: Suggestion): string {
  if (status === 'granted') return 'It is granted at once.';
  const who = approvals.map(({ approver_role, required }) => `${required} of ${approver_role}`);
  const keys = metadata_required.length === 0 ? '' : ` Fill in ${metadata_required.join(', ')}.`;
  return `It waits for ${who.join(' and ')}.${keys}`;
}

/** The flags of `vkit request` by the keys of its body. */
const FLAG_OF_KEY = {
  datasource: '--datasource',
  role: '--role',
  environment: '--env',
  purpose: '--purpose',
  reason: '--reason',
  ttl_seconds: '--ttl',
  requester_region: '--requester-region',
  requester_clearance: '--requester-clearance',
  dataset_region: '--dataset-region',
} as const;

function commandOf({ body, metadata_required = [] }: Suggestion): string {
  const missing = Object.fromEntries(metadata_required.map((key) => [key, '…']));
  const metadata = { ...body.metadata, ...missing };
  const words = ['vkit request', '--aql', quoteForShell(JSON.stringify(body.aql))];
  for (const [key, flag] of Object.entries(FLAG_OF_KEY)) {
    const value = body[key as keyof typeof FLAG_OF_KEY];
    if (value !== undefined) words.push(flag, quoteForShell(String(value)));
  }
  if (Object.keys(metadata).length > 0) {
    words.push('--metadata', quoteForShell(JSON.stringify(metadata)));
  }
  return words.join(' ');
}

/** What a request brings along, in one line. */
export function metadataText(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
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

function listed(names: readonly string[] | undefined): string {
  return (names ?? []).join(', ');
}

function progressOf(approval: NonNullable<RequestAnswer['approvals']>[number]): string {
  return `${approval.given} of ${approval.required} by ${approval.approver_role}`;
}
