import { lstat, mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { PACKS_STATE_PATH } from './packs-state.js';

export const JOURNAL_PATH = '.vkit/packs.journal.json';

/** A journal of a process that is alive and older than this was left by another one that had its id. */
const RUNNING_MS_MAX = 10 * 60_000;

const TARGET = /^config\/policies\/[a-z][a-z0-9_]*__[0-9]{2}__[a-z][a-z0-9_]*\.yaml$/;

/** What one file was and becomes; `null` is a file that is not there. */
export interface FileChange {
  path: string;
  before: Uint8Array | null;
  after: Uint8Array | null;
}

interface Journal {
  format_version: 'v1';
  pid: number;
  /** Bytes as base64. */
  changes: readonly { path: string; before: string | null; after: string | null }[];
  state_after: string;
}

/**
 * Changes policy files and the packs' state together. A journal is on disk before the first file changes and gone after the
 * state is written, so that an error undoes the change at once, and a kill is undone by the next `repairPacks`. Throws
 * `file_exists` where a new file's place is taken, `lock_held` while another process is at it.
 */
export async function applyChanges(
  root: string,
  changes: readonly FileChange[],
  stateAfter: string,
): Promise<void> {
  for (const { path, before } of changes) {
    if (!TARGET.test(path)) throw new VkitError('internal', `A pack may not write ${path}.`);
    if (before === null) await refuseTaken(root, path);
  }
  const journal: Journal = {
    format_version: 'v1',
    pid: process.pid,
    changes: changes.map(({ path, before, after }) => ({
      path,
      before: encode(before),
      after: encode(after),
    })),
    state_after: stateAfter,
  };
  await mkdir(join(root, dirname(JOURNAL_PATH)), { recursive: true });
  await mkdir(join(root, 'config/policies'), { recursive: true });
  await atomicWrite(join(root, JOURNAL_PATH), JSON.stringify(journal), { exclusive: true }).catch(
    heldLock,
  );
  try {
    for (const { path, before, after } of changes) await put(root, path, after, before === null);
    await atomicWrite(join(root, PACKS_STATE_PATH), stateAfter);
  } catch (error) {
    await settle(root, journal);
    throw error;
  }
  await unlink(join(root, JOURNAL_PATH));
}

/**
 * Finishes or undoes what a killed command left, and returns what it found: `null` where all is well. Files that were edited since
 * are left as they are and listed. Every command that touches packs calls it first. Throws `lock_held` where the other command
 * is still running.
 */
export async function repairPacks(
  root: string,
  now: Date,
): Promise<{ outcome: 'undone' | 'finished'; kept: readonly string[] } | null> {
  const path = join(root, JOURNAL_PATH);
  const found = await lstat(path).catch(() => null);
  if (found === null) return null;
  const journal = parseJournal(await readFile(path, 'utf8'));
  if (
    journal.pid !== process.pid &&
    isAlive(journal.pid) &&
    now.getTime() - found.mtimeMs < RUNNING_MS_MAX
  ) {
    heldLock({ code: 'EEXIST' });
  }
  return settle(root, journal);
}

function parseJournal(text: string): Journal {
  try {
    const journal = JSON.parse(text) as Journal;
    if (journal.format_version === 'v1' && Array.isArray(journal.changes)) return journal;
  } catch {
    // Falls through: whatever is wrong with it, the advice is the same.
  }
  throw new VkitError('config_invalid', `${JOURNAL_PATH} cannot be read.`, {
    hint: `Restore config/policies and .vkit/packs.yaml from Git, then remove ${JOURNAL_PATH}.`,
  });
}

/** The state is written last: where it is the new one, so is everything else. */
async function settle(
  root: string,
  journal: Journal,
): Promise<{ outcome: 'undone' | 'finished'; kept: readonly string[] }> {
  const state = await readFile(join(root, PACKS_STATE_PATH), 'utf8').catch(() => null);
  const isFinished = state === journal.state_after;
  const kept: string[] = [];
  for (const { path, before, after } of journal.changes) {
    if (!TARGET.test(path))
      throw new VkitError(
        'config_invalid',
        `${JOURNAL_PATH} names a file that is no pack's: ${path}.`,
      );
    if (isFinished) continue;
    const present = encode(await readFile(join(root, path)).catch(() => null));
    if (present === before) continue;
    if (present === after) await put(root, path, decode(before), false);
    else kept.push(path);
  }
  await removeLeftovers(join(root, 'config/policies'), journal);
  await unlink(join(root, JOURNAL_PATH));
  return { outcome: isFinished ? 'finished' : 'undone', kept };
}

async function put(
  root: string,
  path: string,
  bytes: Uint8Array | null,
  exclusive: boolean,
): Promise<void> {
  const absolute = join(root, path);
  if (bytes === null) {
    await unlink(absolute).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    return;
  }
  await atomicWrite(absolute, bytes, { exclusive });
}

/** Temporary files of interrupted writes, which would make the work tree dirty. */
async function removeLeftovers(folder: string, journal: Journal): Promise<void> {
  const names = journal.changes.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
  for (const entry of await readdir(folder).catch(() => [])) {
    const match = /^\.(.+)\.[0-9a-f]{12}\.tmp$/.exec(entry);
    if (match?.[1] !== undefined && names.includes(match[1])) await unlink(join(folder, entry));
  }
}

async function refuseTaken(root: string, path: string): Promise<void> {
  const found = await lstat(join(root, path)).catch(() => null);
  if (found === null) return;
  throw new VkitError('file_exists', `${path} is there and belongs to no pack.`, {
    hint: 'Rename or remove it, then try again.',
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function heldLock(error: { code?: string }): never {
  if (error.code !== 'EEXIST') throw error;
  throw new VkitError('lock_held', 'Another vkit command is changing the packs of this project.', {
    hint: 'Wait until it is done, then try again.',
  });
}

function encode(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64');
}

function decode(text: string | null): Uint8Array | null {
  return text === null ? null : Buffer.from(text, 'base64');
}
