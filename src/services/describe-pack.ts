import { loadPackFiles } from '../packs/load-pack-files.js';
import type { PackMetadata } from '../packs/model.js';
import { readPack } from '../packs/read-pack.js';
import type { Action } from '../policy/model.js';

export interface PackDescription extends PackMetadata {
  id: string;
  checksum: string;
  policies: readonly {
    id: string;
    action: Action;
    priority: number;
    description: string | null;
  }[];
}

/** What is in a pack, shipped or at a path of one's own. Throws `not_found`, or `invalid_pack` with every problem. */
export async function describePack(input: {
  reference: string;
  cwd: string;
}): Promise<PackDescription> {
  const { metadata, policies, checksum } = readPack(
    await loadPackFiles(input.reference, input.cwd),
  );
  return {
    id: metadata.name,
    ...metadata,
    checksum,
    policies: policies.map(({ policy: { id, action, priority, description } }) => ({
      id,
      action,
      priority,
      description: description ?? null,
    })),
  };
}
