import type { FileHandle } from 'node:fs/promises';

/** One line at the end of a file of the log. */
export interface TailEntry {
  kind: 'record' | 'checkpoint';
  /** Of the record, or of the last one that the checkpoint covers. */
  seq: number;
  /** Of that record; null where the line says none. */
  hash: string | null;
}

export const NEWLINE = 0x0a;
/** Longer than any line; a file without a line feed in its last part is no file of ours. */
export const LINE_BYTES_MAX = 300_000;
/** Far above the lines of a batch and of the checkpoints that can stand between. */
const TAIL_BYTES_MAX = 4_194_304;

/**
 * What a file of whole lines ends with, the last line first, back to the first record that is numbered `downTo` or below. Ends
 * earlier at a line that is none of the log's, at the beginning of the file, and after TAIL_BYTES_MAX.
 */
export async function readTail(
  file: FileHandle,
  end: number,
  downTo: number,
): Promise<readonly TailEntry[]> {
  for (let bytes = Math.min(end, LINE_BYTES_MAX); end > 0; bytes = Math.min(end, bytes * 4)) {
    const part = await readPart(file, end - bytes, end);
    const { entries, isWhole } = entriesOf(part, { isFirst: bytes === end, downTo });
    if (isWhole || bytes === end || bytes >= TAIL_BYTES_MAX) return entries;
  }
  return [];
}

interface TailPart {
  entries: TailEntry[];
  /** Whether what stands before it does not matter. */
  isWhole: boolean;
}

function entriesOf(
  part: Buffer,
  { isFirst, downTo }: { isFirst: boolean; downTo: number },
): TailPart {
  const entries: TailEntry[] = [];
  let end = part.length - 1;
  while (end > 0) {
    const begin = part.lastIndexOf(NEWLINE, end - 1) + 1;
    // The line is cut off where the part begins.
    if (begin === 0 && !isFirst) return { entries, isWhole: false };
    const entry = entryOf(part.subarray(begin, end).toString('utf8'));
    // Somebody else's line: from here on the log goes on where it is known to be.
    if (entry === null) return { entries, isWhole: true };
    entries.push(entry);
    if (entry.kind === 'record' && entry.seq <= downTo) return { entries, isWhole: true };
    end = begin - 1;
  }
  return { entries, isWhole: isFirst };
}

function entryOf(line: string): TailEntry | null {
  try {
    const value = JSON.parse(line) as Partial<TailEntry> & { checkpoint?: Partial<TailEntry> };
    const { seq, hash } = value.checkpoint ?? value;
    if (!Number.isSafeInteger(seq)) return null;
    const kind = value.checkpoint ? 'checkpoint' : 'record';
    return { kind, seq: seq as number, hash: typeof hash === 'string' ? hash : null };
  } catch {
    // No JSON, or no object: not a line of ours.
    return null;
  }
}

export async function readPart(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
  return buffer.subarray(0, bytesRead);
}
