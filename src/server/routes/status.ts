import { VkitError } from '../../errors/index.js';
import type { ControlContext } from '../../services/control/context.js';
import type { Server, ServerOptions } from '../server-context.js';

/** Liveness, readiness, the server's own description and its public keys: nothing here needs a login. */
export function statusRoutes(
  server: Server,
  ctx: ControlContext,
  { version, jwks }: ServerOptions,
): void {
  server.get('/up', { schema: { hide: true } }, async () => ({ status: 'up' }));
  server.get('/health', { schema: { hide: true } }, async () => {
    const organisation = await ctx.store.organisation.get();
    if (!organisation) throw new VkitError('unavailable', 'The organisation is not set up.');
    return { status: 'ready', version };
  });
  server.get('/openapi.json', { schema: { hide: true } }, async () => server.swagger());
  server.get('/.well-known/jwks.json', { schema: { hide: true } }, async () => jwks);
}
