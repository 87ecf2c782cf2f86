import { relative } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { initProject } from '../services/init-project.js';
import { escapeTerminal } from '../util/escape.js';
import { BaseCommand } from './base-command.js';

/** What `vkit init` and `vkit policy init` share; they differ in how the folder is named. */
export const initFlags = {
  with: string({
    description: 'Policy packs to install, separated by commas.',
    helpValue: 'starter,ai_safety',
  }),
  org: string({ description: 'Organisation that bundles are for.', helpValue: 'NAME' }),
  force: boolean({ description: 'Write vkit.yaml anew where there is one.' }),
};

/** A command that scaffolds a project, and says what comes next. */
export abstract class InitCommandBase extends BaseCommand {
  protected async scaffold(
    directory: string,
    flags: { with?: string | undefined; org?: string | undefined; force: boolean },
  ): Promise<object> {
    const names = (flags.with ?? '').split(',').map((name) => name.trim());
    const packs = names.filter((name) => name !== '');
    const result = await initProject({
      directory,
      cwd: process.cwd(),
      now: new Date(),
      force: flags.force,
      packs,
      ...(flags.org === undefined ? {} : { org: flags.org }),
    });
    this.log(`Made a vkit project in ${escapeTerminal(result.root)}:`);
    for (const path of result.written.filter((path) => !path.endsWith('.gitkeep'))) {
      this.log(`  ${escapeTerminal(path)}`);
    }
    for (const { name, version, policies } of result.packs) {
      this.log(`✓ ${name} v${version}, ${policies} policies`);
    }
    this.note(nextSteps(result.root, { hasPacks: packs.length > 0, ...result }).join('\n'));
    return {
      root: result.root,
      written: result.written,
      packs: result.packs.map((pack) => ({ id: pack.name, ...pack })),
      in_repository: result.inRepository,
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
