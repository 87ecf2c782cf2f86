import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, VkitError } from '../errors/index.js';
import { maskSecrets, maskSecretsIn } from '../util/mask-secrets.js';

/** Problems of one body that are told; the rest would only repeat them. */
const PROBLEMS_MAX = 100;

/**
 * Answers an error in the form of api.md: a sentence, its type, the correlation id. What is not a VkitError is a bug: the
 * log says where, the caller gets `internal` and the id.
 */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = toVkitError(error as FastifyError);
  const status = statusOf(known);
  const message = maskSecrets(known.message);
  // What a refusal says may repeat what was asked: of those the log has the code alone.
  if (status >= 500) request.log.error({ err: known, type: known.code }, 'request failed');
  else request.log.info({ type: known.code }, 'request refused');
  const wait = known.details?.retry_after_seconds;
  // The limit of a route has said already when its time is over.
  if (status === 429 && (typeof wait === 'number' || !reply.hasHeader('retry-after'))) {
    reply.header('retry-after', typeof wait === 'number' ? wait : 1);
  }
  void reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send({
      error: message,
      type: known.code,
      correlation_id: request.id,
      ...(known.policyId === undefined ? {} : { policy_id: known.policyId }),
      ...(known.hint === undefined ? {} : { hint: maskSecrets(known.hint) }),
      ...(known.details === undefined ? {} : { details: maskSecretsIn(known.details) }),
    });
}

/** Codes that are answers elsewhere (HTTP 200) are failures here: none of them is thrown on purpose. */
function statusOf(error: VkitError): number {
  return error.httpStatus >= 400 ? error.httpStatus : 500;
}

function toVkitError(error: FastifyError | VkitError): VkitError {
  if (error instanceof VkitError) return error;
  if (error.validation) {
    const where = error.validationContext ?? 'body';
    const problems = tellable(error.validation).map((item): Problem => {
      const extra = item.params.additionalProperty;
      const key =
        typeof extra === 'string'
          ? `/${extra.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`
          : '';
      return {
        pointer: `${where === 'body' ? '' : `/${where}`}${item.instancePath}${key}`,
        code: item.keyword,
        message:
          typeof extra === 'string' ? 'is not a known key' : (item.message ?? 'is not valid'),
      };
    });
    return new VkitError('validation', `The ${where} is not valid.`, { details: { problems } });
  }
  if (error.statusCode === 413) {
    const problems = [
      { pointer: '', code: 'too_large', message: 'is larger than this route reads' },
    ];
    return new VkitError('validation', 'The body is too large.', { details: { problems } });
  }
  if (error.statusCode === 429) {
    return new VkitError('rate_limited', 'Too many requests.', {
      hint: 'Wait, then try again more slowly.',
    });
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new VkitError('validation', 'The request is not valid JSON over HTTP.', {
      cause: error,
      details: { problems: [unreadable(error)] },
    });
  }
  return new VkitError('internal', 'Something failed inside the server.', {
    hint: 'The operator finds the reason in the log under the correlation id.',
    cause: error,
  });
}

/** Why a request never reached a route: nothing of it is repeated, since nothing of it was read. */
function unreadable(error: FastifyError): Problem {
  if (error.statusCode === 415) {
    const message = 'is not application/json';
    return { pointer: '/headers/content-type', code: 'content_type', message };
  }
  return error.code === 'FST_ERR_BAD_URL'
    ? { pointer: '/path', code: 'encoding', message: 'is not well-formed percent-encoding' }
    : { pointer: '', code: 'json', message: 'is not JSON' };
}

/** An optional body is a choice with null: that it is not null is no news, nor that no branch fits. */
function tellable(errors: NonNullable<FastifyError['validation']>): typeof errors {
  const news = errors.filter(({ keyword, params, instancePath }) => {
    const branch = keyword === 'anyOf' || (keyword === 'type' && params.type === 'null');
    return !(branch && instancePath === '');
  });
  return (news.length > 0 ? news : errors).slice(0, PROBLEMS_MAX);
}
