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
  /** Whether there are datasources that the server reads, since it keeps their logins. */
  sealed: boolean;
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
  { folder, branch, version, logins, sealed }: GitHubWorkflowsInput,
): string {
  // JSON's strings are YAML's, too.
  const text = template
    .replaceAll('__FOLDER__', () => JSON.stringify(folder === '' ? '.' : folder))
    .replaceAll('__BRANCH__', () => JSON.stringify(branch))
    .replaceAll('__VERSION__', () => version);
  const isNeeded = logins.length > 0 || !sealed;
  return [
    ['LOGIN', sealed ? LOGIN_STEP : []],
    ['LOGOUT', sealed ? LOGOUT_STEP : []],
    ['LOGINS', isNeeded ? loginLines(logins) : []],
  ].reduce((filled, [name, lines]) => fillIn(filled, name as string, lines as string[]), text);
}

/** Lines in the place of the comment `# __NAME__`, as far to the right as it; none of them takes it away. */
function fillIn(text: string, name: string, lines: readonly string[]): string {
  return text.replace(new RegExp(`^( *)# __${name}__\n`, 'm'), (_line, indent: string) =>
    lines.map((line) => `${indent}${line}\n`).join(''),
  );
}

/** The server reads the datasources whose logins it keeps, for somebody who is logged in there. */
const LOGIN_STEP: readonly string[] = [
  '# The server reads the datasources whose logins it keeps, for an account with the role datasource_admin.',
  '- name: Log in to the vkit server',
  '  # What needs no server is looked at all the same; the next step names what could not be.',
  '  continue-on-error: true',
  '  env:',
  `    VKIT_API_URL: \${{ vars.VKIT_API_URL }}`,
  `    VKIT_EMAIL: \${{ vars.VKIT_SCAN_EMAIL }}`,
  `    VKIT_PASSWORD: \${{ secrets.VKIT_SCAN_PASSWORD }}`,
  `  run: printf '%s' "$VKIT_PASSWORD" | vkit login --email "$VKIT_EMAIL" --password-stdin`,
];

const LOGOUT_STEP: readonly string[] = ['- name: Log out', '  if: always()', '  run: vkit logout'];

/** Ids have letters, digits and `_`; without any datasource an example, as a comment. */
function loginLines(logins: readonly string[]): string[] {
  const comment =
    '# The login of each datasource, from the secrets of the repository; one that can only read is enough.';
  const lines = (id: string): string[] =>
    ['USERNAME', 'PASSWORD'].map((what) => {
      const name = `VKIT_DS_${id.toUpperCase()}_${what}`;
      return `${name}: \${{ secrets.${name} }}`;
    });
  const own =
    logins.length === 0 ? lines('shop').map((line) => `# ${line}`) : logins.flatMap(lines);
  return [comment, ...own];
}
