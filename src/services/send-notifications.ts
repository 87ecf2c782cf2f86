import { VkitError } from '../errors/index.js';
import type { Channel } from '../notify/channel.js';
import { retryAfterSeconds } from '../notify/delivery-failure.js';
import type { Notice } from '../notify/notice.js';
import type { NotificationRow, Store } from '../store/model.js';
import type { Job } from './job.js';

export interface NotificationJobOptions {
  store: Pick<Store, 'notifications' | 'transaction'>;
  channels: ReadonlyMap<string, Channel>;
  /** Milliseconds since the epoch. */
  now: () => number;
}

const EVERY_MS = 1_000;
/** Of one channel in one run; the next run goes on. */
const MESSAGES_MAX = 50;
/** Between two attempts: twice as long each time. */
const RETRY_SECONDS_MIN = 5;
const RETRY_SECONDS_MAX = 15 * 60;
const RETRY_DOUBLINGS_MAX = 16;
/** A message that nobody took for so long is given up, and kept for so long after. */
const GIVEN_UP_AFTER_MS = 72 * 3_600_000;
const DEAD_KEPT_MS = 30 * 24 * 3_600_000;
const CLEANED_EVERY_MS = 10 * 60_000;
const CLEANED_MAX = 500;
const ERROR_CHARACTERS_MAX = 300;

/**
 * Sends what is in the outbox: at least once, each message under the same id however often. A row goes once its channel took the
 * message; a process that is killed in between sends it again.
 */
export function notificationJob(options: NotificationJobOptions): Job {
  let cleanedAt = Number.NEGATIVE_INFINITY;
  return {
    name: 'notifications',
    everyMs: EVERY_MS,
    async run(signal) {
      const channels = [...options.channels];
      // One channel that is slow keeps no other waiting.
      const ended = await Promise.allSettled(
        channels.map(([name, channel]) => sendDue(options, name, channel, signal)),
      );
      if (options.now() - cleanedAt >= CLEANED_EVERY_MS) {
        cleanedAt = options.now();
        await clean(options);
      }
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
    },
  };
}

async function sendDue(
  { store, now }: NotificationJobOptions,
  name: string,
  channel: Channel,
  signal: AbortSignal,
): Promise<void> {
  const rows = await store.notifications.due(name, timeOf(now()), MESSAGES_MAX);
  for (const row of rows) {
    if (signal.aborted) return;
    try {
      await channel.send({ id: row.id, notice: row.notice as unknown as Notice }, signal);
    } catch (error) {
      if (signal.aborted) return;
      await store.notifications.update(row.id, afterFailure(row, error, now()));
      // The others would fail alike, each after its own time.
      return;
    }
    await store.notifications.remove(row.id);
  }
}

function afterFailure(row: NotificationRow, error: unknown, now: number) {
  const attempts = row.attempts + 1;
  const doubled = RETRY_SECONDS_MIN * 2 ** Math.min(row.attempts, RETRY_DOUBLINGS_MAX);
  const seconds = Math.max(Math.min(doubled, RETRY_SECONDS_MAX), retryAfterSeconds(error) ?? 0);
  const isOver = now - Date.parse(row.created_at) >= GIVEN_UP_AFTER_MS;
  // What vkit did not write itself may repeat a secret.
  const why = error instanceof VkitError ? error.message : 'The channel failed.';
  return {
    attempts,
    state: isOver ? ('dead' as const) : ('waiting' as const),
    next_attempt_at: timeOf(now + seconds * 1000),
    last_error: why.slice(0, ERROR_CHARACTERS_MAX),
  };
}

/** Gives up what nobody takes any more, that of channels which are configured no longer too, and forgets what was given up long ago. */
async function clean({ store, now }: NotificationJobOptions): Promise<void> {
  const old = timeOf(now() - GIVEN_UP_AFTER_MS);
  for (const { id } of await store.notifications.before('waiting', old, CLEANED_MAX)) {
    await store.notifications.update(id, { state: 'dead' });
  }
  const ancient = timeOf(now() - DEAD_KEPT_MS);
  for (const { id } of await store.notifications.before('dead', ancient, CLEANED_MAX)) {
    await store.notifications.remove(id);
  }
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
