import { boolean } from '@oclif/core/flags';
import { attributeFlags, attributesOf } from '../../cli/attribute-flags.js';
import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import { userArgs, userFlags } from '../../cli/user-flags.js';
import { reportUser } from '../../cli/user-report.js';
import { VkitError } from '../../errors/index.js';

export default class UserUpdate extends BaseCommand {
  static override summary = 'Change the attributes of an account.';
  static override description =
    `They hold at once, also for grants that are out. The roles given replace all there were, and so do the purposes; an \
empty value takes an attribute away.`;
  static override examples = [
    '<%= config.bin %> user update ada@example.com --role analyst --role finance',
    '<%= config.bin %> user update ada@example.com --region ""',
  ];
  static override args = userArgs;
  static override flags = {
    ...serverFlags,
    ...userFlags,
    ...attributeFlags,
    oidc: boolean({
      description:
        'From now on it logs in through the identity provider; its password and its sessions end.',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UserUpdate);
    const id = requireOneOf(args.id, flags.id, 'id', { thing: 'user', list: 'vkit user list' });
    const change = { ...attributesOf(flags), ...(flags.oidc ? { login: 'oidc' as const } : {}) };
    if (Object.keys(change).length === 0) {
      throw new VkitError('usage', 'There is nothing to change.', {
        hint: 'Give --role, --clearance, --region, --purpose or --oidc.',
      });
    }
    const { client } = await connect(flags, this.config.version);
    const user = await client.updateUser(id, change);
    this.log(reportUser(user));
    return user;
  }
}
