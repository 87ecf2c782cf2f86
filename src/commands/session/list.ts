import { boolean, option, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { formatTime } from '../../cli/facts.js';
import { serverFlags } from '../../cli/flags.js';
import { renderTable } from '../../cli/table.js';

export default class SessionList extends BaseCommand {
  static override summary = 'List the logins that are in use.';
  static override description =
    "Everybody's, for who has the role user_admin or admin; --mine lists one's own and needs no role.";
  static override examples = [
    '<%= config.bin %> session list',
    '<%= config.bin %> session list --mine',
    '<%= config.bin %> session list --user ada@example.com --state all',
  ];
  static override flags = {
    ...serverFlags,
    mine: boolean({ description: 'Only your own.', exclusive: ['user'] }),
    user: string({ description: 'Only of a person: an id or an email address.', helpValue: 'ID' }),
    state: option({
      description: 'Those in use, or those that have ended, too.',
      options: ['active', 'all'] as const,
      default: 'active' as const,
    })(),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(SessionList);
    const { client } = await connect(flags, this.config.version);
    const sessions = await client.listSessions({
      state: flags.state,
      ...(flags.mine ? { mine: true } : {}),
      ...(flags.user === undefined ? {} : { user: flags.user }),
    });
    this.log(
      renderTable(sessions, [
        { heading: 'id', value: ({ id, current }) => (current ? `${id} (this one)` : id) },
        { heading: 'person', value: ({ email, user_id }) => email ?? user_id },
        { heading: 'state', value: ({ state }) => state },
        { heading: 'begun', value: ({ created_at }) => formatTime(created_at) },
        { heading: 'ends', value: ({ expires_at }) => formatTime(expires_at), below: true },
        { heading: 'login', value: ({ method }) => method, below: true },
        { heading: 'client', value: ({ client: name }) => name, below: true },
        { heading: 'from', value: ({ address }) => address, below: true },
      ]),
    );
    return sessions;
  }
}
