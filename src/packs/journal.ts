import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite, syncFolder } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';
import { fileAt } from './file-at.js';
import {
  abandonedJournal,
  dropJournal,
  dropStagedJournals,
  isPackTarget,
  JOURNAL_PATH,
  type Journal,
  lockHeld,
  takeJournal,
  unlinkIfThere,
} from './journal-file.js';
import { PACKS_STATE_PATH, readStateText } from './packs-state.js';

const POLICIES = 'config/policies';

/** What one file was and becomes; `null` is a file that is not there. */
export interface FileChange {
  path: string;
  before: Uint8Array | null;
  after: Uint8Array | null;
}

/** What is found and done where a command was killed. */
export interface Repair {
  outcome: 'undone' | 'finished';
  /** Files that were edited since; they are left as they are. */
  kept: readonly string[];
}

/**
 * Changes policy files and the packs' state together, from the state as it was read. A journal is on disk before the first
 * file changes and gone after the state is written, so that an error undoes the change at once, and a kill is undone by the
 * next `repairPacks`. Throws `file_exists` where a new file's place is taken, `lock_held` while another command is at it or
 * was meanwhile, `conflict` where a file was edited meanwhile, `permission_denied`, and `config_invalid` where the folders
 * are links.
 */
export async function applyChanges(
  root: string,
  changes: readonly FileChange[],
  state: { before: string | null; after: string },
): Promise<void> {
  await refuseLinks(root);
  for (const { path, before } of changes) {
    if (!isPackTarget(path)) throw new VkitError('internal', `A pack may not write ${path}.`);
    if (before === null && (await fileAt(root, path)) !== 'nothing') {
      throw (await isAnotherAtIt(root, state.before)) ? lockHeld() : takenPlace(path);
    }
  }
  const journal: Journal = {
    pid: process.pid,
    changes: changes.map(({ path, before, after }) => ({
      path,
      before: encode(before),
      after: encode(after),
    })),
    stateBefore: state.before,
    stateAfter: state.after,
  };
  try {
    await makeFolder(join(root, dirname(JOURNAL_PATH)));
    await makeFolder(join(root, POLICIES));
    await takeJournal(root, journal);
  } catch (error) {
    throw readable(error);
  }
  try {
    // What another command did between our reading and our lock would be lost.
    if ((await readStateText(root)) !== state.before) throw lockHeld();
    for (const change of changes) await applyChange(root, change);
    // Removals too must be on disk before the state says so.
    await syncFolder(join(root, POLICIES));
    await atomicWrite(join(root, PACKS_STATE_PATH), state.after);
  } catch (error) {
    // What cannot be undone now, the next command undoes: the journal stays. The first error is the one to tell.
    await settle(root, journal).catch(() => undefined);
    throw readable(error);
  }
  await dropJournal(root);
}

/**
 * Whether another command changes the packs, or did since the state was read: its files are none that the user should
 * remove. The journal goes after the state is written, so it is looked at first.
 */
async function isAnotherAtIt(root: string, before: string | null): Promise<boolean> {
  if ((await fileAt(root, JOURNAL_PATH)) !== 'nothing') return true;
  return (await readStateText(root)) !== before;
}

/**
 * Finishes or undoes what a killed command left, and returns what it found: `null` where all is well. Every command that reads
 * the policies of a project calls it first. Throws `lock_held` where the other command is still running.
 */
export async function repairPacks(root: string, now: Date): Promise<Repair | null> {
  const journal = await abandonedJournal(root, now);
  if (journal !== null) await refuseLinks(root);
  try {
    const repair = journal === null ? null : await settle(root, journal);
    await dropStagedJournals(root, now);
    return repair;
  } catch (error) {
    throw readable(error);
  }
}

/** The state is written last: where it is the new one, so is everything else. */
async function settle(root: string, journal: Journal): Promise<Repair> {
  const { changes, stateBefore, stateAfter } = journal;
  // A state that does not change says nothing about the files: they are put back.
  const isFinished = stateAfter !== stateBefore && (await readStateText(root)) === stateAfter;
  const kept: string[] = [];
  for (const { path, before, after } of isFinished ? [] : changes) {
    const found = await fileAt(root, path);
    const present = found === 'nothing' ? null : found === 'no_file' ? undefined : encode(found);
    if (present === before) continue;
    if (present === after) await put(root, path, decode(before), false);
    else kept.push(path);
  }
  await removeLeftovers(root, [PACKS_STATE_PATH, ...changes.map(({ path }) => path)]);
  await dropJournal(root);
  return { outcome: isFinished ? 'finished' : 'undone', kept };
}

async function applyChange(root: string, { path, before, after }: FileChange): Promise<void> {
  if (before !== null) {
    const found = await fileAt(root, path);
    if (typeof found === 'string' || encode(found) !== encode(before)) {
      throw new VkitError('conflict', `${path} was edited while the packs were changed.`, {
        hint: 'Try again.',
      });
    }
  }
  await put(root, path, after, before === null);
}

async function put(
  root: string,
  path: string,
  bytes: Uint8Array | null,
  exclusive: boolean,
): Promise<void> {
  const absolute = join(root, path);
  if (bytes === null) return unlinkIfThere(absolute);
  await atomicWrite(absolute, bytes, { exclusive }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? takenPlace(path) : error;
  });
}

/** Temporary files of interrupted writes, which would make the work tree dirty. */
async function removeLeftovers(root: string, paths: readonly string[]): Promise<void> {
  const names = new Set(paths.map((path) => basename(path)));
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    for (const entry of await readdir(join(root, folder)).catch(() => [])) {
      const match = /^\.(.+)\.[0-9a-f]{12}\.tmp$/.exec(entry);
      if (match?.[1] !== undefined && names.has(match[1])) {
        await unlinkIfThere(join(root, folder, entry));
      }
    }
  }
}

/** Through a link a pack would write outside of the project. */
async function refuseLinks(root: string): Promise<void> {
  for (const folder of ['config', POLICIES, dirname(PACKS_STATE_PATH)]) {
    const found = await lstat(join(root, folder)).catch(() => null);
    if (found === null || found.isDirectory()) continue;
    throw new VkitError('config_invalid', `${folder} is a link or a file, and not a folder.`, {
      hint: 'Make it a folder of the project: Git keeps a link without what it points to.',
    });
  }
}

export function takenPlace(path: string): VkitError {
  return new VkitError('file_exists', `${path} is there and is not a file of this pack.`, {
    hint: 'Rename or remove it, then try again.',
  });
}

/** What the file system forbids, as an error that says so. */
function readable(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof VkitError || !['EACCES', 'EPERM', 'EROFS'].includes(code ?? '')) {
    return error;
  }
  return new VkitError(
    'permission_denied',
    'The packs of this project cannot be changed: config/policies or .vkit is not writable.',
    { hint: 'Check who owns these folders.', cause: error },
  );
}

function encode(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64');
}

function decode(text: string | null): Uint8Array | null {
  return text === null ? null : Buffer.from(text, 'base64');
}
