import { option } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { formatDistance, formatTime } from '../../cli/facts.js';
import { countFlag, serverFlags } from '../../cli/flags.js';
import { REQUEST_STATES } from '../../cli/request-flags.js';
import { renderTable } from '../../cli/table.js';

export default class RequestsList extends BaseCommand {
  static override summary = 'List your requests, newest first.';
  static override examples = [
    '<%= config.bin %> requests list',
    '<%= config.bin %> requests list --state pending --json',
  ];
  static override flags = {
    ...serverFlags,
    state: option({
      description: 'Only requests in this state.',
      options: REQUEST_STATES,
      default: 'all' as const,
    })(),
    limit: countFlag({ description: 'How many at most.', default: 50, min: 1, max: 500 }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(RequestsList);
    const { client } = await connect(flags, this.config.version);
    const { state, limit } = flags;
    const requests = await client.listRequests({ state, limit });
    if (requests.length === 0) this.note('There are none. Make one with: vkit request');
    else {
      const now = Date.now();
      const table = renderTable(requests, [
        { heading: 'request', value: ({ id }) => id },
        { heading: 'state', value: (request) => request.state },
        { heading: 'dataset', value: ({ dataset }) => dataset },
        { heading: 'made', value: ({ created_at }) => formatTime(created_at) },
        { heading: 'grant', value: ({ grant_ref }) => grant_ref, below: true },
        {
          heading: 'expires',
          value: ({ expires_at }) =>
            expires_at === undefined ? null : formatDistance(expires_at, now),
        },
      ]);
      this.log(table);
    }
    return requests;
  }
}
