import type { DriverErrors } from '../driver-error.js';
import { createSlots, type PoolUse } from '../slots.js';
import { type SqliteWorker, startWorker } from './worker.js';

/** Long enough for the next question of a person, short enough not to hold memory for nothing. */
const IDLE_TIMEOUT_MS = 30_000;

/** An idle worker has nothing to do but answer. */
const ANSWER_TIMEOUT_MS = 2_000;

export interface WorkerLimits {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** A worker that is used by one operation. */
export interface HeldWorker {
  readonly worker: SqliteWorker;
  /** Back to the pool, if it lives; may be called again without effect. */
  release(): void;
}

export interface WorkerPool {
  readonly isClosed: boolean;
  /** Throws VkitError. */
  acquire(limits: WorkerLimits): Promise<HeldWorker>;
  use(): PoolUse;
  /** Kills all workers, the busy ones too. */
  close(): Promise<void>;
}

export function createWorkerPool(workersMax: number, errors: DriverErrors): WorkerPool {
  const slots = createSlots(workersMax);
  const idle = new Map<SqliteWorker, NodeJS.Timeout>();
  const busy = new Set<SqliteWorker>();
  let isClosed = false;

  /** An idle worker that answers; one that was killed from outside may not have been noticed yet. */
  const takeIdle = async (): Promise<SqliteWorker | undefined> => {
    for (const [worker, timer] of idle) {
      clearTimeout(timer);
      idle.delete(worker);
      const reply = await worker.ask({ type: 'stop' }, { timeoutMs: ANSWER_TIMEOUT_MS });
      if (reply.type === 'stopped') return worker;
    }
    return undefined;
  };

  const putBack = (worker: SqliteWorker) => {
    busy.delete(worker);
    if (!worker.isAlive) return;
    const retire = () => {
      idle.delete(worker);
      worker.kill();
    };
    idle.set(worker, setTimeout(retire, IDLE_TIMEOUT_MS).unref());
  };

  return {
    get isClosed() {
      return isClosed;
    },
    async acquire({ timeoutMs, signal }) {
      if (isClosed) throw errors.unreachable('The connector is closed.');
      const slot = await slots.acquire(timeoutMs, signal);
      if (slot === 'aborted') throw errors.interrupted();
      if (slot === 'busy') throw errors.busy(timeoutMs);
      const worker = (await takeIdle()) ?? (await startWorker());
      if ('type' in worker || isClosed) {
        slot();
        if ('type' in worker) throw errors.unreachable(worker.reason);
        // It was closed meanwhile.
        worker.kill();
        throw errors.interrupted();
      }
      busy.add(worker);
      let isHeld = true;
      const release = () => {
        if (!isHeld) return;
        isHeld = false;
        putBack(worker);
        slot();
      };
      return { worker, release };
    },
    use: slots.use,
    async close() {
      isClosed = true;
      for (const timer of idle.values()) clearTimeout(timer);
      for (const worker of [...idle.keys(), ...busy]) worker.kill();
      idle.clear();
    },
  };
}
