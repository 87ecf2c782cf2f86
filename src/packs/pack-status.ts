import semver from 'semver';
import { fileAt } from './file-at.js';
import type { InstalledPackState, Pack, PacksState } from './model.js';
import { sha256 } from './packs-state.js';

export interface PackStatus {
  id: string;
  state: 'installed' | 'upgradable' | 'not_installed';
  layer: Pack['metadata']['layer'];
  description: string;
  installed_version: string | null;
  /** Of the pack that ships with this vkit; null for one from elsewhere. */
  available_version: string | null;
  /** Installed files that no longer have their recorded checksum. */
  modified: readonly string[];
  /** Installed files that are gone. */
  missing: readonly string[];
}

/** What is installed and what could be, by name. */
export async function packStatus(
  root: string,
  state: PacksState,
  available: readonly Pack[],
): Promise<PackStatus[]> {
  const byName = new Map(available.map((pack) => [pack.metadata.name, pack]));
  const names = [...new Set([...byName.keys(), ...Object.keys(state)])].sort();
  return Promise.all(
    names.map(async (name) => {
      const installed = Object.hasOwn(state, name) ? state[name] : undefined;
      const pack = byName.get(name);
      const files =
        installed === undefined
          ? { modified: [], missing: [] }
          : await changedFiles(root, installed);
      const isOlder =
        installed !== undefined &&
        pack !== undefined &&
        semver.lt(installed.version, pack.metadata.version);
      return {
        id: name,
        state:
          installed === undefined
            ? ('not_installed' as const)
            : isOlder
              ? ('upgradable' as const)
              : ('installed' as const),
        layer: installed?.layer ?? pack?.metadata.layer ?? 'custom',
        description: pack?.metadata.description ?? '',
        installed_version: installed?.version ?? null,
        available_version: pack?.metadata.version ?? null,
        ...files,
      };
    }),
  );
}

/** Files of an installed pack that somebody changed or removed. */
export async function changedFiles(
  root: string,
  pack: InstalledPackState,
): Promise<{ modified: string[]; missing: string[] }> {
  const modified: string[] = [];
  const missing: string[] = [];
  for (const { path, checksum } of pack.files) {
    const found = await fileAt(root, path);
    if (found === 'nothing') missing.push(path);
    else if (found === 'no_file' || sha256(found) !== checksum) modified.push(path);
  }
  return { modified, missing };
}

/** The line people see: `✓ starter v1.0.0`, `⚠ ai_safety (installed v1.0.0, available v1.1.0)`. */
export function packStatusLine(status: PackStatus): string {
  const {
    id,
    installed_version: installed,
    available_version: available,
    modified,
    missing,
  } = status;
  if (installed === null) return `${id} (not installed)`;
  const notes = [
    ...(modified.length > 0 ? [`modified: ${modified.join(', ')}`] : []),
    ...(missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
  ];
  if (status.state === 'upgradable') {
    return `⚠ ${id} (${[`installed v${installed}`, `available v${available}`, ...notes].join(', ')})`;
  }
  return notes.length === 0
    ? `✓ ${id} v${installed}`
    : `⚠ ${id} v${installed} (${notes.join('; ')})`;
}
