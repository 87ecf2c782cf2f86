import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../../cli/base-command.js';
import { confirmDestruction } from '../../../cli/confirm-destruction.js';
import { connect } from '../../../cli/connect.js';
import { forceFlags, serverFlags } from '../../../cli/flags.js';
import { requireOneOf } from '../../../cli/require-one-of.js';
import { VkitError } from '../../../errors/index.js';
import { escapeTerminal } from '../../../util/escape.js';

/** The prefix of a token that lists show; what is longer is the secret itself. */
const PREFIX_CHARACTERS = 12;

export default class AgentsTokensRevoke extends BaseCommand {
  static override summary = 'Revoke the token of an agent.';
  static override description =
    'It holds at once; what the agent runs is stopped. Revoking a revoked token does nothing.';
  static override examples = [
    '<%= config.bin %> agents tokens revoke agt_…',
    '<%= config.bin %> agents tokens revoke --token vka_1a2b3c4d',
  ];
  static override args = { token: argument({ description: 'Id (agt_…) or prefix of the token.' }) };
  static override flags = {
    ...serverFlags,
    ...forceFlags,
    token: string({ description: 'Id (agt_…) or prefix of the token.', helpValue: 'ID' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(AgentsTokensRevoke);
    const token = requireOneOf(args.token, flags.token, 'token', {
      thing: 'token',
      list: 'vkit agents tokens list',
    });
    if (token.startsWith('vka_') && token.length > PREFIX_CHARACTERS) {
      throw new VkitError('usage', 'This is a whole token, not its id or its prefix.', {
        hint: `Its first ${PREFIX_CHARACTERS} characters are enough; the shell history has the rest now.`,
      });
    }
    const { client } = await connect(flags, this.config.version);
    await confirmDestruction(`Revoke the agent token ${token}?`, flags);
    const revoked = await client.revokeAgentToken(token);
    this.log(escapeTerminal(`Revoked ${revoked.id} (${revoked.name}).`));
    return revoked;
  }
}
