import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import { userArgs, userFlags } from '../../cli/user-flags.js';
import { reportUser } from '../../cli/user-report.js';

export default class UserEnable extends BaseCommand {
  static override summary = 'Enable an account that was disabled.';
  static override description =
    'It has the roles and the password it had; its sessions stay ended, so the person logs in again.';
  static override examples = ['<%= config.bin %> user enable ada@example.com'];
  static override args = userArgs;
  static override flags = { ...serverFlags, ...userFlags };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UserEnable);
    const id = requireOneOf(args.id, flags.id, 'id', { thing: 'user', list: 'vkit user list' });
    const { client } = await connect(flags, this.config.version);
    const user = await client.enableUser(id);
    this.log(reportUser(user));
    return user;
  }
}
