import type { ApprovalItem } from '../client/wire.js';
import { formatDuration } from '../util/duration.js';
import { type Column, renderTable } from './table.js';

/** Characters of what has no length of its own: a line holds the whole id of a request and fits 120 columns. */
const WIDTHS = { requester: 20, dataset: 14, columns: 20, reason: 16 };

/** Requests that wait for a person, one a line; `vkit requests show` has all of one. */
export function approvalTable(items: readonly ApprovalItem[], now: number): string {
  const state: Column<ApprovalItem>[] = items.every((item) => item.state === 'pending')
    ? []
    : [{ heading: 'state', value: (item) => item.state }];
  return renderTable(items, [
    { heading: 'request', value: ({ id }) => id },
    ...state,
    { heading: 'requester', value: ({ requester }) => cut(requester, WIDTHS.requester) },
    { heading: 'dataset', value: ({ dataset }) => cut(dataset, WIDTHS.dataset) },
    { heading: 'columns', value: ({ columns }) => cut(columns.join(', '), WIDTHS.columns) },
    {
      heading: 'reason',
      value: (item) => cut(item.request_reason ?? item.purpose ?? '', WIDTHS.reason),
    },
    { heading: 'expires', value: ({ expires_at }) => distance(expires_at, now) },
  ]);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function distance(moment: string | undefined, now: number): string | null {
  if (moment === undefined) return null;
  const seconds = Math.round((Date.parse(moment) - now) / 1000);
  return seconds > 0 ? `in ${formatDuration(seconds)}` : 'over';
}
