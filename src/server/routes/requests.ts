import type { FastifyRequest } from 'fastify';
import { parseAql } from '../../aql/parse-aql.js';
import { parseIntent } from '../../aql/parse-intent.js';
import { canonicalise } from '../../bundle/canonicalise.js';
import { type Problem, VkitError } from '../../errors/index.js';
import { cancelRequest } from '../../services/control/cancel-request.js';
import type { ControlContext } from '../../services/control/context.js';
import { listRequests, showRequest } from '../../services/control/load-request.js';
import { type Idempotency, submitRequest } from '../../services/control/submit-request.js';
import { aqlPointers, INTENT_POINTERS, pointIntoBody } from '../point-into-body.js';
import {
  EmptyBody,
  IdParams,
  IntentBody,
  ListQuery,
  OrgParams,
  REQUEST_STATES,
  SubmitBody,
} from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

const LIST_DEFAULT = 50;

export function requestRoutes(org: Server, ctx: ControlContext): void {
  org.post('/requests', { schema: { params: OrgParams, body: SubmitBody } }, async (request) => {
    // approval_required says that the requester is ready to wait; it forces nothing.
    const { aql: written, approval_required: _ready, ...rest } = request.body;
    const aql = unwrap(parseAql(written), '/aql').aql;
    const answer = submitRequest(
      ctx,
      callerOf(request),
      { ...rest, aql },
      callMeta(request),
      idempotencyOf(request, 'requests'),
    );
    return pointIntoBody(aqlPointers(written), answer);
  });
  org.post(
    '/intent/requests',
    { schema: { params: OrgParams, body: IntentBody } },
    async (request) => {
      const { request: written, ...rest } = request.body;
      const { aql, purpose } = unwrap(parseIntent(written), '/request');
      const answer = submitRequest(
        ctx,
        callerOf(request),
        { ...rest, aql, ...(purpose ? { purpose } : {}) },
        callMeta(request),
        idempotencyOf(request, 'intent'),
      );
      return pointIntoBody(INTENT_POINTERS, answer);
    },
  );
  org.get(
    '/requests',
    { schema: { params: OrgParams, querystring: ListQuery } },
    async (request) => {
      const { state = 'all', limit } = request.query;
      const states = state === 'all' ? REQUEST_STATES : [state];
      const filter = { states, limit: limit === undefined ? LIST_DEFAULT : Number(limit) };
      return {
        requests: await listRequests(ctx, callerOf(request), filter, callMeta(request)),
        correlation_id: request.id,
      };
    },
  );
  org.get('/requests/:id', { schema: { params: IdParams } }, async (request) =>
    showRequest(ctx, callerOf(request), request.params.id, callMeta(request)),
  );
  org.post(
    '/requests/:id/cancel',
    { schema: { params: IdParams, body: EmptyBody } },
    async (request) => cancelRequest(ctx, callerOf(request), request.params.id, callMeta(request)),
  );
}

/** The parsed form, or `validation` with every problem, its pointers counted from the body's root. */
function unwrap<T extends object>(
  parsed: T,
  prefix: string,
): Exclude<T, { problems: readonly Problem[] }> {
  if (!isRefused(parsed)) return parsed as Exclude<T, { problems: readonly Problem[] }>;
  const problems = parsed.problems.map((problem) => ({
    ...problem,
    pointer: `${prefix}${problem.pointer ?? ''}`,
  }));
  const [first] = problems;
  const sentence = first ? `The query is not valid: ${first.message}` : 'The query is not valid.';
  throw new VkitError('validation', sentence, { details: { problems } });
}

function isRefused(parsed: unknown): parsed is { problems: readonly Problem[] } {
  return typeof parsed === 'object' && parsed !== null && 'problems' in parsed;
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

function idempotencyOf(request: FastifyRequest, route: string): Idempotency | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw new VkitError('validation', 'The Idempotency-Key is 1 to 255 visible ASCII characters.', {
      details: {
        problems: [
          { pointer: '/headers/idempotency-key', code: 'pattern', message: 'is not valid' },
        ],
      },
    });
  }
  return { route, key, body: canonicalise(request.body) };
}
