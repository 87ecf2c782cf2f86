import { VkitError } from '../errors/index.js';
import { checkDependencies, checkPolicyIds, type ProjectPolicy } from './check-requirements.js';
import { applyChanges, repairPacks } from './journal.js';
import type { InstalledPackState, Pack } from './model.js';
import { printPacksState, readPacksState, sha256 } from './packs-state.js';

export interface InstallOptions {
  /** When it is installed, for the state. */
  now: Date;
  /** Every policy of the project: an id can be there once. */
  existingPolicies: readonly ProjectPolicy[];
}

export interface InstallResult {
  installed: InstalledPackState;
  /** False where this version was installed already and nothing was done. */
  changed: boolean;
}

/**
 * Copies a pack's policies into the project and records it, all or nothing. Throws `invalid_pack` (a dependency is missing or the
 * layers are wrong), `conflict` (a policy id is taken, another version is installed) or `file_exists`.
 */
export async function installPack(
  root: string,
  pack: Pack,
  options: InstallOptions,
): Promise<InstallResult> {
  await repairPacks(root, options.now);
  const state = await readPacksState(root);
  const { name, version } = pack.metadata;
  const present = Object.hasOwn(state, name) ? state[name] : undefined;
  if (present !== undefined) {
    if (present.version === version && present.pack_checksum === pack.checksum)
      return { installed: present, changed: false };
    throw new VkitError(
      'conflict',
      `The pack ${name} is installed already, as v${present.version}.`,
      { hint: `\`vkit policy pack upgrade ${name}\`` },
    );
  }
  checkDependencies(pack.metadata, state);
  checkPolicyIds(
    pack.policies.map(({ policy }) => policy.id),
    options.existingPolicies,
    new Set(),
  );
  const installed = stateOf(pack, options.now);
  const changes = pack.policies.map(({ target, bytes }) => ({
    path: target,
    before: null,
    after: bytes,
  }));
  await applyChanges(root, changes, printPacksState({ ...state, [name]: installed }));
  return { installed, changed: true };
}

/** The entry of `.vkit/packs.yaml` for a pack. */
export function stateOf(pack: Pack, now: Date): InstalledPackState {
  const { name, version, layer, dependencies } = pack.metadata;
  return {
    name,
    version,
    layer,
    installed_at: now.toISOString().replace(/\.\d{3}Z$/, 'Z'),
    pack_checksum: pack.checksum,
    dependencies,
    files: pack.policies.map(({ target, bytes, policy }) => ({
      path: target,
      policy_id: policy.id,
      checksum: sha256(bytes),
    })),
  };
}
