import { type ErrorDetails, isErrorCodeName, VkitError } from '../errors/index.js';
import { RETRIES_DEFAULT, retryAfterSeconds, retrying } from './retry.js';

export interface HttpOptions {
  /** Base URL of the server; a slash at its end makes no difference. */
  baseUrl: string;
  token?: string;
  /** `vkit/0.1.0`, shown in the server's audit log; absent: `vkit-client`. */
  userAgent?: string;
  /** Whose the token is, as a sentence (`You are ana@example.com.`), added to what a refusal says to do. */
  caller?: string;
  /** The command that makes a new token where this one is not taken; absent: as the server says. */
  newLogin?: string;
  timeoutMs?: number;
  /** How often a call is sent again at most, where that is safe (see `retrying`); absent: 2. */
  retries?: number;
  /** Ends every call, with the reason it was aborted for. */
  signal?: AbortSignal;
  /** Another than the process's own, where the way to the server is through a proxy. */
  fetch?: typeof globalThis.fetch;
}

export interface Call {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the base URL, already encoded. */
  path: string;
  query?: Readonly<Record<string, string | number | undefined>>;
  body?: unknown;
  accept?: string;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  /** Whether it may be sent twice; absent: a GET, or a call with an idempotency key. */
  repeatable?: boolean;
}

const TIMEOUT_MS = 60_000;
/** What an error body may hold before it is cut; a proxy's page is not worth more. */
const ERROR_BYTES_MAX = 1_048_576;

/**
 * One call. Resolves with the response of a status below 400; throws a VkitError with the code the server sent, or
 * `server_unreachable` when nobody answers, whose message names the address and nothing else.
 */
export async function call(options: HttpOptions, request: Call): Promise<Response> {
  const signals = [options.signal, request.signal].filter((one) => one !== undefined);
  const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  const hasKey = request.headers !== undefined && 'idempotency-key' in request.headers;
  const repeatable = request.repeatable ?? (request.method === 'GET' || hasKey);
  const repeat = { retries: options.retries ?? RETRIES_DEFAULT, repeatable, signal };
  return retrying(repeat, () => callOnce(options, request, signal));
}

async function callOnce(
  options: HttpOptions,
  request: Call,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const url = new URL(`${options.baseUrl.replace(/\/+$/, '')}${request.path}`);
  for (const [key, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(key, String(value));
  }
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  let response: Response;
  try {
    response = await (options.fetch ?? fetch)(url, {
      method: request.method,
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': options.userAgent ?? 'vkit-client',
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      // A token is for the server it was given to, not for one that it names.
      redirect: 'error',
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new VkitError('server_unreachable', `No vkit server answers at ${options.baseUrl}.`, {
      hint: 'Start one with: vkit serve — or name another with --endpoint.',
      cause,
    });
  }
  if (response.status < 400) return response;
  throw await errorOf(response, options);
}

/** The same, with the JSON body of the answer. */
export async function callJson<T>(options: HttpOptions, request: Call): Promise<T> {
  return (await callJsonText<T>(options, request)).value;
}

/** The same, also as it was written: numbers can have more digits than a value of JavaScript. */
export async function callJsonText<T>(
  options: HttpOptions,
  request: Call,
): Promise<{ value: T; text: string }> {
  const response = await call(options, request);
  try {
    const text = await response.text();
    return { value: JSON.parse(text) as T, text };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw brokenOff(cause);
    throw new VkitError(
      'server_unreachable',
      `What answers at ${options.baseUrl} is not a vkit server.`,
      { cause },
    );
  }
}

/** An answer whose body ended before its end: nothing of it may be taken for the whole. */
export function brokenOff(cause: unknown): VkitError {
  return new VkitError('unavailable', 'The answer broke off before its end.', {
    hint: 'Try again; what came before is not the whole answer.',
    cause,
  });
}

const CODE_OF_STATUS: Readonly<Record<number, ConstructorParameters<typeof VkitError>[0]>> = {
  400: 'validation',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  410: 'grant_expired',
  413: 'validation',
  429: 'rate_limited',
};

async function errorOf(response: Response, { caller, newLogin }: HttpOptions): Promise<VkitError> {
  const text = (await response.text().catch(() => '')).slice(0, ERROR_BYTES_MAX);
  const body = parseObject(text);
  const type = body.type;
  const code = isErrorCodeName(type) ? type : (CODE_OF_STATUS[response.status] ?? 'unavailable');
  const message =
    typeof body.error === 'string' ? body.error : `The server answered ${response.status}.`;
  const hint =
    response.status === 401 && newLogin !== undefined ? `Log in with: ${newLogin}` : body.hint;
  const hints = [
    ...(typeof hint === 'string' ? [hint] : []),
    ...(response.status === 403 && caller !== undefined ? [caller] : []),
  ];
  const waitSeconds = retryAfterSeconds(response.headers.get('retry-after'), Date.now());
  const details = {
    ...(typeof body.details === 'object' ? (body.details as ErrorDetails | null) : null),
    ...(waitSeconds === null ? {} : { retry_after_seconds: waitSeconds }),
  };
  const correlationId = body.correlation_id ?? response.headers.get('x-correlation-id');
  return new VkitError(code, message, {
    ...(hints.length === 0 ? {} : { hint: hints.join(' ') }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
    ...(typeof body.policy_id === 'string' ? { policyId: body.policy_id } : {}),
  });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // A proxy's HTML page says nothing that the status does not.
    return {};
  }
}
