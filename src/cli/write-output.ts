import { once } from 'node:events';
import { writeOutputFile } from '../services/output-file.js';

/** Rows and audit records are for whoever asked for them. */
const OUTPUT_MODE = 0o600;

export type Pieces = AsyncIterable<string | Uint8Array>;

/**
 * Writes what a command answers to a file, whole or not at all, and returns its size in bytes. An error of the pieces is
 * thrown as it is and leaves a file that was there before untouched.
 */
export async function writeOutput(path: string, content: string | Pieces): Promise<number> {
  const count = { bytes: 0 };
  await writeOutputFile({ path, flag: '--output', mode: OUTPUT_MODE }, counted(content, count));
  return count.bytes;
}

async function* counted(content: string | Pieces, count: { bytes: number }): Pieces {
  for await (const piece of typeof content === 'string' ? [content] : content) {
    count.bytes += Buffer.byteLength(piece);
    yield piece;
  }
}

/** Writes pieces to stdout as they come, waiting where its reader is slower. Ends early when the reader goes away. */
export async function pipeToStdout(pieces: Pieces): Promise<void> {
  for await (const piece of pieces) {
    if (process.stdout.destroyed) return;
    if (!process.stdout.write(piece) && !(await isDrained())) return;
  }
}

async function isDrained(): Promise<boolean> {
  try {
    await once(process.stdout, 'drain');
    return true;
  } catch {
    // The reader has gone (EPIPE): there is nobody left to write to, which is no failure of the command.
    return false;
  }
}
