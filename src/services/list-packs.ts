import { repairPacks } from '../packs/journal.js';
import { type PackStatus, packStatus } from '../packs/pack-status.js';
import { readPacksState } from '../packs/packs-state.js';
import { shippedPacks } from './validate-project.js';

/** The shipped packs and those installed in the project, by name. */
export async function listPacks(input: {
  root: string;
  now: Date;
}): Promise<{ packs: PackStatus[] }> {
  await repairPacks(input.root, input.now);
  return {
    packs: await packStatus(input.root, await readPacksState(input.root), await shippedPacks()),
  };
}
