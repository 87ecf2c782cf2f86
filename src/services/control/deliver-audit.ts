import type { SinkBatch, SinkPosition } from '../../audit/sinks/contract.js';
import type { OpenedSink } from '../../audit/sinks/index.js';
import { VkitError } from '../../errors/index.js';
import type { AuditSinkRow, Store } from '../../store/model.js';
import type { Job } from '../job.js';
import { nextBatch } from './next-audit-batch.js';

/** How often a sink that has everything looks for more. */
const LOOK_MS = 1_000;
/** How long one delivery may take. */
const DELIVERY_MS = 60_000;
const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 300_000;

export interface DeliveryOptions {
  store: Pick<Store, 'audit' | 'auditCheckpoints' | 'auditSinks'>;
  opened: OpenedSink;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Milliseconds of a clock that never goes back. */
  monotonic: () => number;
  /** At least 0, less than 1. */
  random: () => number;
  backoffMinMs?: number;
  everyMs?: number;
}

/**
 * Sends the log to one sink, in order, from where the sink is known to be. That is remembered in the store after each batch, so
 * that after a kill a batch comes twice at worst and none is left out. A failure is tried again ever more seldom; it holds
 * up nothing but this sink.
 */
export function deliveryJob(options: DeliveryOptions): Job {
  const { opened, monotonic, random, backoffMinMs = BACKOFF_MIN_MS, everyMs = LOOK_MS } = options;
  const { name } = opened;
  let failures = 0;
  let notBefore = 0;
  // A batch that failed is sent again as it was, so that what got through is recognised.
  let held: { from: AuditSinkRow; batch: SinkBatch } | null = null;
  let underWay: Promise<unknown> | null = null;

  const deliver = async (
    batch: SinkBatch,
    signal: AbortSignal,
    position: SinkPosition,
  ): Promise<void> => {
    const stop = new AbortController();
    const abort = () => stop.abort();
    const timer = setTimeout(abort, DELIVERY_MS);
    signal.addEventListener('abort', abort, { once: true });
    const delivery = opened.sink.deliver(batch, stop.signal, position);
    const settled = delivery.catch(() => undefined); // It is told to whoever waits below.
    underWay = settled;
    void settled.then(() => {
      if (underWay === settled) underWay = null;
    });
    try {
      await Promise.race([delivery, aborted(stop.signal)]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    // A delivery that did not end in time may still write: a second one beside it would mix their order.
    if (monotonic() < notBefore || underWay !== null) return;
    while (!signal.aborted) {
      const row = await options.store.auditSinks.begin(opened);
      if (held !== null && !isSamePlace(held.from, row)) held = null;
      const batch: SinkBatch = held?.batch ?? (await nextBatch(options, row));
      const last = batch.at(-1);
      if (last === undefined) return;
      if (!(await options.store.auditSinks.settled(name, last))) return;
      const position = await positionOf(options.store, row);
      try {
        await deliver(batch, signal, position);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        held = { from: row, batch };
        const longest = Math.min(BACKOFF_MAX_MS, backoffMinMs * 2 ** Math.min(failures - 1, 30));
        notBefore = monotonic() + longest * (0.5 + random() / 2);
        const at = new Date(options.now()).toISOString();
        await options.store.auditSinks.failed(name, { message: sentenceOf(error), at });
        return;
      }
      failures = 0;
      held = null;
      const to = { ...reached(row, batch), at: new Date(options.now()).toISOString() };
      // Another process has sent the same and come first: from where it is it goes on.
      if (!(await options.store.auditSinks.advance(row, to))) return;
    }
  };
  return { name: `audit-sink:${name}`, everyMs, run };
}

function isSamePlace(left: AuditSinkRow, right: AuditSinkRow): boolean {
  return left.seq === right.seq && left.checkpoint_seq === right.checkpoint_seq;
}

async function positionOf(
  { audit }: Pick<Store, 'audit'>,
  { seq }: AuditSinkRow,
): Promise<SinkPosition> {
  const hash = (await audit.at(seq))?.hash ?? null;
  return { seq, hash, logSeq: (await audit.head())?.seq ?? 0 };
}

function reached(
  row: AuditSinkRow,
  batch: SinkBatch,
): Pick<AuditSinkRow, 'seq' | 'checkpoint_seq'> {
  const lastOf = (kind: SinkBatch[number]['kind']) =>
    batch.filter((entry) => entry.kind === kind).at(-1)?.seq;
  return {
    seq: lastOf('record') ?? row.seq,
    checkpoint_seq: lastOf('checkpoint') ?? row.checkpoint_seq,
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = () =>
      reject(new VkitError('unavailable', `It did not answer within ${DELIVERY_MS / 1000} s.`));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** What is kept and shown of a failure: our own sentences, which hold no secret, and nothing of anybody else's. */
function sentenceOf(error: unknown): string {
  if (error instanceof VkitError) return error.message;
  const code = (error as { code?: unknown } | null)?.code;
  const word = typeof code === 'string' && /^\w{1,64}$/.test(code) ? ` (${code})` : '';
  return `It could not be delivered${word}.`;
}
