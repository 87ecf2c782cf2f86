import type { ControlContext } from '../../services/control/context.js';
import {
  createAgentToken,
  listAgentTokens,
  revokeAgentToken,
} from '../../services/control/manage-agent-tokens.js';
import { CreateAgentTokenBody, EmptyBody, IdParams, OrgParams } from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

export function agentTokenRoutes(org: Server, ctx: ControlContext): void {
  org.get('/agent_tokens', { schema: { params: OrgParams } }, async (request) => ({
    agent_tokens: await listAgentTokens(ctx, callerOf(request)),
    correlation_id: request.id,
  }));
  org.post(
    '/agent_tokens',
    { schema: { params: OrgParams, body: CreateAgentTokenBody } },
    async (request, reply) => {
      const { body } = request;
      const token = await createAgentToken(
        ctx,
        callerOf(request),
        {
          name: body.name,
          roles: body.roles ?? [],
          clearance: body.clearance ?? null,
          region: body.region ?? null,
          purposes: body.purposes ?? [],
          datasources: body.datasources ?? null,
          onBehalfOf: body.on_behalf_of ?? null,
          expiresInSeconds: body.expires_in_seconds ?? null,
        },
        callMeta(request),
      );
      return reply.code(201).send({ ...token, correlation_id: request.id });
    },
  );
  org.post(
    '/agent_tokens/:id/revoke',
    { schema: { params: IdParams, body: EmptyBody } },
    async (request) => ({
      ...(await revokeAgentToken(ctx, callerOf(request), request.params.id, callMeta(request))),
      correlation_id: request.id,
    }),
  );
}
