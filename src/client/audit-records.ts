import type { AuditRecord } from '../audit/model.js';
import { VkitError } from '../errors/index.js';
import type { AuditOptions, VkitClient } from './vkit-client.js';
import type { CheckpointItem } from './wire.js';

/** What the server gives in one page. */
const PAGE_MAX = 500;

/**
 * The server's records page by page, up to `count` of them, all if absent. Throws `unavailable` for a server whose cursor
 * stands still, which would be asked for ever.
 */
export async function* auditRecords(
  client: VkitClient,
  { count = Number.POSITIVE_INFINITY, ...options }: AuditRecordsOptions,
): AsyncGenerator<AuditRecord, void, undefined> {
  let left = count;
  let cursor: string | undefined;
  while (left > 0) {
    const limit = Math.min(PAGE_MAX, left);
    const page = await client.readAudit({
      ...options,
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* page.records;
    left -= page.records.length;
    if (page.next_cursor === null) return;
    if (page.next_cursor === cursor || page.records.length === 0) {
      throw new VkitError('unavailable', "The server's audit log does not come to an end.");
    }
    cursor = page.next_cursor;
  }
}

/** The server's checkpoints, the oldest first. */
export async function* auditCheckpoints(
  client: VkitClient,
): AsyncGenerator<CheckpointItem, void, undefined> {
  let cursor: string | undefined;
  for (;;) {
    const page = await client.readCheckpoints({
      order: 'asc',
      limit: PAGE_MAX,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* page.checkpoints;
    if (page.next_cursor === null) return;
    if (page.next_cursor === cursor || page.checkpoints.length === 0) {
      throw new VkitError('unavailable', "The server's checkpoints do not come to an end.");
    }
    cursor = page.next_cursor;
  }
}

export interface AuditRecordsOptions extends Omit<AuditOptions, 'limit'> {
  /** How many records at most. */
  count?: number;
}
