import { string } from '@oclif/core/args';
import { BaseCommand } from '../../../cli/base-command.js';
import { renderFacts } from '../../../cli/facts.js';
import { wrap } from '../../../cli/wrap.js';
import { describePack } from '../../../services/describe-pack.js';
import { escapeTerminal } from '../../../util/escape.js';

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
      description: 'Name of a shipped pack, or path of a folder or .tgz.',
      required: true,
    }),
  };

  async run(): Promise<object> {
    const { args } = await this.parse(PolicyPackInfo);
    const pack = await describePack({ reference: args.name, cwd: process.cwd() });
    const band = pack.priority_band;
    this.log(escapeTerminal(`${pack.name} v${pack.version}`));
    this.paragraph(pack.description);
    this.log('');
    this.log(
      renderFacts([
        ['layer', pack.layer],
        ['depends on', pack.dependencies.join(', ') || 'nothing'],
        ['priorities', band === undefined ? 'any' : `${band.min} to ${band.max}`],
        ['checksum', pack.checksum],
      ]),
    );
    for (const { id, action, priority, description } of pack.policies) {
      this.log(`\n${escapeTerminal(id)}  (${action}, priority ${priority})`);
      this.paragraph(description ?? '');
    }
    return pack;
  }

  private paragraph(text: string): void {
    const width = Math.min(WIDTH_MAX, process.stdout.columns ?? WIDTH_MAX) - INDENT.length;
    const words = text.trim().replace(/\s+/g, ' ');
    if (words === '') return;
    for (const line of wrap(escapeTerminal(words), width)) this.log(`${INDENT}${line}`);
  }
}
