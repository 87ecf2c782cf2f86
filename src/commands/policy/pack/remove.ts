import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../../cli/base-command.js';
import { projectFlags } from '../../../cli/flags.js';
import { openPackProject } from '../../../cli/open-pack-project.js';
import { removeInstalledPack } from '../../../services/remove-pack.js';
import { escapeTerminal } from '../../../util/escape.js';

export default class PolicyPackRemove extends BaseCommand {
  static override summary = 'Remove an installed policy pack.';
  static override description =
    'Deletes the files that the pack installed and no other; those that were changed by hand only with --force.';
  static override examples = ['<%= config.bin %> policy pack remove ai_safety'];
  static override args = { name: string({ description: 'Name of the pack.', required: true }) };
  static override flags = {
    ...projectFlags,
    force: boolean({ description: 'Delete files of the pack that were changed by hand, too.' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(PolicyPackRemove);
    const { root, now } = await openPackProject(flags, (message) => this.note(message));
    const removed = await removeInstalledPack({
      root,
      name: args.name,
      force: flags.force,
      now,
    });
    this.log(`Removed ${removed.name} v${removed.version}:`);
    for (const path of removed.files) this.log(`  ${escapeTerminal(path)}`);
    this.note('Next: vkit policy validate');
    return { id: removed.name, removed: true, ...removed };
  }
}
