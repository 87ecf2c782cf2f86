import { relative, sep } from 'node:path';
import type { Engine } from '../engines/contract.js';
import { openRepository } from '../git/open-repository.js';
import { findProject } from '../project/find-project.js';
import { type GitHubWorkflowsResult, writeGitHubWorkflows } from '../project/github-workflows.js';
import { listDatasources } from './list-datasources.js';

/** Of a repository that was never cloned, which is not on GitHub yet. */
const DEFAULT_BRANCH = 'main';

export interface AddGitHubWorkflowsInput {
  /** Anywhere in the project. */
  cwd: string;
  engines: Readonly<Record<string, Engine>>;
  /** The version of vkit that the workflows install. */
  version: string;
  force: boolean;
}

export interface AddGitHubWorkflowsResult extends GitHubWorkflowsResult {
  /** The root of the repository, or of the project where there is none yet. */
  repositoryRoot: string;
  projectRoot: string;
}

/**
 * Writes the workflows that scan and deploy a project to its repository, with the logins of the datasources it has. One that
 * is there and different is left as it is, unless `force`.
 */
export async function addGitHubWorkflows(
  input: AddGitHubWorkflowsInput,
): Promise<AddGitHubWorkflowsResult> {
  const { root } = await findProject(input.cwd);
  const repository = await openRepository(root);
  const repositoryRoot = repository?.root ?? root;
  const { datasources } = await listDatasources({ cwd: root, engines: input.engines });
  const logins = datasources.filter(
    ({ engine, credentials }) =>
      credentials === 'env' && input.engines[engine]?.needsCredentials === true,
  );
  const result = await writeGitHubWorkflows({
    repositoryRoot,
    folder: relative(repositoryRoot, root).split(sep).join('/'),
    branch: (await repository?.originBranch()) ?? DEFAULT_BRANCH,
    version: input.version,
    logins: logins.map(({ id }) => id),
    sealed: datasources.some(({ credentials }) => credentials === 'vaultkit'),
    force: input.force,
  });
  return { ...result, repositoryRoot, projectRoot: root };
}
