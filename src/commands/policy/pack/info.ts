import { string } from '@oclif/core/args';
import { BaseCommand } from '../../../cli/base-command.js';
import { renderFacts } from '../../../cli/facts.js';
import { projectFlags } from '../../../cli/flags.js';
import { projectContext } from '../../../cli/project-context.js';
import { terminalWidth } from '../../../cli/terminal-width.js';
import { describePack } from '../../../services/describe-pack.js';
import { escapeTerminal } from '../../../util/escape.js';
import { wrap } from '../../../util/wrap.js';

const INDENT = '  ';
/** Longer lines are hard to read, however wide the terminal is. */
const WIDTH_MAX = 100;

export default class PolicyPackInfo extends BaseCommand {
  static override summary = 'Show what is in a policy pack.';
  static override examples = [
    '<%= config.bin %> policy pack info starter',
    '<%= config.bin %> policy pack info ./packs/our_rules',
  ];
  static override args = {
    name: string({
      description: 'Name of a shipped or installed pack, or path of a folder or .tgz.',
      required: true,
    }),
  };
  static override flags = { ...projectFlags };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(PolicyPackInfo);
    const pack = await describePack({
      reference: args.name,
      cwd: process.cwd(),
      projectDir: projectContext(flags).cwd,
      now: new Date(),
    });
    const { priority_band: band, installed_version: installed } = pack;
    this.log(escapeTerminal(`${pack.name} v${pack.version}`));
    this.paragraph(pack.description ?? '');
    this.log('');
    this.log(
      renderFacts([
        ['layer', pack.layer],
        ['depends on', pack.dependencies.join(', ') || 'nothing'],
        ['priorities', band === undefined ? 'any' : `${band.min} to ${band.max}`],
        ['checksum', pack.checksum],
        ['installed', installed === null ? 'no' : `v${installed}`],
      ]),
    );
    for (const { id, action, priority, description } of pack.policies) {
      const what = action === null ? 'its file cannot be read' : `${action}, priority ${priority}`;
      this.log(`\n${escapeTerminal(id)}  (${what})`);
      this.paragraph(description ?? '');
    }
    if (installed === null) this.note(`\nNext: vkit policy pack add ${args.name}`);
    return pack;
  }

  private paragraph(text: string): void {
    const width = Math.min(WIDTH_MAX, terminalWidth() ?? WIDTH_MAX) - INDENT.length;
    const words = text.trim().replace(/\s+/g, ' ');
    if (words === '') return;
    for (const line of wrap(escapeTerminal(words), width)) this.log(`${INDENT}${line}`);
  }
}
