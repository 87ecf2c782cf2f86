import { string } from '@oclif/core/flags';
import { InitCommandBase, initFlags } from '../cli/init-command.js';

export default class Init extends InitCommandBase {
  static override summary = 'Make a folder a vkit project.';
  static override description =
    'Writes vkit.yaml, vkit.server.yaml, the folders of config/, and lines in .gitignore that keep keys out of Git.';
  static override examples = [
    '<%= config.bin %> init --with starter,ai_safety --org acme',
    '<%= config.bin %> init --dir policies',
  ];
  static override flags = {
    dir: string({ description: 'Folder of the project.', default: '.', helpValue: 'FOLDER' }),
    ...initFlags,
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(Init);
    return this.scaffold(flags.dir, flags);
  }
}
