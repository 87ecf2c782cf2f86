import type { OutputColumn } from '../../aql/plan.js';
import type { EncodedRow } from '../../engines/contract.js';
import { VkitError } from '../../errors/index.js';
import type { Execution } from '../data-plane.js';
import { queryEnded } from './audit-parts.js';
import type { CallMeta, ControlContext } from './context.js';
import type { Permit } from './kept-permits.js';
import type { RunningQuery } from './running-queries.js';

/** What a fetch goes by once everything has let it through. */
export interface Permitted extends Permit {
  /** The id of the record that says so. */
  startedId: string;
  /** Resolves once that record is on disk: before it has, no row leaves. */
  onDisk(): Promise<void>;
}

/** An answer that is on its way. */
export interface FetchStream {
  columns: readonly OutputColumn[];
  maskedFields: readonly string[];
  /** The rows at most where a cap bounds them and not the query itself: an answer of as many may have been cut. */
  rowsCap: number | null;
  /** To be read to their end or ended early; where nobody begins to read, `abort` ends them. */
  batches: AsyncGenerator<readonly EncodedRow[], void, undefined>;
  /** Known after the last batch. */
  outcome(): { rowCount: number; truncated: boolean };
  /** Aborted once the answer must not go on, with a VkitError as its reason: whoever writes it cuts it off. */
  signal: AbortSignal;
  abort(reason: VkitError): void;
  /** Says that nobody reads any more; without effect on an answer that has ended. */
  leave(): void;
}

export interface AnswerInput {
  ctx: ControlContext;
  call: CallMeta;
  permitted: Permitted;
  execution: Execution;
  pull: AsyncIterator<readonly EncodedRow[]>;
  first: IteratorResult<readonly EncodedRow[]>;
  running: RunningQuery;
  startedAt: number;
}

/**
 * The batches of a query that has begun, up to the rows it may give. However they end (read to the end, ended early, aborted
 * before or after somebody began to read, past the deadline), the query is ended in the database and its outcome is
 * recorded, once. An answer is complete only when that record is on disk: whoever has all of it can find it in the log.
 */
export function answerStream(input: AnswerInput): FetchStream {
  const { ctx, execution, running, pull } = input;
  // Behind max_rows no row is looked for, or paging would count what may not be read: for all that is known, there are more.
  const state = { rowCount: 0, truncated: execution.rowsMax === 0 };
  let begun = false;
  let ended = false;

  const end = async (failure: unknown): Promise<void> => {
    if (ended) return;
    ended = true;
    clearTimeout(deadline);
    // Whatever ending the query throws, it has ended, and the failure that counts is the one that is recorded.
    await pull.return?.().catch(() => undefined);
    const outcome = { ...input, rows: state.rowCount, error: failure };
    await recordOutcome(ctx, outcome).finally(() => running.end());
  };
  const deadlineMs = ctx.settings.streamDeadlineSeconds * 1000;
  const deadline = setTimeout(() => {
    const message = `The answer was not read within ${ctx.settings.streamDeadlineSeconds} s.`;
    running.abort(new VkitError('query_timeout', message, { hint: 'Read less at once.' }));
  }, deadlineMs);
  const onAbort = () => {
    // A generator that nobody has begun runs no `finally`.
    if (!begun) end(running.signal.reason).catch(() => undefined);
  };
  running.signal.addEventListener('abort', onAbort, { once: true });

  async function* deliver(): AsyncGenerator<readonly EncodedRow[], void, undefined> {
    begun = true;
    // Where the loop below is left by none of its own ways, whoever read has gone.
    let failure: unknown = GONE;
    let isOnDisk = false;
    try {
      const isOfFewRows = execution.rowsMax <= FEW_ROWS_MAX;
      let next = input.first;
      while (!next.done) {
        running.signal.throwIfAborted();
        const room = execution.rowsMax - state.rowCount;
        const rows = next.value.length > room ? next.value.slice(0, room) : next.value;
        state.truncated ||= execution.truncatable && next.value.length > room;
        const after = state.truncated ? ALL_READ : isOfFewRows ? await pull.next() : undefined;
        if (isOfFewRows && after?.done) {
          running.signal.throwIfAborted();
          state.rowCount += rows.length;
          await end(null);
        } else {
          if (!isOnDisk) await input.permitted.onDisk();
          isOnDisk = true;
          state.rowCount += rows.length;
        }
        if (rows.length > 0) yield rows;
        next = after ?? (await pull.next());
      }
      if (!ended) running.signal.throwIfAborted();
      failure = null;
    } catch (error) {
      failure = error;
      throw running.signal.aborted ? running.signal.reason : error;
    } finally {
      const reason = failure === GONE ? clientGone() : failure;
      await end(running.signal.aborted ? running.signal.reason : reason);
    }
  }

  return {
    columns: execution.columns,
    maskedFields: execution.columns
      .filter(({ masked }) => masked !== undefined)
      .map(({ name }) => name),
    rowsCap: execution.truncatable || execution.rowsMax === 0 ? execution.rowsMax : null,
    batches: deliver(),
    outcome: () => ({ ...state }),
    signal: running.signal,
    abort: running.abort,
    leave() {
      if (!ended) running.abort(clientGone());
    },
  };
}

/** Rows of an answer whose outcome is known before one of them leaves, so that both of its records are waited for at once. */
const FEW_ROWS_MAX = 100;

const ALL_READ = { done: true, value: undefined } as const;

const GONE = Symbol('the client went away');

function clientGone(): VkitError {
  return new VkitError('interrupted', 'The client went away.');
}

export interface OutcomeInput {
  call: CallMeta;
  permitted: Permitted;
  startedAt: number;
  rows: number;
  error: unknown;
}

/** The second record: how many rows left, or why it ended. Only the error's code is recorded, never an engine's text. */
export async function recordOutcome(ctx: ControlContext, input: OutcomeInput): Promise<void> {
  const { call, permitted, startedAt, rows, error } = input;
  const event = queryEnded(ctx, permitted, call, {
    execution_time_ms: ctx.now() - startedAt,
    rows_returned: rows,
    ...(error === null ? {} : { error: error instanceof VkitError ? error.code : 'internal' }),
  });
  const { onDisk } = await ctx.store.record(event);
  await onDisk();
  ctx.activity.fetches[error === null ? 'executed' : 'failed'] += 1;
  ctx.activity.rows += rows;
}
