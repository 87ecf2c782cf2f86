import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { revokeGrant, showGrant } from '../../services/control/cancel-request.js';
import type { ControlContext } from '../../services/control/context.js';
import { fetchGrant } from '../../services/control/fetch-grant.js';
import { answerFormat, writeAnswer } from '../answer-formats.js';
import { EmptyBody, IdParams, OptionalReasonBody } from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

const HEADER_BYTES_MAX = 4_096;

export function grantRoutes(org: Server, ctx: ControlContext): void {
  org.get('/grants/:id', { schema: { params: IdParams } }, async (request) =>
    showGrant(ctx, callerOf(request), request.params.id, callMeta(request)),
  );
  org.post(
    '/grants/:id/fetch',
    { schema: { params: IdParams, body: EmptyBody } },
    async (request, reply) => {
      const format = answerFormat(request.headers.accept);
      const stream = await fetchGrant(ctx, callerOf(request), request.params.id, callMeta(request));
      const masked = stream.maskedFields.map(encodeURIComponent).join(',');
      reply.type(format.contentType);
      // The formats without a meta part; beyond what proxies let through, a client asks for JSON.
      if (format.name !== 'json' && masked.length <= HEADER_BYTES_MAX)
        reply.header('x-vkit-masked-fields', masked);
      return reply.send(
        Readable.from(writeAnswer(format, stream, request.id), { objectMode: false }),
      );
    },
  );
  org.post(
    '/grants/:id/revoke',
    { schema: { params: IdParams, body: Type.Union([OptionalReasonBody, Type.Null()]) } },
    async (request) => {
      const reason = request.body?.reason ?? 'revoked by its holder or an administrator';
      return revokeGrant(ctx, callerOf(request), request.params.id, reason, callMeta(request));
    },
  );
}
