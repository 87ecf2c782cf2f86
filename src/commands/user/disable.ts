import { BaseCommand } from '../../cli/base-command.js';
import { confirmDestruction } from '../../cli/confirm-destruction.js';
import { connect } from '../../cli/connect.js';
import { forceFlags, serverFlags } from '../../cli/flags.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import { userArgs, userFlags } from '../../cli/user-flags.js';
import { reportUser } from '../../cli/user-report.js';

export default class UserDisable extends BaseCommand {
  static override summary = 'Disable an account.';
  static override description =
    'It holds at once: the sessions end, grants fetch nothing more, and the agents of that person stop.';
  static override examples = ['<%= config.bin %> user disable ada@example.com'];
  static override args = userArgs;
  static override flags = { ...serverFlags, ...userFlags, ...forceFlags };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UserDisable);
    const id = requireOneOf(args.id, flags.id, 'id', { thing: 'user', list: 'vkit user list' });
    const { client } = await connect(flags, this.config.version);
    await confirmDestruction(`Disable the account ${id}?`, flags);
    const user = await client.disableUser(id);
    this.log(reportUser(user));
    return user;
  }
}
