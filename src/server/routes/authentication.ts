import type { AuthDiscovery } from '../../client/wire.js';
import type { ControlContext } from '../../services/control/context.js';
import { logIn, logOut, whoAmI } from '../../services/control/log-in.js';
import type { LoginThrottle } from '../../services/control/login-throttle.js';
import { EmptyBody, LoginBody } from '../schemas.js';
import { authenticateRequest, callerOf, callMeta, type Server } from '../server-context.js';

export function authenticationRoutes(
  api: Server,
  ctx: ControlContext,
  throttle: LoginThrottle,
): void {
  const authenticated = {
    onRequest: (request: Parameters<typeof callerOf>[0]) => authenticateRequest(ctx, request),
  };

  api.get(
    '/auth/discovery',
    { schema: { security: [] } },
    async (request): Promise<AuthDiscovery> => ({
      preferred: ctx.oidc ? 'oidc' : 'password',
      methods: ctx.oidc ? ['oidc', 'password', 'token'] : ['password', 'token'],
      ...(ctx.oidc ? { authorize_url: ctx.oidc.authorizeUrl } : {}),
      correlation_id: request.id,
    }),
  );
  api.post('/auth/login', { schema: { body: LoginBody, security: [] } }, (request) =>
    logIn(ctx, throttle, request.body, callMeta(request)),
  );
  api.post('/auth/logout', { ...authenticated, schema: { body: EmptyBody } }, async (request) => {
    await logOut(ctx, callerOf(request), callMeta(request));
    return { status: 'logged_out', correlation_id: request.id };
  });
  api.get('/whoami', authenticated, async (request) => ({
    ...whoAmI(ctx, callerOf(request)),
    correlation_id: request.id,
  }));
}
