import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { grantArgs, grantFlags } from '../../cli/grant-flags.js';
import { reportGrant } from '../../cli/grant-report.js';
import { requireOneOf } from '../../cli/require-one-of.js';

export default class GrantShow extends BaseCommand {
  static override summary = 'Show whether a grant still holds.';
  static override examples = ['<%= config.bin %> grant show gr_…'];
  static override args = grantArgs;
  static override flags = { ...serverFlags, ...grantFlags };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(GrantShow);
    const ref = requireOneOf(args.ref, flags.grant, 'grant', {
      thing: 'grant',
      list: 'vkit requests list',
    });
    const { client } = await connect(flags, this.config.version);
    const grant = await client.showGrant(ref);
    this.log(reportGrant(grant, Date.now()));
    return grant;
  }
}
