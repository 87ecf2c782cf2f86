import type { FastifyRequest } from 'fastify';
import type { CallSpan } from '../services/control/call-span.js';
import type { Metrics } from './metrics.js';
import type { Server } from './server-context.js';
import type { Tracing } from './tracing.js';

/** Of a request whose client went away before its answer had left. */
const CLIENT_GONE = 499;
/** Instead of the path of a request that no route takes, which is the requester's to choose. */
const NO_ROUTE = 'none';
/** What is asked by machines every few seconds is told at `debug`. */
const QUIET = new Set(['/up', '/health', '/metrics']);

export interface RequestsUnderWay {
  /** Requests whose answers have not left, those about the server's own state aside. */
  count(): number;
  /** Resolves when none is left. */
  idle(): Promise<void>;
}

/** Counts, measures and logs every request once, when its answer has left or nobody is there to take it. */
export function observeRequests(
  server: Server,
  metrics: Metrics,
  tracing: Tracing | undefined,
): RequestsUnderWay {
  let underWay = 0;
  const whenIdle: (() => void)[] = [];
  const end = () => {
    underWay -= 1;
    if (underWay === 0) for (const tell of whenIdle.splice(0)) tell();
  };
  // Not async: it waits for nothing, and is part of every request.
  server.addHook('onRequest', (request, reply, done) => {
    const isCounted = !QUIET.has(request.routeOptions.url ?? '');
    if (isCounted) underWay += 1;
    if (tracing && isCounted) request.span = startSpan(tracing, request);
    let isOver = false;
    const over = (status: number) => {
      if (isOver) return;
      isOver = true;
      if (isCounted) end();
      tell(request, metrics, status, reply.elapsedTime);
      if (request.span) endSpan(request.span, request, status);
    };
    reply.raw.once('finish', () => over(reply.raw.statusCode));
    reply.raw.once('close', () => over(CLIENT_GONE));
    done();
  });
  return {
    count: () => underWay,
    async idle() {
      if (underWay > 0) await new Promise<void>((resolve) => whenIdle.push(resolve));
    },
  };
}

function startSpan(tracing: Tracing, request: FastifyRequest): CallSpan {
  const { traceparent } = request.headers;
  const route = request.routeOptions.url ?? NO_ROUTE;
  const name = route === NO_ROUTE ? NO_ROUTE : `${request.method} ${route}`;
  const span = tracing.start(name, typeof traceparent === 'string' ? traceparent : undefined);
  span.set('http.route', route);
  span.set('vkit.correlation_id', request.id);
  return span;
}

function endSpan(span: CallSpan, request: FastifyRequest, status: number): void {
  span.set('http.response.status_code', status);
  if (request.identity) span.set('vkit.requester', request.identity.id);
  if (status >= 500) span.fail(null);
  span.end();
}

function tell(request: FastifyRequest, metrics: Metrics, status: number, ms: number): void {
  const route = request.routeOptions.url ?? NO_ROUTE;
  // Of a route's own methods there are few; what no route takes can say any.
  const method = route === NO_ROUTE ? NO_ROUTE : request.method;
  metrics.observe({ method, route, status }, ms / 1e3);
  const line = {
    method,
    route,
    status,
    ms: Math.round(ms * 10) / 10,
    requester: request.identity?.id,
  };
  if (QUIET.has(route)) request.log.debug(line, 'request');
  else request.log.info(line, 'request');
}
