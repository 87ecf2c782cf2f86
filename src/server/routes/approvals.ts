import { Type } from 'typebox';
import type { ControlContext } from '../../services/control/context.js';
import { approveRequest, denyRequest } from '../../services/control/decide-approval.js';
import { listApprovals } from '../../services/control/load-request.js';
import {
  ApproveBody,
  IdParams,
  ListQuery,
  OrgParams,
  REQUEST_STATES,
  ReasonBody,
} from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

const LIST_DEFAULT = 50;

export function approvalRoutes(org: Server, ctx: ControlContext): void {
  org.get(
    '/approvals',
    { schema: { params: OrgParams, querystring: ListQuery } },
    async (request) => {
      const { state = 'pending', limit } = request.query;
      const states = state === 'all' ? REQUEST_STATES : [state];
      const filter = { states, limit: limit === undefined ? LIST_DEFAULT : Number(limit) };
      return {
        approvals: await listApprovals(ctx, callerOf(request), filter, callMeta(request)),
        correlation_id: request.id,
      };
    },
  );
  org.post(
    '/approvals/:id/approve',
    { schema: { params: IdParams, body: Type.Union([ApproveBody, Type.Null()]) } },
    async (request) => {
      const { ttl_seconds: ttlSeconds, notes } = request.body ?? {};
      return approveRequest(
        ctx,
        callerOf(request),
        request.params.id,
        {
          ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
          ...(notes === undefined ? {} : { notes }),
        },
        callMeta(request),
      );
    },
  );
  org.post(
    '/approvals/:id/deny',
    { schema: { params: IdParams, body: ReasonBody } },
    async (request) =>
      denyRequest(
        ctx,
        callerOf(request),
        request.params.id,
        request.body.reason,
        callMeta(request),
      ),
  );
}
