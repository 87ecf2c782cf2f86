import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { reportBundle } from '../../cli/bundle-report.js';
import { confirmDestruction } from '../../cli/confirm-destruction.js';
import { connect } from '../../cli/connect.js';
import { forceFlags, serverFlags } from '../../cli/flags.js';
import { promptText } from '../../cli/prompt.js';
import { requireOneOf } from '../../cli/require-one-of.js';

export default class PolicyRevoke extends BaseCommand {
  static override summary = 'Revoke a bundle for good.';
  static override description =
    'It can never be active again. Revoking the active one leaves none, and everything is denied until another is active.';
  static override examples = [
    '<%= config.bin %> policy revoke --bundle-version v3 --reason "a policy lets too much through"',
  ];
  static override args = { version: argument({ description: 'The version (v3).' }) };
  static override flags = {
    ...serverFlags,
    ...forceFlags,
    'bundle-version': string({ description: 'The version (v3).', helpValue: 'vN' }),
    reason: string({ description: 'Why; it is recorded.', helpValue: 'TEXT' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(PolicyRevoke);
    const version = requireOneOf(args.version, flags['bundle-version'], 'bundle-version');
    const reason = flags.reason ?? (await promptText('Reason', '--reason'));
    const { client } = await connect(flags, this.config.version);
    await confirmDestruction(`Revoke the bundle ${version} for good?`, flags);
    const answer = await client.revokeBundle(version, reason);
    this.log(reportBundle(answer));
    return answer;
  }
}
