import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { renderTable } from '../../cli/table.js';

export default class UserList extends BaseCommand {
  static override summary = 'List the people who may log in.';
  static override examples = ['<%= config.bin %> user list'];
  static override flags = { ...serverFlags };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(UserList);
    const { client } = await connect(flags, this.config.version);
    const users = await client.listUsers();
    const table = renderTable(users, [
      { heading: 'id', value: ({ id }) => id },
      { heading: 'email', value: ({ email }) => email },
      { heading: 'state', value: ({ state }) => state },
      { heading: 'roles', value: ({ roles }) => roles.join(', ') },
      { heading: 'login', value: ({ login }) => login, below: true },
      { heading: 'clearance', value: ({ clearance }) => clearance, below: true },
      { heading: 'region', value: ({ region }) => region, below: true },
      { heading: 'purposes', value: ({ purposes }) => purposes.join(', '), below: true },
    ]);
    this.log(table);
    return users;
  }
}
