import { VkitError } from '../errors/index.js';
import { checkPolicyIds, type ProjectPolicy } from './check-policy-ids.js';
import { checkRequirements } from './check-requirements.js';
import { applyChanges, repairPacks } from './journal.js';
import type { InstalledPackState, Pack } from './model.js';
import { parsePacksState, printPacksState, readStateText, sha256 } from './packs-state.js';

export interface InstallOptions {
  /** When it is installed, for the state. */
  now: Date;
  /** Every policy of the project: an id can be there once. */
  existingPolicies: readonly ProjectPolicy[];
  /** What the user called the pack, for a command to paste; its name if absent. */
  reference?: string;
}

export interface InstallResult {
  installed: InstalledPackState;
  /** False where this version was installed already and nothing was done. */
  changed: boolean;
}

/**
 * Copies a pack's policies into the project and records it, all or nothing. Throws `invalid_pack` (a dependency is missing, the
 * layers are wrong, bands overlap), `conflict` (a policy id is taken, another version is installed) or `file_exists`.
 */
export async function installPack(
  root: string,
  pack: Pack,
  options: InstallOptions,
): Promise<InstallResult> {
  await repairPacks(root, options.now);
  const before = await readStateText(root);
  const state = parsePacksState(before);
  const { name, version } = pack.metadata;
  const present = Object.hasOwn(state, name) ? state[name] : undefined;
  if (present !== undefined) {
    if (present.version === version && present.pack_checksum === pack.checksum)
      return { installed: present, changed: false };
    const isSame = present.version === version;
    throw new VkitError(
      'conflict',
      `The pack ${name} is installed already, as v${present.version}${isSame ? ' with other files' : ''}.`,
      {
        hint: `${isSame ? 'Give it a new version, then: ' : ''}\`vkit policy pack upgrade ${options.reference ?? name}\``,
      },
    );
  }
  checkRequirements(pack.metadata, state);
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
  const after = printPacksState({ ...state, [name]: installed });
  await applyChanges(root, changes, { before, after });
  return { installed, changed: true };
}

/** The entry of `.vkit/packs.yaml` for a pack. */
export function stateOf(pack: Pack, now: Date): InstalledPackState {
  const { name, version, layer, dependencies, priority_band: band } = pack.metadata;
  return {
    name,
    version,
    layer,
    installed_at: now.toISOString().replace(/\.\d{3}Z$/, 'Z'),
    pack_checksum: pack.checksum,
    dependencies,
    ...(band === undefined ? {} : { priority_band: band }),
    files: pack.policies.map(({ target, bytes, policy }) => ({
      path: target,
      policy_id: policy.id,
      checksum: sha256(bytes),
    })),
  };
}
