import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { revokeGrant, showGrant } from '../../services/control/cancel-request.js';
import type { ControlContext } from '../../services/control/context.js';
import { fetchGrant } from '../../services/control/fetch-grant.js';
import { answerFormat, writeAnswer } from '../answer-formats.js';
import { continued, readBeginning } from '../read-beginning.js';
import { EmptyBody, IdParams, OptionalReasonBody } from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';
import { watchDrain } from '../watch-drain.js';

const HEADER_BYTES_MAX = 4_096;
/** An answer up to this size is sent in one piece: nobody reads it too slowly, and what fails in it has a status of its own. */
const SMALL_CHARACTERS = 65_536;

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
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) gone.abort();
      });
      if (reply.raw.destroyed) gone.abort();
      const { id } = request.params;
      const stream = await fetchGrant(ctx, callerOf(request), id, callMeta(request), gone.signal);
      const masked = stream.maskedFields.map(encodeURIComponent).join(',');
      reply.type(format.contentType);
      // The formats without a meta part; beyond what proxies let through, a client asks for JSON.
      if (format.name !== 'json' && masked.length <= HEADER_BYTES_MAX)
        reply.header('x-vkit-masked-fields', masked);
      if (format.name !== 'json' && stream.rowsCap !== null)
        reply.header('x-vkit-rows-cap', stream.rowsCap);
      const parts = writeAnswer(format, stream, request.id);
      const beginning = await readBeginning(parts, SMALL_CHARACTERS);
      if (beginning.isWhole) return reply.send(beginning.text);
      const limits = {
        stallMs: ctx.settings.streamStallSeconds * 1000,
        bytesPerSecondMin: ctx.settings.streamBytesPerSecondMin,
      };
      const watched = watchDrain(continued(beginning.text, parts), limits, stream.abort);
      const body = Readable.from(watched, { objectMode: false });
      stream.signal.addEventListener('abort', () => body.destroy(stream.signal.reason));
      // Destroyed before anybody has read of it, a generator is not even begun.
      body.once('close', stream.leave);
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
