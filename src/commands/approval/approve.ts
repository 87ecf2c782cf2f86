import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { durationFlag, serverFlags } from '../../cli/flags.js';
import { requestArgs, requestFlags } from '../../cli/request-flags.js';
import { nextStep, reportRequest } from '../../cli/request-report.js';
import { requireOneOf } from '../../cli/require-one-of.js';

export default class ApprovalApprove extends BaseCommand {
  static override summary = 'Approve a request of somebody else.';
  static override description =
    `The policies are evaluated again first: exits 3 where they deny the request by now. The time of the grant runs from \
the approval, and --ttl only shortens it.`;
  static override examples = [
    '<%= config.bin %> approval approve req_…',
    '<%= config.bin %> approval approve req_… --ttl 15m --notes "for the audit of May"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...serverFlags,
    ...requestFlags,
    ttl: durationFlag({ description: 'How long the grant holds at most.' }),
    notes: string({ description: 'What is kept with the approval.', helpValue: 'TEXT' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ApprovalApprove);
    const id = requireOneOf(args.id, flags.request, 'request', {
      thing: 'request',
      list: 'vkit approval list',
    });
    const { client } = await connect(flags, this.config.version);
    const answer = await client.approve(id, {
      ...(flags.ttl === undefined ? {} : { ttl_seconds: flags.ttl }),
      ...(flags.notes === undefined ? {} : { notes: flags.notes }),
    });
    const now = Date.now();
    this.log(reportRequest(answer, now));
    this.note(nextStep(answer, { now, reader: 'approver' }));
    return answer.status === 'denied' ? this.answer(3, answer) : answer;
  }
}
