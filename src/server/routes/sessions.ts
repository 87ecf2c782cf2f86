import type { ControlContext } from '../../services/control/context.js';
import { listSessions, revokeSession } from '../../services/control/manage-sessions.js';
import { EmptyBody, IdParams, OrgParams, SessionQuery } from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

export function sessionRoutes(org: Server, ctx: ControlContext): void {
  org.get(
    '/sessions',
    { schema: { params: OrgParams, querystring: SessionQuery } },
    async (request) => {
      const { mine, user, state } = request.query;
      const sessions = await listSessions(ctx, callerOf(request), {
        mine: mine === 'true',
        all: state === 'all',
        ...(user === undefined ? {} : { user }),
      });
      return { sessions, correlation_id: request.id };
    },
  );
  org.post(
    '/sessions/:id/revoke',
    { schema: { params: IdParams, body: EmptyBody } },
    async (request) => ({
      ...(await revokeSession(ctx, callerOf(request), request.params.id, callMeta(request))),
      correlation_id: request.id,
    }),
  );
}
