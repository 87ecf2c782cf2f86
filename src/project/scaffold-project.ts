import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';
import { parseSettings } from './parse-settings.js';
import { PROJECT_PATHS } from './paths.js';
import {
  gitAttributesText,
  gitIgnoreText,
  projectReadme,
  serverSettingsText,
  settingsText,
} from './scaffold-texts.js';
import { writeProjectFile } from './write-project.js';

export interface ScaffoldOptions {
  /** Created where it is missing. */
  directory: string;
  /** The organisation's slug; `default` if absent, which is also the server's. */
  org?: string;
  /** Write vkit.yaml anew where it is there. */
  force?: boolean;
}

export interface ScaffoldResult {
  root: string;
  /** Relative paths that were written, sorted. */
  written: readonly string[];
}

/** Also what a server is for that nobody told otherwise. */
const DEFAULT_ORG = 'default';

/** What vkit.server.yaml takes. */
const ORG = /^[a-z0-9][a-z0-9_-]{0,63}$/;

const FOLDERS = [PROJECT_PATHS.policies, PROJECT_PATHS.datasources, PROJECT_PATHS.tests];

/**
 * Makes a directory a project: vkit.yaml, vkit.server.yaml, the folders of config/, lines in .gitignore that keep keys and state out of
 * Git and in .gitattributes that keep line ends as they are, and a README.md unless there is one. Throws `file_exists` before anything is written where there is a vkit.yaml,
 * unless `force`; nothing else is ever overwritten. Throws `invalid_input` for an `org` that no server takes.
 */
export async function scaffoldProject(options: ScaffoldOptions): Promise<ScaffoldResult> {
  const root = options.directory;
  refuseOrg(options.org ?? DEFAULT_ORG);
  await makeFolder(root).catch((cause) => {
    throw new VkitError('permission_denied', `The folder ${root} cannot be made.`, {
      hint: 'Name a folder that this account may write: --dir DIR',
      cause,
    });
  });
  if (options.force !== true && (await isThere(join(root, PROJECT_PATHS.settings)))) {
    throw new VkitError(
      'file_exists',
      `${root} is a vkit project already: there is a ${PROJECT_PATHS.settings}.`,
      {
        hint: 'Choose another directory with --dir, or write vkit.yaml anew with --force.',
      },
    );
  }
  const written: string[] = [];
  for (const folder of FOLDERS) {
    await makeFolder(join(root, folder));
    const keep = `${folder}/.gitkeep`;
    if (!(await isThere(join(root, keep)))) {
      await writeProjectFile(root, keep, '');
      written.push(keep);
    }
  }
  if (await extendLines(root, '.gitignore', gitIgnoreText())) written.push('.gitignore');
  if (await extendLines(root, '.gitattributes', gitAttributesText())) {
    written.push('.gitattributes');
  }
  if (!(await isThere(join(root, 'README.md')))) {
    await writeProjectFile(root, 'README.md', projectReadme(), true);
    written.push('README.md');
  }
  const org = options.org ?? DEFAULT_ORG;
  if (!(await isThere(join(root, PROJECT_PATHS.serverSettings)))) {
    await writeProjectFile(root, PROJECT_PATHS.serverSettings, serverSettingsText(org), true);
    written.push(PROJECT_PATHS.serverSettings);
  }
  // Last, since it is what says that the project is there.
  await writeProjectFile(root, PROJECT_PATHS.settings, settingsText(org));
  written.push(PROJECT_PATHS.settings);
  return { root, written: written.sort() };
}

function refuseOrg(org: string): void {
  const { problems } = parseSettings(settingsText(org), PROJECT_PATHS.settings);
  if (ORG.test(org) && problems.length === 0) return;
  throw new VkitError('invalid_input', 'The organisation is not named as one can be.', {
    hint: 'It has lower-case letters, digits, - and _, such as acme.',
  });
}

/** Adds the lines that are missing, and leaves what is there. */
async function extendLines(root: string, name: string, wanted: string): Promise<boolean> {
  const path = join(root, name);
  const present = await readFile(path, 'utf8').catch(() => '');
  const lines = new Set(present.split(/\r?\n/).map((line) => line.trim()));
  const missing = wanted.split('\n').filter((line) => line !== '' && !lines.has(line));
  if (missing.every((line) => line.startsWith('#'))) return false;
  const gap = present === '' || present.endsWith('\n') ? '' : '\n';
  await atomicWrite(path, `${present}${gap}${missing.join('\n')}\n`);
  return true;
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
