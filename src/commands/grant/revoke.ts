import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { confirmDestruction } from '../../cli/confirm-destruction.js';
import { connect } from '../../cli/connect.js';
import { forceFlags, serverFlags } from '../../cli/flags.js';
import { grantArgs, grantFlags } from '../../cli/grant-flags.js';
import { reportGrant } from '../../cli/grant-report.js';
import { requireOneOf } from '../../cli/require-one-of.js';

export default class GrantRevoke extends BaseCommand {
  static override summary = 'Revoke a grant: nobody fetches with it any more.';
  static override description =
    'Yours, one you approved, or any as a policy administrator. A query that runs with it is stopped.';
  static override examples = ['<%= config.bin %> grant revoke gr_… --reason "no longer needed"'];
  static override args = grantArgs;
  static override flags = {
    ...serverFlags,
    ...grantFlags,
    ...forceFlags,
    reason: string({ description: 'Why; it is recorded.', helpValue: 'TEXT' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(GrantRevoke);
    const ref = requireOneOf(args.ref, flags.grant, 'grant', {
      thing: 'grant',
      list: 'vkit requests list',
    });
    const { client } = await connect(flags, this.config.version);
    await confirmDestruction(`Revoke the grant ${ref}?`, flags);
    const grant = await client.revokeGrant(ref, flags.reason);
    this.log(reportGrant(grant, Date.now()));
    return grant;
  }
}
