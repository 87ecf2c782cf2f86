import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { activeAlready, NEXT_AFTER_ACTIVATION, reportBundle } from '../../cli/bundle-report.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { requireOneOf } from '../../cli/require-one-of.js';

export default class PolicyActivate extends BaseCommand {
  static override summary = 'Activate a bundle that was uploaded.';
  static override description =
    'Its sequence must not be below one that was active; to go back on purpose there is vkit policy rollback.';
  static override examples = ['<%= config.bin %> policy activate v3'];
  static override args = { version: argument({ description: 'The version (v3).' }) };
  static override flags = {
    ...serverFlags,
    'bundle-version': string({ description: 'The version (v3).', helpValue: 'vN' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(PolicyActivate);
    const version = requireOneOf(args.version, flags['bundle-version'], 'bundle-version', {
      thing: 'version',
      list: 'vkit policy list',
    });
    const { client } = await connect(flags, this.config.version);
    const answer = await client.activateBundle(version);
    this.log(reportBundle(answer));
    this.note(answer.unchanged ? activeAlready(answer) : NEXT_AFTER_ACTIVATION);
    return answer;
  }
}
