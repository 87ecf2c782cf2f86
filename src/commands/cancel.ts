import { string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { connect } from '../cli/connect.js';
import { serverFlags } from '../cli/flags.js';
import { oneOf } from '../cli/one-of.js';
import { requestArgs, requestFlags } from '../cli/request-flags.js';
import { reportRequest } from '../cli/request-report.js';
import { VkitError } from '../errors/index.js';

export default class CancelCommand extends BaseCommand {
  static override summary = 'Cancel a request of your own.';
  static override description =
    'Its grant is revoked with it, and its running query stops. Name the request, or its grant.';
  static override examples = [
    '<%= config.bin %> cancel req_…',
    '<%= config.bin %> cancel --grant gr_…',
  ];
  static override args = requestArgs;
  static override flags = {
    ...serverFlags,
    ...requestFlags,
    grant: string({
      char: 'g',
      description: 'The grant of the request (gr_…).',
      helpValue: 'REF',
      exclusive: ['request'],
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CancelCommand);
    const named = oneOf(args.id, flags.request, 'request');
    if ((named === undefined) === (flags.grant === undefined)) {
      throw new VkitError('usage', 'Name the request as an argument, or its grant with --grant.', {
        details: { flag: '--grant' },
      });
    }
    const { client } = await connect(flags, this.config.version);
    const id = named ?? (await client.showGrant(flags.grant ?? '')).request_id;
    const answer = await client.cancelRequest(id);
    this.log(reportRequest(answer, Date.now()));
    return answer;
  }
}
