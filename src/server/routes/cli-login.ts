import type { FastifyRequest } from 'fastify';
import {
  BROWSER_LOGIN_SECONDS,
  beginBrowserLogin,
  exchangeBrowserLogin,
  finishBrowserLogin,
} from '../../services/control/browser-login.js';
import type { ControlContext } from '../../services/control/context.js';
import { CLI_LOGIN_PATH } from '../../services/oidc-provider.js';
import { CliAuthorizeQuery, CliCallbackQuery, CliTokenBody } from '../schemas.js';
import { callMeta, type Server } from '../server-context.js';

const COOKIE = 'vkit_cli_login';

/** The login of the command line in a browser, by the identity provider (docs/decisions/a-login-in-the-browser.md). */
export function cliLoginRoutes(api: Server, ctx: ControlContext): void {
  api.get(
    '/auth/cli/authorize',
    { schema: { querystring: CliAuthorizeQuery, security: [] } },
    async (request, reply) => {
      const { challenge, port, state } = request.query;
      const { cookie, url } = await beginBrowserLogin(ctx, {
        challenge,
        state,
        port: Number(port),
      });
      return reply
        .header('set-cookie', setCookie(ctx, cookie, BROWSER_LOGIN_SECONDS))
        .redirect(url, 302);
    },
  );
  api.get(
    '/auth/cli/callback',
    { schema: { querystring: CliCallbackQuery, security: [] } },
    async (request, reply) => {
      // A login is ended once, however it ends.
      reply.header('set-cookie', setCookie(ctx, '', 0));
      const query = new URL(request.url, 'http://localhost').searchParams;
      const { url } = await finishBrowserLogin(ctx, cookieOf(request), query, callMeta(request));
      return reply.redirect(url, 302);
    },
  );
  api.post('/auth/cli/token', { schema: { body: CliTokenBody, security: [] } }, async (request) =>
    exchangeBrowserLogin(ctx, request.body, callMeta(request)),
  );
}

/** `Lax`, since the browser comes back from another site. */
function setCookie({ oidc }: ControlContext, value: string, seconds: number): string {
  const url = new URL(oidc?.authorizeUrl ?? `http://localhost${CLI_LOGIN_PATH}/authorize`);
  const path = url.pathname.replace(/\/authorize$/, '');
  const secure = url.protocol === 'https:' ? '; Secure' : '';
  return `${COOKIE}=${value}; Path=${path}; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure}`;
}

function cookieOf(request: FastifyRequest): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}
