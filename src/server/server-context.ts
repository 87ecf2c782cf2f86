import type { Writable } from 'node:stream';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import { VkitError } from '../errors/index.js';
import type { CallSpan } from '../services/control/call-span.js';
import type { CallMeta, ControlContext } from '../services/control/context.js';
import type { Identity } from '../services/control/identity.js';
import type { MetricGauge } from '../services/metric-gauge.js';
import type { TlsOptions } from './tls.js';
import type { Tracing } from './tracing.js';

/** The fastify instance with TypeBox schemas as the one source of types, validation and OpenAPI. */
export type Server = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface ServerOptions {
  version: string;
  /** `silent` in tests and the demo. */
  logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  /** Requests one token, or one address without a token, may make in a minute. */
  requestsPerMinuteMax: number;
  /** Public keys of the server, as a JWK Set (RFC 7517). */
  jwks: { keys: readonly object[] };
  /** Listens over TLS; absent: over plain HTTP. */
  tls?: TlsOptions;
  /** Addresses of proxies whose word on the client's address is taken; none if absent. */
  trustedProxies?: readonly string[];
  /** What `/metrics` wants as a bearer token; absent: it is open, as `/health` is. */
  metricsToken?: string;
  /** Beside what every server tells at `/metrics`. */
  gauges?: readonly MetricGauge[];
  /** Sends spans of requests; absent: there are none. */
  tracing?: Tracing;
  /** Where log lines go; stderr if absent. */
  logStream?: Writable;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route below `/api/v1/orgs/:org` and the authenticated ones beside it. */
    identity: Identity | null;
    /** Where the request is in its trace; undefined where nobody traces. */
    span: CallSpan | undefined;
  }
}

const CLIENT_CHARACTERS_MAX = 128;

/** What the audit log is told of the call. */
export function callMeta(request: FastifyRequest): CallMeta {
  const client = request.headers['user-agent']?.slice(0, CLIENT_CHARACTERS_MAX);
  return {
    correlationId: request.id,
    address: request.ip,
    ...(client === undefined ? {} : { client }),
    ...(request.span === undefined ? {} : { span: request.span }),
  };
}

/** The caller, as the authentication hook found them. */
export function callerOf(request: FastifyRequest): Identity {
  if (!request.identity) throw new VkitError('unauthenticated', 'This needs a bearer token.');
  return request.identity;
}

const TOKEN_CHARACTERS_MAX = 512;

/** Authenticates by `Authorization: Bearer`; throws `unauthenticated`. */
export async function authenticateRequest(
  ctx: ControlContext,
  request: FastifyRequest,
): Promise<void> {
  const match = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(request.headers.authorization ?? '');
  const token = match?.[1];
  if (token === undefined || token.length > TOKEN_CHARACTERS_MAX) {
    throw new VkitError('unauthenticated', 'This needs a bearer token.', {
      hint: 'Log in with: vkit login',
    });
  }
  request.identity = await ctx.authenticate(token);
}
