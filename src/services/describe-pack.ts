import { VkitError } from '../errors/index.js';
import { fileAt } from '../packs/file-at.js';
import { loadPackFiles, packNamesIn, shippedPacksDirectory } from '../packs/load-pack-files.js';
import type { InstalledPackState, Pack, PackLayer, PackMetadata } from '../packs/model.js';
import { readPacksState } from '../packs/packs-state.js';
import { readPack } from '../packs/read-pack.js';
import { settledRead } from '../packs/settled-read.js';
import type { Action } from '../policy/model.js';
import { parsePolicyFile } from '../policy/parse-policy.js';
import { findProject } from '../project/find-project.js';
import { decodeUtf8 } from '../util/utf8.js';

export interface PackDescription extends Omit<PackMetadata, 'description' | 'layer'> {
  id: string;
  layer: PackLayer;
  /** Null where only the project has the pack, which keeps its policies alone. */
  description: string | null;
  checksum: string;
  /** Where the description is from: a pack that ships with vkit or is at a path, or the project's files. */
  source: 'pack' | 'project';
  /** The version in the project; null where it is not installed, or there is no project. */
  installed_version: string | null;
  policies: readonly DescribedPolicy[];
}

export interface DescribedPolicy {
  id: string;
  /** Null, as is the priority, where the project's file is gone or no policy any more. */
  action: Action | null;
  priority: number | null;
  description: string | null;
}

/**
 * What is in a pack: a shipped one, one at a path of one's own, or one that is installed in the project of `projectDir`.
 * Throws `not_found`, or `invalid_pack` with every problem.
 */
export async function describePack(input: {
  reference: string;
  cwd: string;
  projectDir: string;
  now: Date;
}): Promise<PackDescription> {
  const { reference, cwd, projectDir, now } = input;
  const project = await installedIn(projectDir, now);
  const isName = /^[a-z][a-z0-9_]*$/.test(reference);
  const named = isName ? project?.packs.get(reference) : undefined;
  const ships = isName && (await packNamesIn(shippedPacksDirectory())).includes(reference);
  if (project && named && !ships) return describeInstalled(project.root, named);
  const pack = readPack(await loadPackFiles(reference, cwd));
  const installed = project?.packs.get(pack.metadata.name);
  return { ...describeRead(pack), installed_version: installed?.version ?? null };
}

/** What is installed in the project of a folder; null where there is no project. */
async function installedIn(
  folder: string,
  now: Date,
): Promise<{ root: string; packs: ReadonlyMap<string, InstalledPackState> } | null> {
  try {
    const { root } = await findProject(folder);
    const state = await settledRead(root, now, () => readPacksState(root));
    return { root, packs: new Map(Object.entries(state)) };
  } catch (error) {
    if (error instanceof VkitError && error.code === 'project_not_found') return null;
    throw error;
  }
}

function describeRead({
  metadata,
  policies,
  checksum,
}: Pack): Omit<PackDescription, 'installed_version'> {
  return {
    id: metadata.name,
    ...metadata,
    checksum,
    source: 'pack',
    policies: policies.map(({ policy: { id, action, priority, description } }) => ({
      id,
      action,
      priority,
      description: description ?? null,
    })),
  };
}

async function describeInstalled(
  root: string,
  installed: InstalledPackState,
): Promise<PackDescription> {
  const { name, version, layer, dependencies, priority_band: band, pack_checksum } = installed;
  return {
    id: name,
    name,
    version,
    layer,
    description: null,
    dependencies,
    ...(band === undefined ? {} : { priority_band: band }),
    checksum: pack_checksum,
    source: 'project',
    installed_version: version,
    policies: await Promise.all(
      installed.files.map(async ({ path, policy_id: id }) => {
        const found = await fileAt(root, path);
        const text = found instanceof Uint8Array ? decodeUtf8(found) : undefined;
        const policy = text === undefined ? null : parsePolicyFile(text, path).policy;
        return {
          id: policy?.id ?? id,
          action: policy?.action ?? null,
          priority: policy?.priority ?? null,
          description: policy?.description ?? null,
        };
      }),
    ),
  };
}
