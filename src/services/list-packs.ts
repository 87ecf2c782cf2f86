import { type PackStatus, packStatus } from '../packs/pack-status.js';
import { readPacksState } from '../packs/packs-state.js';
import { settledRead } from '../packs/settled-read.js';
import { shippedPacks } from './validate-project.js';

/** The shipped packs and those installed in the project, by name. */
export async function listPacks(input: {
  root: string;
  now: Date;
}): Promise<{ packs: PackStatus[] }> {
  const { root, now } = input;
  const shipped = await shippedPacks();
  return settledRead(root, now, async () => ({
    packs: await packStatus(root, await readPacksState(root), shipped),
  }));
}
