import { option } from '@oclif/core/flags';
import { approvalTable } from '../../cli/approval-table.js';
import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { countFlag, serverFlags } from '../../cli/flags.js';
import { REQUEST_STATES } from '../../cli/request-flags.js';

export default class ApprovalList extends BaseCommand {
  static override summary = 'List the requests that wait for your approval.';
  static override examples = [
    '<%= config.bin %> approval list',
    '<%= config.bin %> approval list --state all --json',
  ];
  static override flags = {
    ...serverFlags,
    state: option({
      description: 'Only requests in this state.',
      options: REQUEST_STATES,
      default: 'pending' as const,
    })(),
    limit: countFlag({ description: 'How many at most.', default: 50, min: 1, max: 500 }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ApprovalList);
    const { client } = await connect(flags, this.config.version);
    const { state, limit } = flags;
    const items = await client.listApprovals({ state, limit });
    if (items.length === 0) this.note('There are none.');
    else {
      this.log(approvalTable(items, Date.now()));
      const [first] = items.filter((item) => item.state === 'pending');
      if (first) this.note(`Next: vkit requests show ${first.id}`);
    }
    return items;
  }
}
