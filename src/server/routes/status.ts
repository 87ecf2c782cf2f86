import { createHash, timingSafeEqual } from 'node:crypto';
import { VkitError } from '../../errors/index.js';
import type { ControlContext } from '../../services/control/context.js';
import type { Metrics } from '../metrics.js';
import type { Server, ServerOptions } from '../server-context.js';

export interface StatusOptions extends ServerOptions {
  metrics: Metrics;
  isDraining: () => boolean;
}

/**
 * Liveness, readiness, metrics, the server's own description and its public keys: nothing here needs a login. `/metrics` wants
 * a token of its own where one is set.
 */
export function statusRoutes(
  server: Server,
  ctx: ControlContext,
  { version, jwks, metrics, metricsToken, isDraining }: StatusOptions,
): void {
  const hidden = { schema: { hide: true } };
  server.get('/up', hidden, async () => ({ status: 'up' }));
  server.get('/health', hidden, async (_request, reply) => {
    if (isDraining()) {
      reply.header('connection', 'close');
      return reply.code(503).send({ status: 'draining', version });
    }
    const organisation = await ctx.store.organisation.get();
    if (!organisation) throw new VkitError('unavailable', 'The organisation is not set up.');
    return { status: 'ready', version };
  });
  server.get('/metrics', hidden, async (request, reply) => {
    if (metricsToken !== undefined && !isBearer(request.headers.authorization, metricsToken)) {
      throw new VkitError('unauthenticated', 'The metrics need their own bearer token.', {
        hint: 'It is in VKIT_METRICS_TOKEN of the server.',
      });
    }
    return reply.type(metrics.contentType).send(await metrics.text());
  });
  server.get('/openapi.json', hidden, async () => server.swagger());
  server.get('/.well-known/jwks.json', hidden, async () => jwks);
}

/** Compared as digests, in a time that says nothing of either. */
function isBearer(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}
