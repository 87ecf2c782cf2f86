import type { ControlContext } from '../../services/control/context.js';
import {
  createServerDatasource,
  listServerDatasources,
  removeServerDatasource,
  showServerDatasource,
  updateServerDatasource,
} from '../../services/control/manage-datasources.js';
import {
  scanServerDatasource,
  testServerDatasource,
} from '../../services/control/reach-datasource.js';
import {
  CreateDatasourceBody,
  EmptyBody,
  IdParams,
  OrgParams,
  ScanDatasourceBody,
  UpdateDatasourceBody,
} from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

/** Secrets go in and never come out. */
export function datasourceRoutes(org: Server, ctx: ControlContext): void {
  const summary = (text: string) => ({ summary: text, tags: ['datasources'] });
  org.get(
    '/datasources',
    { schema: { ...summary('The databases that the server knows'), params: OrgParams } },
    async (request) => ({
      datasources: await listServerDatasources(ctx, callerOf(request)),
      correlation_id: request.id,
    }),
  );
  org.post(
    '/datasources',
    {
      schema: {
        ...summary('Keep a database, and seal its password'),
        params: OrgParams,
        body: CreateDatasourceBody,
      },
    },
    async (request, reply) => {
      const { body } = request;
      const made = await createServerDatasource(ctx, callerOf(request), body, callMeta(request));
      return reply.code(201).send(made);
    },
  );
  org.get(
    '/datasources/:id',
    { schema: { ...summary('One database'), params: IdParams } },
    async (request) => ({
      ...(await showServerDatasource(ctx, callerOf(request), request.params.id)),
      correlation_id: request.id,
    }),
  );
  org.patch(
    '/datasources/:id',
    {
      schema: {
        ...summary('Change it; another engine, address, user, TLS or option discards the password'),
        params: IdParams,
        body: UpdateDatasourceBody,
      },
    },
    async (request) => {
      const { params, body } = request;
      return updateServerDatasource(ctx, callerOf(request), params.id, body, callMeta(request));
    },
  );
  org.delete(
    '/datasources/:id',
    { schema: { ...summary('Forget it, and its password'), params: IdParams } },
    async (request) =>
      removeServerDatasource(ctx, callerOf(request), request.params.id, callMeta(request)),
  );
  org.post(
    '/datasources/:id/test',
    {
      schema: {
        ...summary('Connect, and measure a round trip'),
        params: IdParams,
        body: EmptyBody,
      },
    },
    async (request) =>
      testServerDatasource(ctx, callerOf(request), request.params.id, callMeta(request)),
  );
  org.post(
    '/datasources/:id/scan',
    {
      schema: {
        ...summary('Read the catalog, never a row'),
        params: IdParams,
        body: ScanDatasourceBody,
      },
    },
    async (request) => {
      const { params, body } = request;
      const scope = { include: body?.include ?? undefined, exclude: body?.exclude ?? undefined };
      return scanServerDatasource(ctx, callerOf(request), params.id, scope, callMeta(request));
    },
  );
}
