import { string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { connectAnonymously } from '../cli/connect.js';
import { formatMoment } from '../cli/facts.js';
import { passwordFlags, serverFlags } from '../cli/flags.js';
import { promptText, readPassword } from '../cli/prompt.js';
import { saveLogin } from '../client/credentials-file.js';
import { readEnvironment } from '../config/env.js';

export default class LoginCommand extends BaseCommand {
  static override summary = 'Log in to a vkit server.';
  static override description =
    'Keeps a short-lived session token in the credentials file (mode 0600). With VKIT_TOKEN no login is needed.';
  static override examples = [
    '<%= config.bin %> login --endpoint http://localhost:3000 --email ada@example.com',
    'printf %s "$PASSWORD" | <%= config.bin %> login --email ada@example.com --password-stdin',
  ];
  static override flags = {
    ...serverFlags,
    ...passwordFlags,
    email: string({ description: 'Email address of the account.', helpValue: 'ADDRESS' }),
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(LoginCommand);
    const { client, endpoint } = await connectAnonymously(flags, this.config.version);
    const email = flags.email ?? (await promptText('Email address', '--email'));
    const password = await readPassword(flags, {
      question: 'Password',
      warn: (message) => this.warn(message),
    });
    const answer = await client.logIn(email, password);
    const { configHome, profile } = readEnvironment();
    const path = await saveLogin(configHome, flags.profile ?? profile, {
      endpoint,
      token: answer.token,
      org: answer.user.org,
      email: answer.user.email,
      expires_at: answer.expires_at,
    });
    this.log(`Logged in to ${endpoint} as ${answer.user.email} (organisation ${answer.user.org}).`);
    this.log(
      `The session ends at ${formatMoment(answer.expires_at, Date.now())}; it is kept in ${path}.`,
    );
    return { status: 'logged_in', endpoint, expires_at: answer.expires_at, ...answer.user };
  }
}
