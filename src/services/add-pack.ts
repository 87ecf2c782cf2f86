import type { ProjectPolicy } from '../packs/check-policy-ids.js';
import { type InstallResult, installPack } from '../packs/install-pack.js';
import { loadPackFiles } from '../packs/load-pack-files.js';
import { readPack } from '../packs/read-pack.js';
import { type LoadedProject, loadProject } from './load-project.js';

export interface AddPackInput {
  root: string;
  /** The name of a shipped pack, or the path of a directory or .tgz. */
  reference: string;
  /** What a relative path is relative to. */
  cwd: string;
  now: Date;
}

/** Installs one pack, and never another one beside it. See `installPack` for what it refuses. */
export async function addPack({ root, reference, cwd, now }: AddPackInput): Promise<InstallResult> {
  const loaded = await loadProject(root);
  const { clearances } = loaded.project.settings;
  const pack = readPack(
    await loadPackFiles(reference, cwd),
    clearances === null ? {} : { clearances },
  );
  return installPack(root, pack, { now, existingPolicies: policiesOf(loaded), reference });
}

/** The policy ids that a project uses, those of policies with problems too, as far as they can be read. */
export function policiesOf({ policies, drafts }: LoadedProject): ProjectPolicy[] {
  return [...policies, ...drafts].flatMap(({ file, policy: { id } }) =>
    id === undefined ? [] : [{ path: file, id }],
  );
}
