import type { ApprovalItem } from '../client/wire.js';
import { formatMoment } from './facts.js';
import { renderTable } from './table.js';

/** Requests that wait for a person, one a line. */
export function approvalTable(items: readonly ApprovalItem[], now: number): string {
  return renderTable(items, [
    { heading: 'request', value: ({ id }) => id },
    { heading: 'state', value: ({ state }) => state },
    { heading: 'requester', value: ({ requester }) => requester },
    { heading: 'dataset', value: ({ dataset }) => dataset },
    { heading: 'columns', value: ({ columns }) => columns.join(', ') },
    { heading: 'purpose', value: ({ purpose }) => purpose },
    { heading: 'reason', value: ({ request_reason }) => request_reason },
    { heading: 'metadata', value: ({ metadata }) => metadataText(metadata) },
    {
      heading: 'expires',
      value: ({ expires_at }) => (expires_at === undefined ? null : formatMoment(expires_at, now)),
    },
  ]);
}

function metadataText(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
