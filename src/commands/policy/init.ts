import { string } from '@oclif/core/flags';
import { InitCommandBase, initFlags } from '../../cli/init-command.js';

export default class PolicyInit extends InitCommandBase {
  static override summary = 'Make a repository a vkit project; the same as vkit init.';
  static override examples = ['<%= config.bin %> policy init --repo ./policies --with starter'];
  static override flags = {
    repo: string({
      description: 'Folder of the repository.',
      aliases: ['dir'],
      default: '.',
      helpValue: 'FOLDER',
    }),
    ...initFlags,
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(PolicyInit);
    return this.scaffold(flags.repo, flags);
  }
}
