import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { activeAlready, NEXT_AFTER_ACTIVATION, reportBundle } from '../../cli/bundle-report.js';
import { confirmDestruction } from '../../cli/confirm-destruction.js';
import { connect } from '../../cli/connect.js';
import { forceFlags, serverFlags } from '../../cli/flags.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import { requireReason } from '../../cli/require-reason.js';

export default class PolicyRollback extends BaseCommand {
  static override summary = 'Activate an earlier bundle again.';
  static override description = 'Grants of the bundle that is active end. The reason is recorded.';
  static override examples = [
    '<%= config.bin %> policy rollback --to v2 --reason "v3 denies the reports"',
  ];
  static override args = { version: argument({ description: 'The version (v2).' }) };
  static override flags = {
    ...serverFlags,
    ...forceFlags,
    to: string({
      description: 'The version (v2).',
      aliases: ['bundle-version'],
      helpValue: 'vN',
    }),
    reason: string({ description: 'Why; it is recorded.', helpValue: 'TEXT' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(PolicyRollback);
    const version = requireOneOf(args.version, flags.to, 'to', {
      thing: 'version',
      list: 'vkit policy list',
    });
    const reason = await requireReason(flags.reason);
    const { client } = await connect(flags, this.config.version);
    await confirmDestruction(`Go back to the bundle ${version}?`, flags);
    const answer = await client.rollbackBundle(version, reason);
    this.log(reportBundle(answer));
    this.note(answer.unchanged ? activeAlready(answer) : NEXT_AFTER_ACTIVATION);
    return answer;
  }
}
