import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../../cli/base-command.js';
import { projectFlags } from '../../../cli/flags.js';
import { projectContext } from '../../../cli/project-context.js';
import { VkitError } from '../../../errors/index.js';
import { findProject } from '../../../project/find-project.js';
import { upgradePacks } from '../../../services/upgrade-packs.js';
import { escapeTerminal, escapeTerminalLines } from '../../../util/escape.js';

type Diffs = readonly { path: string; diff: string }[];

export default class PolicyPackUpgrade extends BaseCommand {
  static override summary = 'Upgrade one installed policy pack, or all of them.';
  static override description =
    `Replaces exactly the files that the pack owns. A file that was changed by hand stops the upgrade \
and is shown as a diff.`;
  static override examples = [
    '<%= config.bin %> policy pack upgrade --dry-run',
    '<%= config.bin %> policy pack upgrade starter',
  ];
  static override args = {
    name: string({ description: 'Name of a pack, or path of another version of it.' }),
  };
  static override flags = {
    ...projectFlags,
    'dry-run': boolean({ description: 'Show the full diff and write nothing.' }),
    force: boolean({
      description:
        'Overwrite files of the pack that were changed by hand, and allow an older version.',
    }),
  };

  async run(): Promise<readonly object[]> {
    const { args, flags } = await this.parse(PolicyPackUpgrade);
    const { root } = await findProject(projectContext(flags).cwd);
    const results = await upgradePacks({
      root,
      cwd: process.cwd(),
      now: new Date(),
      force: flags.force,
      dryRun: flags['dry-run'],
      ...(args.name === undefined ? {} : { reference: args.name }),
    }).catch((error: unknown) => {
      if (error instanceof VkitError) this.showDiffs((error.details?.diffs ?? []) as Diffs);
      throw error;
    });
    for (const { name, from, to, changed, diffs } of results) {
      if (from === to) this.log(`✓ ${name} v${from} is up to date`);
      else if (changed) this.log(`✓ ${name} v${from} -> v${to}`);
      else this.log(`${name} v${from} -> v${to} would change:`);
      if (flags['dry-run']) this.showDiffs(diffs);
    }
    if (results.length === 0) this.log('Every installed pack is up to date.');
    return results.map((result) => ({ id: result.name, ...result }));
  }

  private showDiffs(diffs: Diffs): void {
    for (const { path, diff } of diffs) {
      this.log(`\n${escapeTerminal(path)}`);
      this.log(escapeTerminalLines(diff));
    }
  }
}
