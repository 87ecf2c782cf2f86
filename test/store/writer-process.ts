import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface WriterProcess {
  pid: number;
  /** What it has printed, whole lines. */
  lines: string[];
  /** Resolves when `count` lines are there or the process has ended. */
  printed(count: number): Promise<void>;
  /** SIGKILL; resolves when the process is gone and everything it printed has been read. */
  kill(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('store-writer.ts', import.meta.url));

/** Starts store-writer.ts over a data directory. */
export function startWriter(dataDir: string, writers: number): WriterProcess {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', SCRIPT, dataDir, String(writers)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const { stdout, pid } = child;
  if (stdout === null || pid === undefined) throw new Error('The writer did not start.');
  const lines: string[] = [];
  const reader = createInterface({ input: stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]);
  return {
    pid,
    lines,
    async printed(count) {
      const over = ended.then(() => true);
      while (lines.length < count) {
        const wait = new Promise<false>((resolve) => setTimeout(resolve, 5, false));
        if (await Promise.race([over, wait])) return;
      }
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
