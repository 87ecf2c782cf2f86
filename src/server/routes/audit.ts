import { VkitError } from '../../errors/index.js';
import type { ControlContext } from '../../services/control/context.js';
import { listCheckpoints } from '../../services/control/list-checkpoints.js';
import { readAudit } from '../../services/control/read-audit.js';
import { AuditQuery, CheckpointsQuery, OrgParams } from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

const PAGE_DEFAULT = 100;

export function auditRoutes(org: Server, ctx: ControlContext): void {
  org.get('/audit', { schema: { params: OrgParams, querystring: AuditQuery } }, async (request) => {
    const {
      user,
      action,
      dataset,
      request: requestId,
      since,
      until,
      order = 'desc',
      cursor,
      limit,
    } = request.query;
    return readAudit(
      ctx,
      callerOf(request),
      {
        ...(user === undefined ? {} : { userId: user }),
        ...(action === undefined ? {} : { event: action }),
        ...(dataset === undefined ? {} : { dataset }),
        ...(requestId === undefined ? {} : { requestId }),
        ...(since === undefined ? {} : { since: moment(since, 'since') }),
        ...(until === undefined ? {} : { until: moment(until, 'until') }),
        ...(cursor === undefined ? {} : { cursor }),
        order,
        limit: limit === undefined ? PAGE_DEFAULT : Number(limit),
      },
      callMeta(request),
    );
  });

  org.get(
    '/audit/checkpoints',
    { schema: { params: OrgParams, querystring: CheckpointsQuery } },
    async (request) => {
      const { order = 'desc', cursor, limit } = request.query;
      return listCheckpoints(
        ctx,
        callerOf(request),
        {
          order,
          limit: limit === undefined ? PAGE_DEFAULT : Number(limit),
          ...(cursor === undefined ? {} : { cursor: Number(cursor) }),
        },
        callMeta(request),
      );
    },
  );
}

/** A time of a query as the log writes it. */
function moment(text: string, name: string): string {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw new VkitError('validation', `${name} is not a time such as 2026-03-01T10:00:00Z.`, {
    details: {
      problems: [{ pointer: `/querystring/${name}`, code: 'format', message: 'is not a time' }],
    },
  });
}
