import { Readable } from 'node:stream';
import { VkitError } from '../../errors/index.js';
import type { ControlContext } from '../../services/control/context.js';
import { exportAudit } from '../../services/control/export-audit.js';
import { listCheckpoints } from '../../services/control/list-checkpoints.js';
import { listSinks } from '../../services/control/list-sinks.js';
import { readAudit } from '../../services/control/read-audit.js';
import { AuditQuery, CheckpointsQuery, ExportQuery, OrgParams } from '../schemas.js';
import { authenticateRequest, callerOf, callMeta, type Server } from '../server-context.js';
import { watchDrain } from '../watch-drain.js';

const PAGE_DEFAULT = 100;

export function auditRoutes(org: Server, ctx: ControlContext): void {
  org.get('/audit', { schema: { params: OrgParams, querystring: AuditQuery } }, async (request) => {
    const { order = 'desc', cursor, limit } = request.query;
    return readAudit(
      ctx,
      callerOf(request),
      {
        ...filterOf(request.query),
        ...(cursor === undefined ? {} : { cursor }),
        order,
        limit: limit === undefined ? PAGE_DEFAULT : Number(limit),
      },
      callMeta(request),
    );
  });
  org.get(
    '/audit/export',
    { schema: { params: OrgParams, querystring: ExportQuery } },
    async (request, reply) => {
      const { format = 'jsonl', limit } = request.query;
      const parts = await exportAudit(
        ctx,
        callerOf(request),
        {
          ...filterOf(request.query),
          format,
          ...(limit === undefined ? {} : { count: Number(limit) }),
        },
        async () => {
          await authenticateRequest(ctx, request);
          return callerOf(request);
        },
      );
      const limits = {
        stallMs: ctx.settings.streamStallSeconds * 1000,
        bytesPerSecondMin: ctx.settings.streamBytesPerSecondMin,
      };
      const watched = watchDrain(parts, limits, (reason) => body.destroy(reason));
      const body: Readable = Readable.from(watched, { objectMode: false });
      reply.type(CONTENT_TYPES[format]);
      reply.header('content-disposition', `attachment; filename="audit.${format}"`);
      return reply.send(body);
    },
  );
  org.get('/audit/sinks', { schema: { params: OrgParams } }, async (request) =>
    listSinks(ctx, callerOf(request), callMeta(request)),
  );
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

const CONTENT_TYPES = {
  jsonl: 'application/jsonl; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
} as const;

interface FilterQuery {
  user?: string;
  action?: string;
  dataset?: string;
  request?: string;
  since?: string;
  until?: string;
}

function filterOf({ user, action, dataset, request, since, until }: FilterQuery) {
  return {
    ...(user === undefined ? {} : { userId: user }),
    ...(action === undefined ? {} : { event: action }),
    ...(dataset === undefined ? {} : { dataset }),
    ...(request === undefined ? {} : { requestId: request }),
    ...(since === undefined ? {} : { since: moment(since, 'since') }),
    ...(until === undefined ? {} : { until: moment(until, 'until') }),
  };
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
