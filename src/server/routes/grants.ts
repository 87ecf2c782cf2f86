import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { VkitError } from '../../errors/index.js';
import { revokeGrant, showGrant } from '../../services/control/cancel-request.js';
import type { ControlContext } from '../../services/control/context.js';
import { fetchGrant } from '../../services/control/fetch-grant.js';
import { answerFormat, writeAnswer } from '../answer-formats.js';
import { EmptyBody, IdParams, OptionalReasonBody } from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';
import { watchDrain } from '../watch-drain.js';

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
      const gone = new AbortController();
      // Also when the answer is complete, and then there is nothing left to cancel.
      reply.raw.once('close', () => gone.abort());
      if (reply.raw.destroyed) gone.abort();
      const { id } = request.params;
      const stream = await fetchGrant(ctx, callerOf(request), id, callMeta(request), gone.signal);
      const masked = stream.maskedFields.map(encodeURIComponent).join(',');
      reply.type(format.contentType);
      // The formats without a meta part; beyond what proxies let through, a client asks for JSON.
      if (format.name !== 'json' && masked.length <= HEADER_BYTES_MAX)
        reply.header('x-vkit-masked-fields', masked);
      const parts = watchDrain(
        writeAnswer(format, stream, request.id),
        {
          stallMs: ctx.settings.streamStallSeconds * 1000,
          bytesPerSecondMin: ctx.settings.streamBytesPerSecondMin,
        },
        stream.abort,
      );
      const body = Readable.from(parts, { objectMode: false });
      stream.signal.addEventListener('abort', () => body.destroy(stream.signal.reason));
      // Destroyed before anybody has read of it, a generator is not even begun.
      body.once('close', () => stream.abort(new VkitError('interrupted', 'The client went away.')));
      return reply.send(body);
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
