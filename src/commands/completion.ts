import { string } from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.js';
import { COMPLETION_SHELLS, completionScript } from '../cli/completion-script.js';

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion script of a shell.';
  static override examples = [
    'source <(<%= config.bin %> completion bash)',
    '<%= config.bin %> completion zsh > _vkit  # in a folder of $fpath',
    '<%= config.bin %> completion fish > ~/.config/fish/completions/vkit.fish',
  ];
  static override args = {
    shell: string({
      description: 'Shell to complete in.',
      options: [...COMPLETION_SHELLS],
      required: true,
    }),
  };

  async run(): Promise<object> {
    const { args } = await this.parse(Completion);
    const shell = COMPLETION_SHELLS.find((known) => known === args.shell) ?? 'bash';
    const commands = this.config.commands
      .filter((command) => !command.hidden)
      .map((command) => ({
        words: command.id.split(':'),
        summary: command.summary ?? '',
        flags: Object.values(command.flags)
          .filter((flag) => !flag.hidden)
          .map((flag) => ({ name: flag.name, summary: flag.summary ?? flag.description ?? '' })),
      }));
    const script = completionScript(shell, commands);
    this.log(script);
    return { shell, script };
  }
}
