import type { ControlContext } from '../../services/control/context.js';
import { discoverDatasets, discoverSchema } from '../../services/control/discover.js';
import { DiscoverQuery, IdParams, OrgParams } from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

export function discoveryRoutes(org: Server, ctx: ControlContext): void {
  org.get(
    '/aql/datasets',
    { schema: { params: OrgParams, querystring: DiscoverQuery } },
    async (request) => discoverDatasets(ctx, callerOf(request), request.query, callMeta(request)),
  );
  org.get(
    '/aql/datasets/:id/schema',
    { schema: { params: IdParams, querystring: DiscoverQuery } },
    async (request) =>
      discoverSchema(ctx, callerOf(request), request.params.id, request.query, callMeta(request)),
  );
}
