import { boolean, string } from '@oclif/core/flags';
import { attributeFlags, attributesOf } from '../../cli/attribute-flags.js';
import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { passwordFlags, serverFlags } from '../../cli/flags.js';
import { promptText, readPassword } from '../../cli/prompt.js';
import { reportUser } from '../../cli/user-report.js';

export default class UserCreate extends BaseCommand {
  static override summary = 'Make an account for a person.';
  static override examples = [
    'printf %s "$PASSWORD" | <%= config.bin %> user create --email ada@example.com --role analyst --region US --password-stdin',
  ];
  static override flags = {
    ...serverFlags,
    ...attributeFlags,
    ...passwordFlags,
    email: string({ description: 'Email address of the account.', helpValue: 'ADDRESS' }),
    oidc: boolean({
      description: 'It logs in through the identity provider and has no password.',
      exclusive: ['password', 'password-stdin'],
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(UserCreate);
    const email = flags.email ?? (await promptText('Email address', '--email'));
    const password = flags.oidc
      ? {}
      : {
          password: await readPassword(flags, {
            question: 'Password of the account',
            warn: (message) => this.warn(message),
          }),
        };
    const { client } = await connect(flags, this.config.version);
    const user = await client.createUser({ email, ...password, ...attributesOf(flags) });
    this.log(reportUser(user));
    return user;
  }
}
