import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../util/package-root.js';
import type { ChildReply, ChildRequest } from './protocol.js';

/** A child needs a tenth of a second; a machine that takes longer is no reason to give up. */
const START_TIMEOUT_MS = 20_000;
/** A query that needs more than this ends its child and nobody else. */
const HEAP_MEGABYTES_MAX = 512;

/** The answer to a request, or why there is none; the child is dead then. */
export type WorkerReply =
  | ChildReply
  | { type: 'overtime' }
  | { type: 'aborted' }
  | { type: 'lost'; reason: string };

/** A child process with SQLite in it. It lets this process exit while it has nothing to do. */
export interface SqliteWorker {
  readonly isAlive: boolean;
  /** Sends one request and waits for its reply; overtime and abort kill the child. */
  ask(
    request: ChildRequest,
    limits: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<WorkerReply>;
  kill(): void;
}

/** Starts a child and waits until it is ready; `lost` where it does not start. */
export async function startWorker(): Promise<SqliteWorker | { type: 'lost'; reason: string }> {
  const child = fork(join(packageRoot(), 'dist', 'sqlite-child.js'), [], {
    // None of this process's: its loaders and inspectors, its credentials, its terminal.
    execArgv: [`--max-old-space-size=${HEAP_MEGABYTES_MAX}`],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  const worker = workerOf(child);
  const reply = await worker.expect({ timeoutMs: START_TIMEOUT_MS }, () => undefined);
  if (reply.type === 'ready') return worker;
  worker.kill();
  return { type: 'lost', reason: 'The SQLite process did not start; is the package built?' };
}

function workerOf(child: ChildProcess) {
  let isAlive = true;
  let settle: ((reply: WorkerReply) => void) | undefined;

  const lose = (reason: string) => {
    isAlive = false;
    settle?.({ type: 'lost', reason });
  };
  child.on('message', (reply: ChildReply) => settle?.(reply));
  child.on('error', (error) => lose(error.message));
  child.on('exit', (code, signal) => lose(`The SQLite process ended: ${signal ?? code}.`));

  const kill = () => {
    isAlive = false;
    child.kill('SIGKILL');
  };

  const expect = async (
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
    begin: () => void,
  ): Promise<WorkerReply> => {
    if (signal?.aborted) return { type: 'aborted' };
    if (!isAlive) return { type: 'lost', reason: 'The SQLite process has ended.' };
    child.ref();
    child.channel?.ref();
    const reply = await new Promise<WorkerReply>((resolve) => {
      const stop = (why: WorkerReply) => {
        kill();
        resolve(why);
      };
      const onAbort = () => stop({ type: 'aborted' });
      const timer = setTimeout(() => stop({ type: 'overtime' }), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      settle = (answer) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        resolve(answer);
      };
      begin();
    });
    settle = undefined;
    child.unref();
    child.channel?.unref();
    return reply;
  };

  return {
    get isAlive() {
      return isAlive;
    },
    expect,
    kill,
    ask: (request: ChildRequest, limits: { timeoutMs: number; signal?: AbortSignal | undefined }) =>
      expect(limits, () => {
        child.send(request, (error) => {
          if (error) lose(error.message);
        });
      }),
  };
}
