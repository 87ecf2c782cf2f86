import { VkitError } from '../errors/index.js';

/** GitHub answers in a second or two. */
const TIMEOUT_MS = 30_000;
/** A page of a hundred pull requests, each with a body as long as GitHub allows, is below it. */
const BODY_BYTES_MAX = 32 * 1_048_576;
const ATTEMPTS_MAX = 4;
const BACKOFF_MS = 1_000;
/** Who is told to wait longer comes back another time: the next run does what this one could not. */
const WAIT_MS_MAX = 60_000;
const REDIRECTS_MAX = 3;

export interface GitHubOptions {
  /** Without a trailing slash: `https://api.github.com`. */
  apiUrl: string;
  /** Sent to the host of `apiUrl` and to no other. */
  token: string;
  /** `vkit/0.1.0` */
  userAgent: string;
  /** `acme/policies`, for messages. */
  repository: string;
  fetch: typeof globalThis.fetch;
  sleep: (ms: number) => Promise<void>;
  /** Milliseconds since 1970. */
  now: () => number;
}

export interface GitHubCall {
  method: 'GET' | 'POST' | 'PATCH';
  /** Below the address of the API, already encoded, or a whole address that GitHub named. */
  path: string;
  body?: Readonly<Record<string, unknown>>;
}

export interface GitHubAnswer {
  status: number;
  headers: Headers;
  /** The JSON of the body; `null` where there is none. */
  body: unknown;
}

/**
 * One call of GitHub's REST API. What may be over in a moment (5xx, a broken connection, a rate limit that ends soon) is tried again a few
 * times, a call that changes something too: whoever makes it has to expect that it was done before. Answers below 400, and 422,
 * which is the caller's to understand, are returned. Throws `unauthenticated`, `forbidden`, `not_found`, `rate_limited` and `git_failed`.
 */
export async function gitHubRequest(
  options: GitHubOptions,
  request: GitHubCall,
): Promise<GitHubAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await once(options, request);
    if ('answer' in result && (result.answer.status < 400 || result.answer.status === 422)) {
      return result.answer;
    }
    const wait = waitMs(options, result, attempt);
    if (attempt === ATTEMPTS_MAX || wait === null) throw errorOf(options, result);
    await options.sleep(wait);
  }
}

type Result = { answer: GitHubAnswer } | { broken: unknown };

async function once(options: GitHubOptions, { method, path, body }: GitHubCall): Promise<Result> {
  const { apiUrl, token, userAgent } = options;
  let url = new URL(path.startsWith('/') ? `${apiUrl}${path}` : path);
  const { origin } = new URL(apiUrl);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    for (let step = 0; step <= REDIRECTS_MAX; step += 1) {
      if (url.origin !== origin) break;
      const response = await options.fetch(url, {
        method,
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${token}`,
          'user-agent': userAgent,
          'x-github-api-version': '2022-11-28',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: timeout,
      });
      const location = response.headers.get('location');
      // A repository that was renamed: GitHub says to send the same to where it is now.
      if ([301, 302, 307, 308].includes(response.status) && location !== null) {
        await response.body?.cancel();
        url = new URL(location, url);
        continue;
      }
      const { status, headers } = response;
      return { answer: { status, headers, body: await readJson(response) } };
    }
    return { broken: new Error('It leads elsewhere.') };
  } catch (cause) {
    return { broken: cause };
  }
}

/** Throws for a body that breaks off, is too long, or is no JSON where it is needed. */
async function readJson(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error('The answer is too long.');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return text === '' ? null : JSON.parse(text);
  } catch (error) {
    // A proxy's page says nothing that the status does not.
    if (response.status >= 400) return null;
    throw error;
  }
}

/** How long to wait before another attempt; `null` where none helps, or the wait is too long. */
function waitMs({ now }: GitHubOptions, result: Result, attempt: number): number | null {
  const backoff = BACKOFF_MS * 2 ** (attempt - 1);
  if ('broken' in result) return backoff;
  const { status, headers } = result.answer;
  if (isRateLimit(result.answer)) {
    const after = Number(headers.get('retry-after') ?? Number.NaN) * 1_000;
    const reset = Number(headers.get('x-ratelimit-reset') ?? Number.NaN) * 1_000 - now();
    const told = Number.isFinite(after) ? after : Number.isFinite(reset) ? reset : backoff;
    return told <= WAIT_MS_MAX ? Math.max(told, 0) : null;
  }
  return status >= 500 ? backoff : null;
}

/** GitHub's primary limit (none remaining) and its secondary ones (`retry-after`, or said in words). */
function isRateLimit({ status, headers, body }: GitHubAnswer): boolean {
  if (status === 429) return true;
  const words = (body as { message?: unknown } | null)?.message;
  return (
    status === 403 &&
    (headers.get('x-ratelimit-remaining') === '0' ||
      headers.has('retry-after') ||
      (typeof words === 'string' && /rate limit/i.test(words)))
  );
}

function errorOf({ apiUrl, repository }: GitHubOptions, result: Result): VkitError {
  if ('broken' in result) {
    return new VkitError('git_failed', `GitHub does not answer at ${apiUrl}.`, {
      hint: 'Is that the address of its API (GITHUB_API_URL)? Then run the command again; it finishes what it began.',
      cause: result.broken,
    });
  }
  const { status, headers } = result.answer;
  if (isRateLimit(result.answer)) {
    return new VkitError('rate_limited', "GitHub's rate limit is used up.", {
      hint: 'Run the command again later; it finishes what it began.',
    });
  }
  if (status === 401) {
    return new VkitError('unauthenticated', 'GitHub does not accept GITHUB_TOKEN.', {
      hint: 'It may have expired, or be of another server. In a workflow it is github.token.',
    });
  }
  if (status === 403) {
    const accepted = headers.get('x-accepted-github-permissions');
    return new VkitError('forbidden', `GITHUB_TOKEN may not do this in ${repository}.`, {
      hint: 'It needs to write contents and pull requests, and the settings of the repository must allow workflows to create pull requests.',
      ...(accepted === null ? {} : { details: { accepted_permissions: accepted } }),
    });
  }
  if (status === 404) {
    return new VkitError('not_found', `GitHub shows no repository ${repository} to GITHUB_TOKEN.`, {
      hint: 'Is the name right (GITHUB_REPOSITORY), and may the token read pull requests and contents there?',
    });
  }
  return new VkitError('git_failed', `GitHub answered ${status}.`, {
    hint: 'Run the command again; it finishes what it began.',
  });
}
