import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { confirmDestruction } from '../../cli/confirm-destruction.js';
import { connect } from '../../cli/connect.js';
import { forceFlags, serverFlags } from '../../cli/flags.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import { escapeTerminal } from '../../util/escape.js';

export default class SessionRevoke extends BaseCommand {
  static override summary = 'End a login.';
  static override description =
    "It holds at once; what the person runs is stopped. One's own needs no role.";
  static override examples = ['<%= config.bin %> session revoke ses_…'];
  static override args = { id: argument({ description: 'Id of the session (ses_…).' }) };
  static override flags = {
    ...serverFlags,
    ...forceFlags,
    id: string({ description: 'The session, if it is not the argument.', helpValue: 'ID' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(SessionRevoke);
    const id = requireOneOf(args.id, flags.id, 'id', {
      thing: 'session',
      list: 'vkit session list',
    });
    const { client } = await connect(flags, this.config.version);
    await confirmDestruction(`End the session ${id}?`, flags);
    const session = await client.revokeSession(id);
    this.log(escapeTerminal(`Ended ${session.id} of ${session.email ?? session.user_id}.`));
    return session;
  }
}
