import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { GitHubServer, type GitHubServerOptions } from '../helpers/github-server.js';
import { type CliOptions, type CliResult, jsonOf } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { type CliProject, git, shopProject, sqlite } from './project-fixture.js';

export const TOKEN = 'ghs_0123456789abcdefghijABCDEFGHIJ012345';

/** The document of `vkit drift pr --json`. */
export interface DriftPr {
  action: string;
  pull_request: { id: number; number: number; url: string; state: string } | null;
  branch: string;
  base: string;
  commit: string | null;
  drift: { found: boolean; new_fields: number };
  datasources: { id: string; drift: boolean }[];
}

export interface DriftProject extends CliProject {
  github: GitHubServer;
  /** The bare repository on "GitHub". */
  remote: string;
  environment: Record<string, string>;
  pr(args?: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** As `pr`, with exit code 0, and the document it prints. */
  done(args?: readonly string[], options?: CliOptions): Promise<DriftPr>;
  /** A change that the registry does not know. */
  change(statement: string): void;
  /** What the branch is at on the remote; '' where there is none. */
  remoteHead(branch?: string): Promise<string>;
  /** A file as a branch of the remote has it. */
  remoteFile(path: string, branch?: string): Promise<string>;
}

/** A project whose commit is on a remote, beside a server that behaves as GitHub, both empty of drift. */
export async function driftProject(
  options: Partial<GitHubServerOptions> & { over?: 'files' | 'http'; below?: string } = {},
): Promise<DriftProject> {
  const gitFolder = await temporaryFolder();
  const remote = join(gitFolder, 'acme/policies.git');
  await mkdir(remote, { recursive: true });
  await git(remote, 'init', '-q', '--bare', '-b', 'main');
  await git(remote, 'config', 'http.receivepack', 'true');
  const github = await GitHubServer.start({
    token: TOKEN,
    repository: 'acme/policies',
    gitFolder,
    ...options,
  });
  const project = await shopProject();
  const repository = options.below === undefined ? project.root : await temporaryFolder();
  const root = join(repository, options.below ?? '');
  if (root !== repository) {
    await mkdir(dirname(root), { recursive: true });
    await rename(project.root, root);
  }
  await git(repository, 'init', '-q', '-b', 'main');
  const address = options.over === 'http' ? `${github.url}/acme/policies.git` : remote;
  await git(root, 'remote', 'add', 'origin', remote);
  await git(root, 'add', '.');
  await git(root, 'commit', '-q', '-m', 'First');
  await git(root, 'push', '-q', 'origin', 'main');
  await git(root, 'fetch', '-q');
  await git(root, 'remote', 'set-url', 'origin', address);
  const environment = {
    HOME: root,
    GITHUB_TOKEN: TOKEN,
    GITHUB_API_URL: `${github.url}/api`,
    ...(options.over === 'http' ? {} : { GITHUB_REPOSITORY: 'acme/policies' }),
  };
  const pr: DriftProject['pr'] = (args = [], more = {}) =>
    project.run(['drift', 'pr', ...args], {
      cwd: root,
      ...more,
      env: { ...environment, ...more.env },
    });
  return {
    ...project,
    root,
    github,
    remote,
    environment,
    pr,
    done: async (args = [], more) => {
      const result = await pr([...args, '--json'], more);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      return jsonOf<DriftPr>(result);
    },
    change: (statement) => sqlite(join(root, 'shop.db'), statement),
    remoteHead: async (branch = 'vkit/drift') =>
      (await git(remote, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`)).trim(),
    remoteFile: (path, branch = 'vkit/drift') => git(remote, 'show', `${branch}:${path}`),
  };
}

/** Somebody changes a file on a branch of the remote, from a clone of their own. */
export async function pushByHand(
  { remote }: DriftProject,
  change: { branch: string; path: string; edit: (text: string) => string },
): Promise<void> {
  const clone = await temporaryFolder();
  await git(clone, 'clone', '-q', '-b', change.branch, remote, 'clone');
  const at = join(clone, 'clone');
  const path = join(at, change.path);
  const before = await readFile(path, 'utf8').catch(() => '');
  await writeFile(path, change.edit(before));
  await git(at, 'add', '.');
  await git(at, 'commit', '-q', '-m', 'By hand');
  await git(at, 'push', '-q', 'origin', change.branch);
}
