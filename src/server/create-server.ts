import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyRequest, LogController } from 'fastify';
import { VkitError } from '../errors/index.js';
import type { ControlContext } from '../services/control/context.js';
import { LoginThrottle } from '../services/control/login-throttle.js';
import { recordForbidden } from '../services/control/record-forbidden.js';
import { sendError } from './http-error.js';
import { createMetrics } from './metrics.js';
import { observeRequests } from './observe-requests.js';
import { readJsonBody } from './read-json-body.js';
import { agentTokenRoutes } from './routes/agent-tokens.js';
import { approvalRoutes } from './routes/approvals.js';
import { auditRoutes } from './routes/audit.js';
import { authenticationRoutes } from './routes/authentication.js';
import { bundleRoutes } from './routes/bundles.js';
import { cliLoginRoutes } from './routes/cli-login.js';
import { datasourceRoutes } from './routes/datasources.js';
import { discoveryRoutes } from './routes/discovery.js';
import { executorRoutes } from './routes/executor.js';
import { grantRoutes } from './routes/grants.js';
import { requestRoutes } from './routes/requests.js';
import { sessionRoutes } from './routes/sessions.js';
import { statusRoutes } from './routes/status.js';
import { userRoutes } from './routes/users.js';
import { vaultRoutes } from './routes/vault.js';
import {
  authenticateRequest,
  callMeta,
  type Server,
  type ServerOptions,
} from './server-context.js';
import { loggerOptions } from './server-log.js';
import { silentConnections } from './silent-connections.js';

/** The most a body may hold, but for a bundle's. */
const BODY_BYTES_MAX = 256 * 1024;
/** The most that all headers of a request may hold. */
const HEADER_BYTES_MAX = 16 * 1024;
/** How long a client may take to send a request whole, and its head. */
const REQUEST_MS_MAX = 120_000;
const HEAD_MS_MAX = 30_000;
/** Problems ajv may collect are bounded by the body's size, which is checked first. */
const CORRELATION_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The HTTP API of api.md over wired services; it listens when the caller says so. */
export async function createServer(ctx: ControlContext, options: ServerOptions): Promise<Server> {
  const { logLevel, logStream: stream, tls } = options;
  const logger =
    logLevel === 'silent' ? false : loggerOptions({ level: logLevel, ...(stream && { stream }) });
  const limits = { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEAD_MS_MAX };
  const server = fastify({
    // The types of a server over TLS differ in nothing that is used here.
    ...(tls ? ({ https: { ...tls, ...limits } } as object) : { http: limits }),
    logger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'correlation_id',
    }),
    requestTimeout: REQUEST_MS_MAX,
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    bodyLimit: BODY_BYTES_MAX,
    requestIdHeader: false,
    genReqId: (request) => {
      const given = request.headers['x-correlation-id'];
      return typeof given === 'string' && CORRELATION_ID.test(given) ? given : randomUUID();
    },
    // Its defaults strip unknown keys, coerce types and stop at the first error.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
    routerOptions: { maxParamLength: 256 },
    // A path that cannot be decoded is refused before any hook runs.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-correlation-id', request.id);
      sendError(error, request, reply);
    },
    forceCloseConnections: 'idle',
    // While it drains, new requests are answered by the hook below, in the form of every other error.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
  }).withTypeProvider<TypeBoxTypeProvider>();

  server.decorateRequest('identity', null);
  server.decorateRequest('span', undefined);
  server.setErrorHandler(sendError);
  server.setNotFoundHandler((request, reply) => {
    sendError(
      new VkitError(
        'not_found',
        `There is nothing at ${request.method} ${request.url.slice(0, 128)}.`,
      ),
      request,
      reply,
    );
  });
  acceptEmptyBodies(server);
  const silent = silentConnections(server);
  const metrics = createMetrics(ctx, options);
  server.addHook('onClose', async () => metrics.close());
  const underWay = observeRequests(server, metrics, options.tracing);
  let draining = false;
  server.addHook('preClose', async () => {
    draining = true;
    // Until they are done, it listens: whoever balances load hears that this server takes no more.
    await underWay.idle();
    for (const socket of silent) socket.destroy();
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-correlation-id', request.id);
    reply.header('cache-control', 'no-store');
    if (draining && !ANSWERED_WHILE_DRAINING.has(request.routeOptions.url ?? '')) {
      reply.header('connection', 'close');
      throw new VkitError('unavailable', 'The server is stopping.', { hint: 'Try again soon.' });
    }
  });
  await server.register(helmet, {
    contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  });
  await server.register(rateLimit, {
    // For routes alone it would come after their own hooks, so that guesses at tokens were never counted.
    global: false,
    max: options.requestsPerMinuteMax,
    timeWindow: '1 minute',
    // By requester, whichever of their tokens they use; what is no token of anybody counts for the address.
    keyGenerator: async (request) => (await knownRequester(ctx, request)) ?? request.ip,
  });
  server.addHook('onRequest', server.rateLimit());
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'vkit', version: options.version },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
  });

  statusRoutes(server, ctx, { ...options, metrics, isDraining: () => draining });
  await server.register(
    async (api: Server) => {
      authenticationRoutes(api, ctx, new LoginThrottle());
      executorRoutes(api, ctx);
      cliLoginRoutes(api, ctx);
      await api.register(
        async (org: Server) => {
          org.addHook('onRequest', async (request) => {
            if (request.identity === null) await authenticateRequest(ctx, request);
          });
          // One server serves one organisation; whether another exists is nobody's business.
          org.addHook('preValidation', async (request) => {
            // A body may come long after its head: what was taken away meanwhile is gone.
            if (request.method !== 'GET') await authenticateRequest(ctx, request);
            const { org: asked } = request.params as { org?: string };
            if (asked !== ctx.org)
              throw new VkitError('not_found', 'There is no such organisation here.');
          });
          org.addHook('onError', async (request, _reply, error) => {
            const known = error instanceof VkitError && error.code === 'forbidden';
            if (!known || !request.identity) return;
            const action = `${request.method} ${request.routeOptions.url}`;
            const { id } = request.params as { id?: string };
            const forbidden = { action, ...(id === undefined ? {} : { target: id }) };
            await recordForbidden(ctx, request.identity, forbidden, callMeta(request));
          });
          for (const routes of ORGANISATION_ROUTES) routes(org, ctx);
        },
        { prefix: '/orgs/:org' },
      );
    },
    { prefix: '/api/v1' },
  );
  return server;
}

const ORGANISATION_ROUTES = [
  userRoutes,
  sessionRoutes,
  agentTokenRoutes,
  datasourceRoutes,
  vaultRoutes,
  bundleRoutes,
  requestRoutes,
  approvalRoutes,
  grantRoutes,
  discoveryRoutes,
  auditRoutes,
] as const;

/** Liveness, and what says that it drains. */
const ANSWERED_WHILE_DRAINING: ReadonlySet<string> = new Set(['/up', '/health', '/metrics']);

/** Who a request is from; null for what is nobody's. Leaves the identity with the request. */
async function knownRequester(
  ctx: ControlContext,
  request: FastifyRequest,
): Promise<string | null> {
  if (request.headers.authorization === undefined) return null;
  try {
    await authenticateRequest(ctx, request);
  } catch (error) {
    // The route says so, if it needs to know.
    if (error instanceof VkitError && error.code === 'unauthenticated') return null;
    throw error;
  }
  return request.identity?.id ?? null;
}

/** What is no HTTP at all, or has more headers than Node reads, never becomes a request: it is answered on the socket. */
function refuseConnection(_error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const id = randomUUID();
  const body = JSON.stringify({
    error: 'This is not a request that the server can read.',
    type: 'validation',
    correlation_id: id,
  });
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-correlation-id: ${id}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** A POST without a body is one with none, also where its content type says JSON; everything else is strict JSON. */
function acceptEmptyBodies(server: Server): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    let body: unknown;
    try {
      body = readJsonBody(bytes as Buffer, (text, told) => parse(request, text, told));
    } catch (error) {
      return done(error as Error);
    }
    done(null, body);
  });
}
