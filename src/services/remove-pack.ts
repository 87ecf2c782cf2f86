import { removePack } from '../packs/remove-pack.js';

export interface RemovePackResult {
  name: string;
  version: string;
  /** What was deleted, relative to the root. */
  files: readonly string[];
}

/** Removes an installed pack. See `removePack` of the packs for what it refuses. */
export async function removeInstalledPack(input: {
  root: string;
  name: string;
  force?: boolean;
  now: Date;
}): Promise<RemovePackResult> {
  const { root, name, force = false, now } = input;
  const { removed, files } = await removePack(root, name, { now, force });
  return { name: removed.name, version: removed.version, files };
}
