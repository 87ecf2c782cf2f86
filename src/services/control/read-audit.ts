import type { AuditPage } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { AuditFilter } from '../../store/model.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';

export type AuditQuery = Omit<AuditFilter, 'afterSeq' | 'beforeSeq' | 'order' | 'limit'> & {
  cursor?: string;
  order: 'asc' | 'desc';
  limit: number;
};

/**
 * A page of records; the cursor is the number of the last record of the page before, in either order. A person may be
 * named by their email address.
 */
export async function readAudit(
  ctx: ControlContext,
  identity: Identity,
  query: AuditQuery,
  call: CallMeta,
): Promise<AuditPage> {
  requireAdministrator(identity, 'auditor');
  const { cursor, limit, ...filter } = query;
  const seq = cursor === undefined ? null : parseCursor(cursor);
  const records = await ctx.store.audit.list({
    ...(await personFilter(ctx, filter)),
    order: query.order,
    ...(seq === null ? {} : query.order === 'asc' ? { afterSeq: seq } : { beforeSeq: seq }),
    limit: limit + 1,
  });
  const page = records.slice(0, limit);
  const last = page.at(-1);
  return {
    records: page,
    next_cursor: records.length > limit && last ? String(last.seq) : null,
    correlation_id: call.correlationId,
  };
}

/** A filter with the person's id where it names them by their email address. */
export async function personFilter<F extends { userId?: string }>(
  ctx: Pick<ControlContext, 'store'>,
  filter: F,
): Promise<F> {
  const person = filter.userId?.includes('@') ? await ctx.store.users.byEmail(filter.userId) : null;
  return person ? { ...filter, userId: person.id } : filter;
}

function parseCursor(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) {
    throw new VkitError('validation', 'The cursor is not one that this server gave.', {
      details: {
        problems: [{ pointer: '/cursor', code: 'cursor', message: 'is not a cursor of this list' }],
      },
    });
  }
  return Number(cursor);
}
