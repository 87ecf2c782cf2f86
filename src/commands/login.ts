import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { logInByBrowser } from '../cli/browser-login.js';
import { connectAnonymously } from '../cli/connect.js';
import { formatMoment } from '../cli/facts.js';
import { passwordFlags, serverFlags } from '../cli/flags.js';
import { openBrowser } from '../cli/open-browser.js';
import { canPrompt, promptText, readPassword } from '../cli/prompt.js';
import { saveLogin } from '../client/credentials-file.js';
import type { VkitClient } from '../client/vkit-client.js';
import type { LoginAnswer } from '../client/wire.js';
import { readEnvironment } from '../config/env.js';
import { VkitError } from '../errors/index.js';
import { escapeTerminal } from '../util/escape.js';

interface LoginFlags {
  email?: string | undefined;
  password?: string | undefined;
  'password-stdin': boolean;
  'no-browser': boolean;
}

export default class LoginCommand extends BaseCommand {
  static override summary = 'Log in to a vkit server.';
  static override description =
    `In the browser, where the server has an identity provider; else, and with --email, with a password. Keeps a \
short-lived session token in the credentials file (mode 0600). With VKIT_TOKEN no login is needed.`;
  static override examples = [
    '<%= config.bin %> login --endpoint https://vkit.example.com',
    '<%= config.bin %> login --endpoint http://localhost:3000 --email ada@example.com',
    'printf %s "$PASSWORD" | <%= config.bin %> login --email ada@example.com --password-stdin',
  ];
  static override flags = {
    ...serverFlags,
    ...passwordFlags,
    email: string({ description: 'Email address of the account.', helpValue: 'ADDRESS' }),
    'no-browser': boolean({
      description: 'Print the address to log in at, and open no browser.',
      exclusive: ['email', 'password', 'password-stdin'],
    }),
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(LoginCommand);
    const { client, endpoint } = await connectAnonymously(flags, this.config.version);
    const answer =
      (await this.logInByProvider(client, flags)) ?? (await this.logInByPassword(client, flags));
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

  /** Null where a password is meant, or the server knows nothing else. */
  private async logInByProvider(
    client: VkitClient,
    flags: LoginFlags,
  ): Promise<LoginAnswer | null> {
    if (flags.email !== undefined || flags.password !== undefined || flags['password-stdin']) {
      return null;
    }
    const discovery = await client.authDiscovery();
    if (!discovery.methods.includes('oidc')) {
      if (!flags['no-browser']) return null;
      throw new VkitError('usage', 'This server has no login in the browser.', {
        hint: 'With a password: vkit login --email ADDRESS',
      });
    }
    return logInByBrowser(client, discovery, (url) => {
      // On stderr also under --json: without it nobody could log in.
      process.stderr.write(
        `Log in in a browser on this machine:\n\n  ${escapeTerminal(url.href)}\n\n`,
      );
      if (canPrompt() && !flags['no-browser']) openBrowser(url);
    });
  }

  private async logInByPassword(client: VkitClient, flags: LoginFlags): Promise<LoginAnswer> {
    const email = flags.email ?? (await promptText('Email address', '--email'));
    const password = await readPassword(flags, {
      question: 'Password',
      warn: (message) => this.warn(message),
    });
    return client.logIn(email, password);
  }
}
