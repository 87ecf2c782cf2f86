import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { repairPacks } from './journal.js';
import { JOURNAL_PATH, lockHeld } from './journal-file.js';
import { readStateText } from './packs-state.js';

/**
 * Reads a project's policies while no command changes its packs: what a killed one left is repaired first, and where another
 * one began or ended meanwhile, the reading is refused, since it may have seen half of a pack. Throws `lock_held`.
 */
export async function settledRead<T>(root: string, now: Date, read: () => Promise<T>): Promise<T> {
  await repairPacks(root, now);
  const before = await readStateText(root);
  const result = await read();
  const isChanging = await lstat(join(root, JOURNAL_PATH)).then(
    () => true,
    () => false,
  );
  if (isChanging || (await readStateText(root)) !== before) throw lockHeld();
  return result;
}
