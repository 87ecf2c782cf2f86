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

/** The policy ids that a project uses, those of policies with problems too, and the files whose id cannot be read. */
export function policiesOf(loaded: LoadedProject): ProjectPolicy[] {
  const { policies, drafts, findings, project, directories, packs } = loaded;
  const known = [...policies, ...drafts].flatMap(({ file, policy: { id } }) =>
    id === undefined ? [] : [{ path: file, id }],
  );
  const read = new Set(known.map(({ path }) => path));
  const isPolicy = (file: string) =>
    file === directories.policiesDir || file.startsWith(`${directories.policiesDir}/`);
  const all = [
    ...project.policyFiles.map(({ path }) => path),
    // Links, and files that are too large or no text.
    ...findings.map(({ file }) => file).filter(isPolicy),
  ];
  const unread = [...new Set(all)].filter((path) => !read.has(path)).sort();
  const tracked = new Map(
    Object.values(packs).flatMap(({ files }) =>
      files.map(({ path, policy_id }) => [path, policy_id] as const),
    ),
  );
  // What became of a pack's file is the pack's to mend, and restores the id that is on record.
  return [...known, ...unread.map((path) => ({ path, id: tracked.get(path) ?? null }))];
}
