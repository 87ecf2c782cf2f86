import { BaseCommand } from '../../../cli/base-command.js';
import { connect } from '../../../cli/connect.js';
import { formatTime } from '../../../cli/facts.js';
import { serverFlags } from '../../../cli/flags.js';
import { renderTable } from '../../../cli/table.js';
import { rolesOfRequester } from '../../../policy/requester-roles.js';

export default class AgentsTokensList extends BaseCommand {
  static override summary = 'List the tokens of agents, without their secrets.';
  static override examples = ['<%= config.bin %> agents tokens list'];
  static override flags = { ...serverFlags };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AgentsTokensList);
    const { client } = await connect(flags, this.config.version);
    const tokens = await client.listAgentTokens();
    if (tokens.length === 0) this.note('There are none. Make one with: vkit agents tokens create');
    else {
      const table = renderTable(tokens, [
        { heading: 'id', value: ({ id }) => id },
        { heading: 'prefix', value: ({ prefix }) => prefix },
        { heading: 'name', value: ({ name }) => name },
        { heading: 'state', value: ({ state }) => state },
        { heading: 'roles', value: ({ roles }) => rolesOfRequester(roles, true).join(', ') },
        { heading: 'clearance', value: ({ clearance }) => clearance, below: true },
        { heading: 'region', value: ({ region }) => region, below: true },
        {
          heading: 'datasources',
          value: ({ datasources }) => datasources?.join(', ') ?? 'all',
          below: true,
        },
        { heading: 'on behalf of', value: ({ on_behalf_of }) => on_behalf_of, below: true },
        {
          heading: 'expires',
          value: ({ expires_at }) => (expires_at === null ? null : formatTime(expires_at)),
          below: true,
        },
      ]);
      this.log(table);
    }
    return tokens;
  }
}
