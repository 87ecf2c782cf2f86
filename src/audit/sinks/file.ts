import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { VkitError } from '../../errors/index.js';
import {
  batchLines,
  type SinkBatch,
  type SinkPosition,
  type SinkSettings,
  type SinkType,
} from './contract.js';
import { LINE_BYTES_MAX, NEWLINE, readPart, readTail, type TailEntry } from './read-tail.js';
import { BATCH_MAX, refuseOtherLog } from './refuse-other-log.js';

export interface FileSinkSettings extends SinkSettings {
  /** Absolute; its folder must be there, and not be the server's. */
  path: string;
}

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
      async deliver(batch, _signal, position) {
        // Looked at each time: the folder can be replaced by a link, and the file moved away by what rotates logs.
        await checkPlace(path, dataDir, name);
        const file = await openFile(path, name);
        try {
          await append(file, { batch, position, path });
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

async function append(
  file: FileHandle,
  { batch, position, path }: { batch: SinkBatch; position: SinkPosition; path: string },
): Promise<void> {
  const stats = await file.stat();
  const end = await dropTornLine(file, stats);
  const tail = await readTail(file, end, position.seq);
  refuseOtherLog(tail, { batch, position, path });
  const rest = batch.filter((entry) => isMissing(entry, tail));
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

/** Whether an entry is not in the file yet. One batch at most is there that the sink does not remember. */
function isMissing(entry: SinkBatch[number], tail: readonly TailEntry[]): boolean {
  // A checkpoint can stand after records that it does not cover.
  return !tail.some(
    ({ kind, seq }) =>
      kind === entry.kind && (kind === 'record' ? seq >= entry.seq : seq === entry.seq),
  );
}

/** Takes off what a killed process wrote without its end, and returns the length that is left. */
async function dropTornLine(file: FileHandle, { size }: Stats): Promise<number> {
  if (size === 0) return 0;
  const tail = await readPart(file, Math.max(0, size - LINE_BYTES_MAX), size);
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
