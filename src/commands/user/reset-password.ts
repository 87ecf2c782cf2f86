import { resolve } from 'node:path';
import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { connect, type ServerFlagValues } from '../../cli/connect.js';
import { passwordFlags, serverFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { readPassword } from '../../cli/prompt.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import { userArgs, userFlags } from '../../cli/user-flags.js';
import { readEnvironment } from '../../config/env.js';
import { VkitError } from '../../errors/index.js';
import { escapeTerminal } from '../../util/escape.js';

export default class UserResetPassword extends BaseCommand {
  static override summary = 'Set a new password for an account.';
  static override description =
    `The sessions of the account end. With --data-dir it works on the state of a server that is stopped, without a login: \
for the lost password of the administrator, who need not be named where there is only one. It is recorded in the audit \
log all the same.`;
  static override examples = [
    'printf %s "$PASSWORD" | <%= config.bin %> user reset-password ada@example.com --password-stdin',
    '<%= config.bin %> user reset-password --data-dir .vkit/server',
  ];
  static override args = userArgs;
  static override flags = {
    ...serverFlags,
    ...userFlags,
    ...passwordFlags,
    'data-dir': string({
      description: 'State of a stopped server to work on.',
      helpValue: 'FOLDER',
    }),
    'database-url': string({
      description:
        'PostgreSQL with the state of the server, to work on; with the same VKIT_MASTER_KEY.',
      helpValue: 'URL',
    }),
    org: string({
      description:
        'The organisation of the state in PostgreSQL (default); only with --database-url.',
      helpValue: 'NAME',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UserResetPassword);
    checkTogether(flags);
    const isLocal = flags['data-dir'] !== undefined || flags['database-url'] !== undefined;
    const id = !isLocal
      ? requireOneOf(args.id, flags.id, 'id', { thing: 'user', list: 'vkit user list' })
      : oneOf(args.id, flags.id, 'id');
    const password = await readPassword(flags, {
      question: 'New password',
      warn: (message) => this.warn(message),
    });
    const user = !isLocal
      ? await (await connect(flags, this.config.version)).client.resetPassword(id ?? '', password)
      : await resetLocally(flags, id, password, this.config.version);
    this.log(escapeTerminal(`The password of ${user.email} is set, and its sessions have ended.`));
    return user;
  }
}

interface LocalState {
  'data-dir'?: string | undefined;
  'database-url'?: string | undefined;
  org?: string | undefined;
}

/** That flags belong together is not told to oclif, whose usage line would say it unreadably. */
function checkTogether(flags: LocalState & ServerFlagValues): void {
  const places = {
    '--data-dir': flags['data-dir'],
    '--database-url': flags['database-url'],
    '--endpoint': flags.endpoint,
    '--profile': flags.profile,
  };
  const isLocal = flags['data-dir'] !== undefined || flags['database-url'] !== undefined;
  const given = Object.entries(places).flatMap(([name, value]) =>
    value === undefined ? [] : name,
  );
  if (isLocal && given.length > 1) {
    throw new VkitError('usage', `${given.join(' and ')} cannot be given together.`, {
      hint: 'Give one of --data-dir and --database-url to work on the state itself, or neither to ask a server.',
    });
  }
  if (flags.org !== undefined && flags['database-url'] === undefined) {
    throw new VkitError('usage', '--org is only for --database-url.', {
      hint: 'Leave --org out, or name the PostgreSQL that holds the state: --database-url',
    });
  }
}

async function resetLocally(
  flags: LocalState,
  user: string | undefined,
  password: string,
  version: string,
) {
  // The store and what it needs load only here: no other command of a client does.
  const { resetLocalPassword } = await import('../../services/control/reset-local-password.js');
  const { masterKey } = readEnvironment();
  const databaseUrl = flags['database-url'];
  return resetLocalPassword({
    state: {
      org: flags.org ?? 'default',
      dataDir: resolve(flags['data-dir'] ?? '.vkit/server'),
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      ...(masterKey === undefined ? {} : { masterKey }),
    },
    password,
    now: Date.now,
    client: `vkit/${version}`,
    ...(user === undefined ? {} : { user }),
  });
}
