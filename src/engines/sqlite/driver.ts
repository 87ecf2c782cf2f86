import { resolve } from 'node:path';
import type { CompiledQuery } from '../../aql/plan.js';
import type {
  ConnectionOptions,
  ConnectionTarget,
  Connector,
  EncodedRow,
  RunOptions,
} from '../contract.js';
import { type DriverErrors, driverErrors } from '../driver-error.js';
import type { ChildReply, ChildRequest } from './protocol.js';
import type { WorkerReply } from './worker.js';
import {
  createWorkerPool,
  type HeldWorker,
  type WorkerLimits,
  type WorkerPool,
} from './worker-pool.js';

const WORKERS_MAX = 4;
const BATCH_ROWS = 1_000;
const SCAN_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 1_000;

/**
 * Opens a file read-only, in child processes that start with the first use. A file that is not there
 * is `datasource_unreachable` and is not created.
 */
export async function connectSqlite(
  target: ConnectionTarget,
  options: ConnectionOptions = {},
): Promise<Connector> {
  const path = resolve(String(target.config.path));
  const errors = driverErrors(target.id, []);
  const pool = createWorkerPool(options.poolMax ?? WORKERS_MAX, errors);

  const ask = async <T extends ChildReply['type']>(
    request: ChildRequest,
    timeoutMs: number,
    type: T,
  ): Promise<ChildReply & { type: T }> => {
    const held = await pool.acquire({ timeoutMs });
    try {
      return expectReply(await held.worker.ask(request, { timeoutMs }), type, timeoutMs, errors);
    } finally {
      held.release();
    }
  };

  return {
    async test() {
      const request = { type: 'test', path } as const;
      const { server, latencyMs } = await ask(request, TEST_TIMEOUT_MS, 'tested');
      return { server, latencyMs };
    },
    async introspect(options = {}) {
      const { include = [], exclude = [], timeoutMs = SCAN_TIMEOUT_MS } = options;
      const { withDefinitions = false } = options;
      const request = { type: 'introspect', path, include, exclude, withDefinitions } as const;
      return (await ask(request, timeoutMs, 'schema')).schema;
    },
    async *run(query, run) {
      yield* streamRows(pool, errors, path, query, run);
    },
    use: pool.use,
    close: () => pool.close(),
  };
}

/** Streams the batches of a query, each computed when it is asked for. */
async function* streamRows(
  pool: WorkerPool,
  errors: DriverErrors,
  path: string,
  query: CompiledQuery,
  options: RunOptions,
): AsyncGenerator<readonly EncodedRow[]> {
  const { timeoutMs, signal } = options;
  const held = await pool.acquire(options);
  const abandon = () => {
    held.worker.kill();
    held.release();
  };
  signal?.addEventListener('abort', abandon, { once: true });
  const ask = createBudget(held, timeoutMs, signal);
  let isRunning = true;
  try {
    let request: ChildRequest = {
      type: 'run',
      path,
      sql: query.sql,
      params: query.params,
      types: query.columns.map(({ type }) => type),
      tables: query.tables,
      batchRows: Math.max(1, options.batchRows ?? BATCH_ROWS),
    };
    while (isRunning) {
      const reply = await ask(request);
      isRunning = reply.type === 'batch' && !reply.done;
      if (!isRunning) held.release();
      if (signal?.aborted || pool.isClosed) throw errors.interrupted();
      const { rows } = expectReply(reply, 'batch', timeoutMs, errors);
      if (rows.length > 0) yield rows;
      request = { type: 'next' };
    }
  } finally {
    signal?.removeEventListener('abort', abandon);
    // Between two batches the child waits: it can be told to stop and used again.
    if (isRunning && held.worker.isAlive) {
      await held.worker.ask({ type: 'stop' }, { timeoutMs: STOP_TIMEOUT_MS });
    }
    held.release();
  }
}

/** Asks a worker; the time counts while the child works, not while the reader does. */
function createBudget(
  { worker }: HeldWorker,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): (request: ChildRequest) => Promise<WorkerReply> {
  let leftMs = timeoutMs;
  return async (request) => {
    const limits: WorkerLimits = { timeoutMs: Math.max(1, leftMs), signal };
    const startedAt = performance.now();
    const reply = await worker.ask(request, limits);
    leftMs -= performance.now() - startedAt;
    return reply;
  };
}

function expectReply<T extends ChildReply['type']>(
  reply: WorkerReply,
  type: T,
  timeoutMs: number,
  errors: DriverErrors,
): ChildReply & { type: T } {
  const isExpected = (answer: WorkerReply): answer is ChildReply & { type: T } =>
    answer.type === type;
  if (isExpected(reply)) return reply;
  switch (reply.type) {
    case 'overtime':
      throw errors.timeout(timeoutMs);
    case 'aborted':
      throw errors.interrupted();
    case 'changed':
      throw errors.schemaChanged(reply.dataset, reply.difference);
    case 'lost':
      throw errors.failed(reply.reason);
    case 'failed': {
      const { cause, reason, code } = reply;
      const error = Object.assign(new Error(reason), { code });
      if (cause === 'unreachable') throw errors.unreachable(error);
      if (cause === 'locked') throw errors.timeout(timeoutMs, error);
      throw errors.failed(error);
    }
    default:
      throw errors.failed(`The SQLite process answered "${reply.type}".`);
  }
}
