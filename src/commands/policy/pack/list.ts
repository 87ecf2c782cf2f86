import { BaseCommand } from '../../../cli/base-command.js';
import { projectFlags } from '../../../cli/flags.js';
import { openPackProject } from '../../../cli/open-pack-project.js';
import { terminalWidth } from '../../../cli/terminal-width.js';
import { type PackStatus, packStatusLine } from '../../../packs/pack-status.js';
import { listPacks } from '../../../services/list-packs.js';
import { escapeTerminal } from '../../../util/escape.js';
import { wrap } from '../../../util/wrap.js';

const INDENT = '    ';
/** Of a description where the width of the terminal is not known, or there is none. */
const WIDTH_DEFAULT = 100;

export default class PolicyPackList extends BaseCommand {
  static override summary =
    'List the policy packs that are installed, and those that ship with vkit.';
  static override examples = ['<%= config.bin %> policy pack list'];
  static override flags = { ...projectFlags };

  async run(): Promise<readonly object[]> {
    const { flags } = await this.parse(PolicyPackList);
    const { root, now } = await openPackProject(flags, (message) => this.note(message));
    const { packs } = await listPacks({ root, now });
    for (const pack of packs) this.show(pack);
    if (packs.some(({ state }) => state === 'upgradable')) {
      this.note('\nSee what would change: vkit policy pack upgrade --dry-run');
    } else if (packs.every(({ state }) => state === 'not_installed')) {
      this.note('\nNext: vkit policy pack add starter');
    }
    this.note('What is in one: vkit policy pack info NAME');
    return packs;
  }

  private show(pack: PackStatus): void {
    const { state, description, available_version: available } = pack;
    this.paragraph(packStatusLine(pack), '', terminalWidth());
    const version = state === 'not_installed' && available !== null ? `v${available}: ` : '';
    const text = `${version}${description.trim().replace(/\s+/g, ' ')}`;
    if (text !== '') this.paragraph(text, INDENT, terminalWidth() ?? WIDTH_DEFAULT);
  }

  /** Lines of a width, the second and those after it indented; null is any width. */
  private paragraph(text: string, first: string, width: number | null): void {
    const shown = escapeTerminal(text);
    const lines = width === null ? [shown] : wrap(shown, width - INDENT.length);
    for (const [index, line] of lines.entries()) this.log(`${index === 0 ? first : INDENT}${line}`);
  }
}
