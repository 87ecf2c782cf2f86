import { BaseCommand } from '../../../cli/base-command.js';
import { projectFlags } from '../../../cli/flags.js';
import { openPackProject } from '../../../cli/open-pack-project.js';
import { packStatusLine } from '../../../packs/pack-status.js';
import { listPacks } from '../../../services/list-packs.js';
import { escapeTerminal } from '../../../util/escape.js';

export default class PolicyPackList extends BaseCommand {
  static override summary =
    'List the policy packs that are installed, and those that ship with vkit.';
  static override examples = ['<%= config.bin %> policy pack list'];
  static override flags = { ...projectFlags };

  async run(): Promise<readonly object[]> {
    const { flags } = await this.parse(PolicyPackList);
    const { root, now } = await openPackProject(flags, (message) => this.note(message));
    const { packs } = await listPacks({ root, now });
    for (const pack of packs) this.log(escapeTerminal(packStatusLine(pack)));
    if (packs.some(({ state }) => state === 'upgradable')) {
      this.note('\nSee what would change: vkit policy pack upgrade --dry-run');
    } else if (packs.every(({ state }) => state === 'not_installed')) {
      this.note('\nNext: vkit policy pack add starter');
    }
    return packs;
  }
}
