import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { requestArgs, requestFlags } from '../../cli/request-flags.js';
import { reportRequest } from '../../cli/request-report.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import { requireReason } from '../../cli/require-reason.js';

export default class ApprovalDeny extends BaseCommand {
  static override summary = 'Deny a request of somebody else.';
  static override examples = [
    '<%= config.bin %> approval deny req_… --reason "not for this purpose"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...serverFlags,
    ...requestFlags,
    reason: string({
      description: 'Why; the requester reads it.',
      aliases: ['notes'],
      helpValue: 'TEXT',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ApprovalDeny);
    const id = requireOneOf(args.id, flags.request, 'request', {
      thing: 'request',
      list: 'vkit approval list',
    });
    const reason = await requireReason(flags.reason);
    const { client } = await connect(flags, this.config.version);
    const answer = await client.deny(id, reason);
    this.log(reportRequest(answer, Date.now()));
    return answer;
  }
}
