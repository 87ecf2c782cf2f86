import { lstat, readdir, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';

/** Relative to a project's root. It is there while a command changes packs, and stays where that command was killed. */
export const JOURNAL_PATH = '.vkit/packs.journal.json';

/** A journal of a process that is alive and older than this was left by another one that had its id. */
const RUNNING_MS_MAX = 10 * 60_000;

/** Some packs of 10 MB, before and after, in base64. */
const JOURNAL_BYTES_MAX = 128 * 1_048_576;

/** Temporary files of journals that were not complete yet, by the process that wrote them. */
const STAGED = /^\.packs\.journal\.([1-9][0-9]{0,9})\.tmp$/;

const TARGET = /^config\/policies\/[a-z][a-z0-9_]*__[0-9]{2}__[a-z][a-z0-9_]*\.yaml$/;

export interface JournalChange {
  path: string;
  /** Bytes as base64; `null` is a file that is not there. */
  before: string | null;
  after: string | null;
}

/** What a change of packs is about to do, and how to undo it. */
export interface Journal {
  pid: number;
  changes: readonly JournalChange[];
  /** The text of `.vkit/packs.yaml`; `null` where it is not there. */
  stateBefore: string | null;
  stateAfter: string;
}

/** Whether a path is one that a pack may write: a policy file named after a pack. */
export function isPackTarget(path: string): boolean {
  return TARGET.test(path);
}

/**
 * Writes the journal, whole or not at all, and with it takes the lock: throws `lock_held` where another one is there.
 */
export async function takeJournal(root: string, journal: Journal): Promise<void> {
  const text = JSON.stringify({ format_version: 'v1', ...journal });
  if (text.length > JOURNAL_BYTES_MAX) {
    throw new VkitError('limit_exceeded', 'The change of the packs is too large to be undone.', {
      hint: 'Change fewer packs at once.',
    });
  }
  const temporaryName = `.packs.journal.${journal.pid}.tmp`;
  await atomicWrite(join(root, JOURNAL_PATH), text, { exclusive: true, temporaryName }).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? lockHeld() : error;
    },
  );
}

/** Removes the journal; one that is gone already was cleared up by a command that ran beside this one. */
export async function dropJournal(root: string): Promise<void> {
  await unlinkIfThere(join(root, JOURNAL_PATH));
}

/**
 * The journal that a killed command left; `null` where there is none. Throws `lock_held` where its command still runs, and
 * `config_invalid` for one that vkit did not write.
 */
export async function abandonedJournal(root: string, now: Date): Promise<Journal | null> {
  const path = join(root, JOURNAL_PATH);
  const found = await lstat(path).catch(ifMissing(null));
  if (found === null) return null;
  if (!found.isFile() || found.size > JOURNAL_BYTES_MAX) throw unreadable();
  const text = await readFile(path, 'utf8').catch(ifMissing(null));
  if (text === null) return null;
  const journal = parseJournal(text);
  if (isRunning(journal.pid, found.mtimeMs, now)) throw lockHeld();
  return journal;
}

/** Removes the beginnings of journals whose commands were killed before anything was changed. */
export async function dropStagedJournals(root: string, now: Date): Promise<void> {
  const folder = join(root, dirname(JOURNAL_PATH));
  for (const name of await readdir(folder).catch(ifMissing([]))) {
    const pid = Number(STAGED.exec(name)?.[1] ?? 0);
    if (pid === 0) continue;
    const found = await lstat(join(folder, name)).catch(ifMissing(null));
    if (found !== null && !isRunning(pid, found.mtimeMs, now)) {
      await unlinkIfThere(join(folder, name));
    }
  }
}

export function lockHeld(): VkitError {
  return new VkitError('lock_held', 'Another vkit command is changing the packs of this project.', {
    hint: 'Wait until it is done, then try again. What a killed one left is cleared up after ten minutes at the latest.',
  });
}

export async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch(ifMissing(undefined));
}

function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };
}

function parseJournal(text: string): Journal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Whatever is wrong with it, the advice is the same.
    throw unreadable();
  }
  if (!isJournal(value)) throw unreadable();
  const foreign = value.changes.find(({ path }) => !isPackTarget(path));
  if (foreign === undefined) return value;
  throw new VkitError(
    'config_invalid',
    `${JOURNAL_PATH} names a file that is no pack's: ${foreign.path}.`,
    { hint: ADVICE },
  );
}

function isJournal(value: unknown): value is Journal {
  if (typeof value !== 'object' || value === null) return false;
  const { format_version, pid, changes, stateBefore, stateAfter } = value as Partial<Journal> & {
    format_version?: unknown;
  };
  return (
    format_version === 'v1' &&
    Number.isSafeInteger(pid) &&
    isTextOrNull(stateBefore) &&
    typeof stateAfter === 'string' &&
    Array.isArray(changes) &&
    changes.every(
      (change: Partial<JournalChange> | null) =>
        typeof change?.path === 'string' &&
        isTextOrNull(change.before) &&
        isTextOrNull(change.after),
    )
  );
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

const ADVICE = `Restore config/policies and .vkit/packs.yaml from Git, then remove ${JOURNAL_PATH}.`;

function unreadable(): VkitError {
  return new VkitError('config_invalid', `${JOURNAL_PATH} cannot be read.`, { hint: ADVICE });
}

function isRunning(pid: number, since: number, now: Date): boolean {
  if (pid === process.pid || now.getTime() - since >= RUNNING_MS_MAX) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
