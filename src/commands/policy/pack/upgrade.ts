import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../../cli/base-command.js';
import { projectFlags } from '../../../cli/flags.js';
import { openPackProject } from '../../../cli/open-pack-project.js';
import { VkitError } from '../../../errors/index.js';
import { packStatusLine } from '../../../packs/pack-status.js';
import type { UpgradeResult } from '../../../packs/upgrade-together.js';
import { listPacks } from '../../../services/list-packs.js';
import { upgradePacks } from '../../../services/upgrade-packs.js';
import { escapeTerminal, escapeTerminalLines } from '../../../util/escape.js';

type Diffs = readonly { path: string; diff: string }[];
type Change = Pick<UpgradeResult, 'name' | 'from' | 'to'>;

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
    const { root, now } = await openPackProject(flags, (message) => this.note(message));
    const results = await upgradePacks({
      root,
      cwd: process.cwd(),
      now,
      force: flags.force,
      dryRun: flags['dry-run'],
      ...(args.name === undefined ? {} : { reference: args.name }),
    }).catch((error: unknown) => {
      if (error instanceof VkitError) this.showFailure(error);
      throw error;
    });
    for (const result of results) this.show(result, flags['dry-run'], args.name);
    if (results.length === 0) {
      this.log('Every installed pack that ships with vkit is up to date.');
      if (!this.jsonEnabled()) await this.noteChangedPacks(root, now);
    }
    if (results.some(({ changed }) => changed)) this.note('Next: vkit policy validate');
    else if (results.some(({ from, to }) => from !== to)) {
      this.note(
        `\nNext: vkit policy pack upgrade${args.name === undefined ? '' : ` ${args.name}`}`,
      );
    }
    return results.map((result) => ({ id: result.name, ...result }));
  }

  private show(result: UpgradeResult, isDryRun: boolean, reference = result.name): void {
    const { name, from, to, changed, diffs, modified } = result;
    if (changed) this.showChange(result);
    else if (diffs.length > 0 || from !== to) {
      this.log(`${name} v${from}${from === to ? '' : ` -> v${to}`} would change:`);
      if (modified.length > 0)
        this.note(`Changed by hand, and overwritten with --force only: ${modified.join(', ')}`);
    } else {
      this.log(upToDate(result));
      this.noteFiles(result, reference);
    }
    if (isDryRun) this.showDiffs(diffs);
  }

  private showChange({ name, from, to }: Change): void {
    this.log(from === to ? `✓ ${name} v${from} restored` : `✓ ${name} v${from} -> v${to}`);
  }

  /** What was upgraded before the error, and the diffs it is about. */
  private showFailure({ details }: VkitError): void {
    for (const change of (details?.upgraded ?? []) as readonly Change[]) this.showChange(change);
    this.showDiffs((details?.diffs ?? []) as Diffs);
  }

  /** Packs of the right version whose files are not theirs. */
  private async noteChangedPacks(root: string, now: Date): Promise<void> {
    const { packs } = await listPacks({ root, now });
    for (const pack of packs) {
      if (pack.installed_version === null || pack.modified.length + pack.missing.length === 0)
        continue;
      this.note(packStatusLine(pack));
    }
  }

  /** What a person should know where the version is right and the files are not. */
  private noteFiles({ modified, missing, differs }: UpgradeResult, reference: string): void {
    if (modified.length > 0) this.note(`  changed by hand: ${modified.join(', ')}`);
    if (missing.length > 0) this.note(`  missing: ${missing.join(', ')}`);
    if (differs) this.note('  The files of this version are others than those installed.');
    if (modified.length + missing.length > 0 || differs)
      this.note(`  Put the pack's files in place: vkit policy pack upgrade ${reference} --force`);
  }

  private showDiffs(diffs: Diffs): void {
    for (const { path, diff } of diffs) {
      this.log(`\n${escapeTerminal(path)}`);
      this.log(escapeTerminalLines(diff));
    }
  }
}

/** The version is the right one; its files may not be. */
function upToDate({ name, from, modified, missing, differs }: UpgradeResult): string {
  const wrong = [
    ...(modified.length > 0 ? [`${count(modified)} changed by hand`] : []),
    ...(missing.length > 0 ? [`${count(missing)} missing`] : []),
    ...(differs ? ['not the files of this version'] : []),
  ];
  return wrong.length === 0
    ? `✓ ${name} v${from} is up to date`
    : `⚠ ${name} v${from} is the version there is, but: ${wrong.join(', ')}`;
}

function count({ length }: readonly string[]): string {
  return `${length} ${length === 1 ? 'file' : 'files'}`;
}
