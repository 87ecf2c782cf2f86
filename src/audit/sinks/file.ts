import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { VkitError } from '../../errors/index.js';
import { batchLines, type SinkBatch, type SinkSettings, type SinkType } from './contract.js';

export interface FileSinkSettings extends SinkSettings {
  /** Absolute; its folder must be there, and not be the server's. */
  path: string;
}

const BATCH_MAX = 200;

/**
 * Entries as lines at the end of a file, on disk when a batch is delivered. Of a file that has some of a batch already, because
 * the process was killed before it could remember, only the rest is written.
 */
export const fileSink: SinkType<FileSinkSettings> = {
  batchMax: BATCH_MAX,
  lingerSeconds: 0,
  isKept: true,
  async open({ name, path }, { dataDir }) {
    await checkPlace(path, dataDir, name);
    return {
      async deliver(batch) {
        // Looked at each time: the folder can be replaced by a link, and the file moved away by what rotates logs.
        await checkPlace(path, dataDir, name);
        const file = await openFile(path, name);
        try {
          await append(file, batch, path);
        } catch (cause) {
          if (cause instanceof VkitError) throw cause;
          throw unwritable(path, cause);
        } finally {
          await file.close();
        }
      },
      close: async () => undefined,
    };
  },
};

async function checkPlace(path: string, dataDir: string, name: string): Promise<void> {
  const wrong = (why: string, hint: string) =>
    new VkitError('config_invalid', `The path of the sink ${name} ${why}.`, { hint });
  let folder: string;
  try {
    folder = await realpath(dirname(path));
  } catch {
    throw wrong('lies in no folder that is there', `Make it: mkdir -p ${dirname(path)}`);
  }
  const state = await realpath(dataDir).catch(() => dataDir);
  const inside = relative(state, join(folder, basename(path)));
  if (
    inside === '' ||
    (inside !== '..' && !inside.startsWith(`..${sep}`) && !isElsewhere(inside))
  ) {
    throw wrong("lies in the server's data directory", 'Name another folder.');
  }
  const found = await lstat(path).catch(() => null);
  if (found !== null && !found.isFile()) {
    throw wrong('is not a plain file', 'Name a file, and no link to one.');
  }
}

/** On another drive of Windows, a relative path is an absolute one. */
function isElsewhere(path: string): boolean {
  return /^[a-z]:/i.test(path);
}

async function openFile(path: string, name: string): Promise<FileHandle> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  try {
    const file = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (cause) {
    throw unwritable(path, cause);
  }
  throw new VkitError('config_invalid', `The path of the sink ${name} is not a plain file.`);
}

async function append(file: FileHandle, batch: SinkBatch, path: string): Promise<void> {
  const stats = await file.stat();
  const end = await dropTornLine(file, stats);
  const last = lastEntry(await lastLine(file, end));
  const rest = batch.filter((entry) => isMissing(entry, last));
  if (last !== null) refuseOtherLog(batch, last, path);
  if (rest.length > 0) {
    try {
      await file.appendFile(batchLines(rest));
    } catch (error) {
      // A full disk takes a part of what is written: the file ends as it did before.
      await file.truncate(end).catch(() => undefined); // The next attempt drops the torn line.
      throw error;
    }
  }
  // Also where nothing was written: what an earlier process wrote may not be on disk yet.
  await file.datasync();
  if (end === 0) await syncFolder(path);
}

interface LastEntry {
  kind: 'record' | 'checkpoint';
  seq: number;
  hash: string | null;
}

/** Whether an entry is not in the file yet. One batch at most is there that the sink does not remember. */
function isMissing(entry: SinkBatch[number], last: LastEntry | null): boolean {
  if (last === null) return true;
  // A checkpoint can stand after records that it does not cover.
  if (entry.kind === 'checkpoint') return last.kind === 'record' || entry.seq > last.seq;
  return entry.seq > last.seq;
}

/** After a backup was restored, another log can go on from where the file does not end. */
function refuseOtherLog(batch: SinkBatch, last: LastEntry, path: string): void {
  const records = batch.filter(({ kind }) => kind === 'record');
  const first = records[0];
  if (first === undefined) return;
  const same = records.find(({ seq }) => seq === last.seq);
  const isOther = same !== undefined && last.hash !== null && same.hash !== last.hash;
  if (!isOther && last.seq < first.seq + BATCH_MAX) return;
  const message = isOther
    ? `The file ${path} holds another record ${last.seq} than the log of this server.`
    : `The file ${path} goes on to record ${last.seq}, and the server remembers having written up to ${first.seq - 1}.`;
  throw new VkitError('conflict', message, {
    hint: 'Move that file away; if the server was restored from a backup, keep it: it holds what the backup lacks.',
  });
}

const NEWLINE = 0x0a;
/** Longer than any line; a file without a line feed in its last part is no file of ours. */
const LINE_BYTES_MAX = 300_000;

/** Takes off what a killed process wrote without its end, and returns the length that is left. */
async function dropTornLine(file: FileHandle, { size }: Stats): Promise<number> {
  if (size === 0) return 0;
  const tail = await read(file, Math.max(0, size - LINE_BYTES_MAX), size);
  if (tail.at(-1) === NEWLINE) return size;
  const begin = tail.lastIndexOf(NEWLINE) + 1;
  const isOurs = tail.subarray(begin, begin + 2).toString() === '{"'.slice(0, tail.length - begin);
  if (!isOurs || (begin === 0 && size > tail.length)) {
    throw new VkitError(
      'conflict',
      'The file of the sink does not hold the lines of an audit log.',
    );
  }
  const end = size - tail.length + begin;
  await file.truncate(end);
  return end;
}

async function lastLine(file: FileHandle, end: number): Promise<string> {
  if (end === 0) return '';
  const tail = await read(file, Math.max(0, end - LINE_BYTES_MAX), end - 1);
  return tail.subarray(tail.lastIndexOf(NEWLINE) + 1).toString('utf8');
}

async function read(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
  return buffer.subarray(0, bytesRead);
}

function lastEntry(line: string): LastEntry | null {
  if (line === '') return null;
  try {
    const value = JSON.parse(line) as Partial<LastEntry> & { checkpoint?: Partial<LastEntry> };
    const { seq, hash } = value.checkpoint ?? value;
    if (!Number.isSafeInteger(seq)) return null;
    const kind = value.checkpoint ? 'checkpoint' : 'record';
    return { kind, seq: seq as number, hash: typeof hash === 'string' ? hash : null };
  } catch {
    // Somebody else's line: from here on the log goes on where it is known to be.
    return null;
  }
}

/** The name of a new file is on disk when its folder is. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unwritable(path: string, cause: unknown): VkitError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  return new VkitError('unavailable', `The file ${path} cannot be written (${code}).`, { cause });
}
