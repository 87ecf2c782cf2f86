import { join, relative, resolve } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { ENGINES } from '../engines/index.js';
import { PROJECT_PATHS } from '../project/paths.js';
import { addGitHubWorkflows } from '../services/add-github-workflows.js';
import { initProject } from '../services/init-project.js';
import { escapeTerminal } from '../util/escape.js';
import { isFile } from '../util/is-file.js';
import { BaseCommand } from './base-command.js';

/** What `vkit init` and `vkit policy init` share; they differ in how the folder is named. */
export const initFlags = {
  with: string({
    description: 'Policy packs to install, separated by commas.',
    helpValue: 'starter,ai_safety',
  }),
  org: string({ description: 'Organisation that bundles are for.', helpValue: 'NAME' }),
  github: boolean({
    description:
      'Write workflows for GitHub Actions, too; in a project that is there already, these alone.',
  }),
  force: boolean({
    description:
      'Write vkit.yaml anew where there is one; where --github writes workflows alone, these.',
  }),
};

interface InitFlags {
  with?: string | undefined;
  org?: string | undefined;
  github: boolean;
  force: boolean;
}

interface WrittenWorkflows {
  root: string;
  /** Relative to the project's root; those in `github` are relative to the repository's. */
  written: string[];
  github: { root: string; written: readonly string[]; kept: readonly string[] };
}

/** A command that scaffolds a project, and says what comes next. */
export abstract class InitCommandBase extends BaseCommand {
  protected async scaffold(directory: string, flags: InitFlags): Promise<object> {
    const { github, force, org } = flags;
    const asksForMore = org !== undefined || flags.with !== undefined;
    const isProject = await isFile(join(resolve(directory), PROJECT_PATHS.settings));
    if (github && isProject && !asksForMore) {
      const { root, ...workflows } = await this.writeWorkflows(directory, force);
      return { root, packs: [], ...workflows };
    }
    const names = (flags.with ?? '').split(',').map((name) => name.trim());
    const packs = names.filter((name) => name !== '');
    const result = await initProject({
      directory,
      cwd: process.cwd(),
      now: new Date(),
      force,
      packs,
      ...(org === undefined ? {} : { org }),
    });
    this.log(`Made a vkit project in ${escapeTerminal(result.root)}:`);
    for (const path of result.written.filter((path) => !path.endsWith('.gitkeep'))) {
      this.log(`  ${escapeTerminal(path)}`);
    }
    for (const { name, version, policies } of result.packs) {
      this.log(`✓ ${name} v${version}, ${policies} policies`);
    }
    const workflows = github ? await this.writeWorkflows(result.root, force) : null;
    this.note(nextSteps(result.root, { hasPacks: packs.length > 0, ...result }).join('\n'));
    return {
      root: result.root,
      written: [...result.written, ...(workflows?.written ?? [])],
      packs: result.packs.map((pack) => ({ id: pack.name, ...pack })),
      in_repository: result.inRepository,
      ...(workflows === null ? {} : { github: workflows.github }),
    };
  }

  private async writeWorkflows(directory: string, force: boolean): Promise<WrittenWorkflows> {
    const { projectRoot, repositoryRoot, written, kept } = await addGitHubWorkflows({
      cwd: resolve(directory),
      engines: ENGINES,
      version: this.config.version,
      force,
    });
    if (written.length > 0) {
      this.log(`Workflows for GitHub Actions in ${escapeTerminal(repositoryRoot)}:`);
      for (const path of written) this.log(`  ${path}`);
      this.note('What they need is said at the top of each file.');
    } else if (kept.length === 0) {
      this.log('The workflows for GitHub Actions are there already.');
    }
    for (const path of kept) {
      this.warn(`Kept ${path}, which is not as vkit would write it; --force writes over it.`);
    }
    return {
      root: projectRoot,
      written: written.map((path) => relative(projectRoot, join(repositoryRoot, path))),
      github: { root: repositoryRoot, written, kept },
    };
  }
}

function nextSteps(
  root: string,
  { hasPacks, inRepository }: { hasPacks: boolean; inRepository: boolean },
): string[] {
  const way = relative(process.cwd(), root);
  const steps = [
    ...(way === '' ? [] : [[`cd ${way}`, '']]),
    ...(inRepository ? [] : [['git init', 'bundles are compiled from commits']]),
    ['vkit keys generate', 'the key that signs bundles'],
    ['vkit datasource add shop --url sqlite:./shop.db', 'or postgres:// or mysql://HOST/DATABASE'],
    ['vkit scan shop --apply', 'the registry of its tables and columns'],
    ...(hasPacks ? [] : [['vkit policy pack add starter', 'policies to begin with']]),
  ];
  const width = Math.max(...steps.map(([command = '']) => command.length));
  return [
    '\nNext:',
    ...steps.map(([command = '', why = '']) =>
      (why === '' ? `  ${command}` : `  ${command.padEnd(width)}  # ${why}`).trimEnd(),
    ),
  ];
}
