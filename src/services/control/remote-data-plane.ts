import type { EncodedRow } from '../../engines/contract.js';
import { isErrorCodeName, VkitError } from '../../errors/index.js';
import type { GrantKey } from '../../grants/issue-grant.js';
import { GRANT_ISSUER } from '../../grants/model.js';
import { grantSha256, issueTicket, TICKET_SECONDS } from '../../grants/ticket.js';
import type { Store } from '../../store/model.js';
import { boundedText } from '../../util/bounded-text.js';
import { randomId } from '../../util/random-id.js';
import { readLines } from '../../util/read-lines.js';
import type { DataPlane, ExecuteInput, Execution } from '../data-plane.js';
import type { ExecuteBody, ExecutionFailure, ExecutionLine } from '../executor/wire.js';
import { timestamp } from './context.js';

export interface RemoteDataPlaneOptions {
  org: string;
  /** Addresses of executors, without a slash at the end. */
  urls: readonly string[];
  /** The secret that control plane and executors share. */
  token: string;
  store: Pick<Store, 'tickets'>;
  key: GrantKey;
  now: () => number;
  fetch: typeof globalThis.fetch;
}

/** What an executor says before the first row: it may have to fetch and check a large bundle. */
const BEGIN_MS_MAX = 75_000;
const FAILURE_BYTES_MAX = 64 * 1024;
/** One line is one batch of rows: far more than any has. */
const LINE_CHARACTERS_MAX = 256 * 1024 * 1024;

/**
 * Executors elsewhere as the data plane: each fetch goes to one of them with a ticket of its own, to the next one where that
 * cannot be reached. Throws `unavailable` where none can.
 */
export function createRemoteDataPlane(options: RemoteDataPlaneOptions): DataPlane {
  const { urls } = options;
  let turn = 0;
  return {
    async execute(input) {
      turn += 1;
      let failure: unknown;
      for (let attempt = 0; attempt < urls.length; attempt += 1) {
        const url = urls[(turn + attempt) % urls.length] as string;
        try {
          return await executeAt(url, input, options);
        } catch (error) {
          if (!(error instanceof UnreachableError)) throw error;
          failure = error;
        }
      }
      input.signal.throwIfAborted();
      const why = failure instanceof UnreachableError ? failure.message : '';
      throw new VkitError('unavailable', `No executor takes the query: ${why}.`, {
        hint: 'Whoever runs the server sees to it that one of FUNL_URL does.',
        cause: failure,
      });
    },
    async close() {},
  };
}

/** Nothing has run: another executor may be asked. */
class UnreachableError extends Error {}

/** Nothing came in time. */
class LateError extends Error {}

async function executeAt(
  url: string,
  { jwt, grantId, aql, signal }: ExecuteInput,
  options: RemoteDataPlaneOptions,
): Promise<Execution> {
  const ticket = await newTicket(url, { jwt, grantId }, options);
  const body: ExecuteBody = { ticket, grant: jwt, aql };
  let response: Response;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new LateError()), BEGIN_MS_MAX);
  try {
    response = await options.fetch(`${url}/v1/execute`, {
      method: 'POST',
      headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, late.signal]),
    });
  } catch (cause) {
    signal.throwIfAborted();
    // It may have begun: another one is not asked.
    if (late.signal.aborted) throw broken(cause);
    throw new UnreachableError('unreachable', { cause });
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok || !response.body) throw await failureOf(response);
  const lines = parsedLines(response.body);
  const first = await next(lines, signal);
  if (!first || !('columns' in first)) throw broken();
  return {
    columns: first.columns,
    rowsMax: first.rows_max,
    truncatable: first.truncatable,
    batches: batches(lines, first.columns.length, signal),
  };
}

async function newTicket(
  url: string,
  { jwt, grantId }: { jwt: string; grantId: string },
  { org, store, key, now }: RemoteDataPlaneOptions,
): Promise<string> {
  const iat = Math.floor(now() / 1000);
  const exp = iat + TICKET_SECONDS;
  const id = randomId('tkt');
  await store.tickets.insert({ id, grant_id: grantId, expires_at: timestamp(exp * 1000) });
  const claims = { iss: GRANT_ISSUER, aud: url, jti: id, iat, exp, org } as const;
  return issueTicket({ ...claims, grant_id: grantId, grant_sha256: grantSha256(jwt) }, key);
}

async function* batches(
  lines: AsyncGenerator<ExecutionLine>,
  columns: number,
  signal: AbortSignal,
): AsyncGenerator<readonly EncodedRow[], void, undefined> {
  try {
    for (;;) {
      const line = await next(lines, signal);
      if (!line) throw broken();
      if ('done' in line) return;
      if (!('rows' in line)) continue;
      checkRows(line.rows, columns);
      yield line.rows;
    }
  } finally {
    // Ends the connection where it is not at its end, by which the executor cancels the query.
    await lines.return(undefined).catch(() => undefined);
  }
}

/** Cells go into answers as they are: each must be JSON, and a row must have as many as there are columns. */
function checkRows(rows: readonly EncodedRow[], columns: number): void {
  for (const row of rows) {
    if (!Array.isArray(row) || row.length !== columns) throw broken();
    for (const cell of row) {
      try {
        JSON.parse(cell);
      } catch (cause) {
        throw broken(cause);
      }
    }
  }
}

async function next(
  lines: AsyncGenerator<ExecutionLine>,
  signal: AbortSignal,
): Promise<ExecutionLine | null> {
  let line: IteratorResult<ExecutionLine>;
  try {
    line = await lines.next();
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof VkitError ? cause : broken(cause);
  }
  if (line.done) return null;
  if ('failed' in line.value) throw toError(line.value.failed);
  return line.value;
}

async function* parsedLines(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ExecutionLine, void, undefined> {
  for await (const line of readLines(body, LINE_CHARACTERS_MAX)) {
    yield JSON.parse(line) as ExecutionLine;
  }
}

function parsedFailure(text: string): Partial<ExecutionFailure> | null {
  try {
    return JSON.parse(text) as Partial<ExecutionFailure> | null;
  } catch {
    // A proxy's page, say: the status tells enough.
    return null;
  }
}

async function failureOf(response: Response): Promise<Error> {
  const text = await boundedText(response, FAILURE_BYTES_MAX).catch(() => 'null');
  const body = parsedFailure(text);
  const { type, error, hint } = body ?? {};
  if (response.status === 401)
    return new UnreachableError('it does not take the token (VKIT_EXECUTOR_TOKEN)');
  // Of an executor that is stopping, overloaded, or not ours: nothing has run there.
  if ([404, 429, 503].includes(response.status) || !isErrorCodeName(type))
    return new UnreachableError(`status ${response.status}`);
  return toError({ type, error: error ?? 'The executor refused.', ...(hint ? { hint } : {}) });
}

function toError({ type, error, hint }: ExecutionFailure): VkitError {
  return new VkitError(type, error, hint === undefined ? {} : { hint });
}

function broken(cause?: unknown): VkitError {
  return new VkitError('unavailable', 'The executor was lost while the query ran.', {
    hint: 'Fetch again.',
    cause,
  });
}
