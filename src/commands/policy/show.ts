import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { parseBundle } from '../../bundle/parse-bundle.js';
import { BaseCommand } from '../../cli/base-command.js';
import { reportPolicies, reportShownBundle } from '../../cli/bundle-report.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { writeOutput } from '../../cli/write-output.js';

export default class PolicyShow extends BaseCommand {
  static override summary = 'Show a bundle of the server and its policies.';
  static override description =
    `Without a version, the active one. --output writes the bundle as it was uploaded, so that its checksum and signature can be \
verified: vkit policy validate --bundle FILE --key KEY.`;
  static override examples = [
    '<%= config.bin %> policy show',
    '<%= config.bin %> policy show v3 --output v3.json',
  ];
  static override args = { version: argument({ description: 'The version (v3), or active.' }) };
  static override flags = {
    ...serverFlags,
    'bundle-version': string({ description: 'The version (v3), or active.', helpValue: 'vN' }),
    output: string({ char: 'o', description: 'File to write the bundle to.', helpValue: 'FILE' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(PolicyShow);
    const version = oneOf(args.version, flags['bundle-version'], 'bundle-version') ?? 'active';
    const { client } = await connect(flags, this.config.version);
    const shown = await client.showBundle(version);
    const parsed = parseBundle(shown.bundle);
    const bundle = 'bundle' in parsed ? parsed.bundle : null;
    this.log(reportShownBundle(shown, bundle?.bundle.installed_packs ?? []));
    if (flags.output === undefined) {
      if (bundle) this.log(`\n${reportPolicies(bundle.policies)}`);
      else this.note('Its policies have a form that this vkit cannot read; --json shows them.');
      if (shown.state === 'uploaded' && shown.refusal === null)
        this.note(`Next: vkit policy activate ${shown.version}`);
      return shown;
    }
    const { bundle: document, ...facts } = shown;
    const bytes = await writeOutput(flags.output, `${JSON.stringify(document, null, 2)}\n`);
    this.log(`Wrote ${flags.output}.`);
    this.note(`Next: vkit policy validate --bundle ${flags.output} --key KEY`);
    return { ...facts, output: flags.output, bytes };
  }
}
