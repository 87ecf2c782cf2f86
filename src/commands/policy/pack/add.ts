import { string } from '@oclif/core/args';
import { BaseCommand } from '../../../cli/base-command.js';
import { projectFlags } from '../../../cli/flags.js';
import { openPackProject } from '../../../cli/open-pack-project.js';
import { addPack } from '../../../services/add-pack.js';
import { escapeTerminal } from '../../../util/escape.js';

export default class PolicyPackAdd extends BaseCommand {
  static override summary = 'Install a policy pack into the project.';
  static override description =
    'Copies its policies to config/policies, all or none, and nothing that was not named. Never overwrites a file of yours.';
  static override examples = [
    '<%= config.bin %> policy pack add starter',
    '<%= config.bin %> policy pack add ./our_rules.tgz',
  ];
  static override args = {
    name: string({
      description: 'Name of a shipped pack, or path of a folder or .tgz.',
      required: true,
    }),
  };
  static override flags = { ...projectFlags };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(PolicyPackAdd);
    const { root, now } = await openPackProject(flags, (message) => this.note(message));
    const { installed, changed } = await addPack({
      root,
      reference: args.name,
      cwd: process.cwd(),
      now,
    });
    const { name, version, files } = installed;
    this.log(`✓ ${name} v${version}${changed ? '' : ', which was installed already'}`);
    if (changed) {
      for (const { path } of files) this.log(`  ${escapeTerminal(path)}`);
      this.note('Next: vkit policy validate');
    }
    return { id: name, changed, ...installed };
  }
}
