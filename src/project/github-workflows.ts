import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../util/package-root.js';
import { writeProjectFile } from './write-project.js';

const FOLDER = '.github/workflows';
const NAMES = ['vkit-deploy.yml', 'vkit-drift.yml'];

export interface GitHubWorkflowsInput {
  /** The root of the repository, which is where GitHub looks. */
  repositoryRoot: string;
  /** Where the project is in it, with `/`; '' for its root. */
  folder: string;
  /** The branch that is reviewed. */
  branch: string;
  /** The version of vkit that the workflows install. */
  version: string;
  /** Datasources that need a login from the environment. */
  logins: readonly string[];
  /** Write over files that are there and different. */
  force: boolean;
}

export interface GitHubWorkflowsResult {
  /** Relative to the repository's root. */
  written: readonly string[];
  /** Left as they were, since they are different. */
  kept: readonly string[];
}

/** Writes the two workflows that come with vkit; one that is there already and different is left as it is, unless `force`. */
export async function writeGitHubWorkflows(
  input: GitHubWorkflowsInput,
): Promise<GitHubWorkflowsResult> {
  const written: string[] = [];
  const kept: string[] = [];
  for (const name of NAMES) {
    const path = `${FOLDER}/${name}`;
    const template = await readFile(join(packageRoot(), 'lib/github', name), 'utf8');
    const text = filledIn(template, input);
    const present = await readFile(join(input.repositoryRoot, path), 'utf8').catch(() => null);
    if (present === text) continue;
    if (present !== null && !input.force) {
      kept.push(path);
      continue;
    }
    await writeProjectFile(input.repositoryRoot, path, text, present === null);
    written.push(path);
  }
  return { written, kept };
}

function filledIn(
  template: string,
  { folder, branch, version, logins }: GitHubWorkflowsInput,
): string {
  // JSON's strings are YAML's, too.
  return template
    .replaceAll('__FOLDER__', () => JSON.stringify(folder === '' ? '.' : folder))
    .replaceAll('__BRANCH__', () => JSON.stringify(branch))
    .replaceAll('__VERSION__', () => version)
    .replace(/^( *)# __LOGINS__$/m, (_line, indent: string) =>
      loginLines(logins)
        .map((line) => `${indent}${line}`)
        .join('\n'),
    );
}

/** Ids have letters, digits and `_`; without any datasource an example, as a comment. */
function loginLines(logins: readonly string[]): string[] {
  const lines = (id: string): string[] =>
    ['USERNAME', 'PASSWORD'].map((what) => {
      const name = `VKIT_DS_${id.toUpperCase()}_${what}`;
      return `${name}: \${{ secrets.${name} }}`;
    });
  return logins.length === 0 ? lines('shop').map((line) => `# ${line}`) : logins.flatMap(lines);
}
