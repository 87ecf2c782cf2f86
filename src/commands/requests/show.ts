import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { requestArgs, requestFlags } from '../../cli/request-flags.js';
import { reportRequest } from '../../cli/request-report.js';
import { requireOneOf } from '../../cli/require-one-of.js';

export default class RequestsShow extends BaseCommand {
  static override summary = 'Show how a request stands.';
  static override examples = ['<%= config.bin %> requests show req_…'];
  static override args = requestArgs;
  static override flags = {
    ...serverFlags,
    ...requestFlags,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(RequestsShow);
    const id = requireOneOf(args.id, flags.request, 'request');
    const { client } = await connect(flags, this.config.version);
    const answer = await client.showRequest(id);
    this.log(reportRequest(answer, Date.now()));
    return answer;
  }
}
