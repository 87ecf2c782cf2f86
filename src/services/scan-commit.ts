import { existsSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { VkitError } from '../errors/index.js';
import { checkOutFiles } from '../git/check-out-files.js';
import { PROJECT_PATHS, registryPaths } from '../project/paths.js';
import { type ScanAllInput, type ScanAllResult, scanAll } from './scan-all.js';
import { openSourceWith, type ScanRemoteInput } from './scan-remote.js';

export interface ScanCommitInput
  extends Omit<ScanAllInput, 'cwd' | 'apply' | 'filesRoot' | 'openSource'>,
    Pick<ScanRemoteInput, 'client'> {
  /** The project's root, and that of the work tree it is in. */
  projectRoot: string;
  repositoryRoot: string;
  /** The commit whose registry is compared, and on top of which the next one is proposed. */
  commit: string;
  /**
   * The commit whose settings, classifiers, datasources and policies count. A datasource's file says where its login is sent, so
   * that has to be one that was reviewed.
   */
  reviewed: string;
  /** Where the reviewed commit is, for messages: `main of origin`. */
  place: string;
  /** What Git needs to run at all. */
  gitEnvironment: Readonly<Record<string, string>>;
}

export interface ScanCommitResult extends ScanAllResult {
  /** A commit on top with the registry as the scan proposes it; `null` where it proposes nothing. */
  proposal: { id: string; tree: string } | null;
}

/**
 * Scans every datasource as a reviewed commit has them, against the registry of a commit. The files lie in a temporary folder
 * meanwhile; the databases, and paths relative to the project, are those of this machine, and the server reads those whose
 * credentials it alone has. Throws `project_not_found` where the reviewed commit has no project in that place.
 */
export async function scanCommit(
  input: ScanCommitInput,
  message: (result: ScanAllResult) => string,
): Promise<ScanCommitResult> {
  const { projectRoot, repositoryRoot, commit, reviewed, place, gitEnvironment, client, ...scan } =
    input;
  const {
    registryDir = PROJECT_PATHS.registryFolder,
    datasourcesDir = PROJECT_PATHS.datasources,
    policiesDir = PROJECT_PATHS.policies,
  } = scan;
  const below = relative(repositoryRoot, projectRoot).split(sep).join('/');
  const inRepository = (path: string): string => posix.join(below, path);
  const baseline = registryPaths(registryDir).map(inRepository);
  const files = await checkOutFiles({
    root: repositoryRoot,
    commit,
    sources: [
      {
        commit: reviewed,
        paths: [PROJECT_PATHS.settings, PROJECT_PATHS.classifiers, datasourcesDir, policiesDir].map(
          inRepository,
        ),
      },
      { commit, paths: baseline },
    ],
    environment: gitEnvironment,
  });
  try {
    const root = join(files.folder, below);
    refuseMissing(root, datasourcesDir, { below, place });
    const filesRoot = projectRoot;
    const openSource = openSourceWith({ ...scan, filesRoot, client, remote: false });
    const result = await scanAll({ ...scan, cwd: root, apply: true, filesRoot, openSource });
    const written = baseline.filter((path) => existsSync(join(files.folder, path)));
    const hasDrift = result.outcomes.some(({ report }) => report.drift.length > 0);
    const proposal = hasDrift ? await files.commit(written, message(result)) : null;
    return { ...result, proposal };
  } finally {
    files.remove();
  }
}

function refuseMissing(
  root: string,
  datasourcesDir: string,
  { below, place }: { below: string; place: string },
): void {
  const isThere = [PROJECT_PATHS.settings, datasourcesDir].some((path) =>
    existsSync(join(root, path)),
  );
  if (isThere) return;
  const where = below === '' ? '' : ` in ${below}`;
  throw new VkitError('project_not_found', `There is no vkit project${where} on ${place}.`, {
    hint: 'Commit it and push it: the drift of what is reviewed is looked for, not of what lies here.',
  });
}
