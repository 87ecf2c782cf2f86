import type { Policy } from '../policy/model.js';

/** From the ground up: a pack may depend only on packs of its own layer or a lower one. */
export const PACK_LAYERS = ['foundation', 'domain', 'custom'] as const;
export type PackLayer = (typeof PACK_LAYERS)[number];

export interface PackMetadata {
  name: string;
  version: string;
  layer: PackLayer;
  description: string;
  /** `name` or `name@range`. */
  dependencies: readonly string[];
  priority_band?: { min: number; max: number };
}

export interface PackPolicy {
  /** Inside the pack: `policies/01_mask_pii.yaml`. */
  source: string;
  /** In a project: `config/policies/starter__01__mask_pii.yaml`. */
  target: string;
  bytes: Uint8Array;
  policy: Policy;
}

/** A pack that was read and checked. */
export interface Pack {
  metadata: PackMetadata;
  policies: readonly PackPolicy[];
  /** SHA-256 (hex), see `packChecksum`. */
  checksum: string;
}

/** The files of a pack before they are understood: path inside the pack, with `/`, to bytes. */
export interface PackFiles {
  /** The name of the pack's directory. */
  directory: string;
  files: ReadonlyMap<string, Uint8Array>;
}

export interface InstalledFile {
  path: string;
  policy_id: string;
  checksum: string;
}

export interface InstalledPackState {
  name: string;
  version: string;
  layer: PackLayer;
  installed_at: string;
  pack_checksum: string;
  /** As the installed version's metadata had them. */
  dependencies: readonly string[];
  /** Absent where the pack has none, or where an older vkit installed it. */
  priority_band?: PackMetadata['priority_band'];
  files: readonly InstalledFile[];
}

/** `.vkit/packs.yaml`: what is installed in a project, by name. */
export type PacksState = Readonly<Record<string, InstalledPackState>>;
