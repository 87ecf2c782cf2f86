import { string as stringArg } from '@oclif/core/args';
import { option, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { connect, connectIfLoggedIn } from '../../cli/connect.js';
import { jsonFlag, passwordFlags, projectFlags, serverFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { projectContext } from '../../cli/project-context.js';
import { canPrompt } from '../../cli/prompt.js';
import { quoteForShell } from '../../cli/quote-for-shell.js';
import { type GivenLogin, readLogin } from '../../cli/read-login.js';
import { refuseClearServer } from '../../cli/refuse-clear-server.js';
import type { DatasourceAnswer, DatasourceBody } from '../../client/wire.js';
import { datasourceVariableNames } from '../../config/datasource-credentials.js';
import type { Credentials, Engine } from '../../engines/contract.js';
import { VkitError } from '../../errors/index.js';
import type { Datasource } from '../../project/parse-datasource-file.js';
import { chooseDatasource } from '../../services/choose-datasource.js';
import { localDatasource, onServer } from '../../services/scan-remote.js';
import {
  readAddress,
  refuseOtherAddress,
  sayCredentialsAre,
  sealForFile,
  updateOnServer,
} from '../../services/update-datasource.js';
import { escapeTerminal } from '../../util/escape.js';

type UpdateFlags = Awaited<ReturnType<DatasourceUpdate['read']>>['flags'];

export default class DatasourceUpdate extends BaseCommand {
  static override summary = 'Change the credentials of a datasource.';
  static override description =
    `With credentials: vaultkit in its file the server seals the new ones, for exactly what the file \
says: do this after a change of its address, TLS or options, too. With credentials: env it says which variables to set, and \
stores nothing; --credential-backend vaultkit moves them to the server. Without an ID, the only datasource there is.`;
  static override examples = [
    '<%= config.bin %> datasource update crm --username vkit_reader --password-stdin < FILE',
    '<%= config.bin %> datasource update crm --credential-backend vaultkit --username vkit_reader',
  ];
  static override args = { id: stringArg({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    ...serverFlags,
    id: string({ description: 'The same as the argument.', helpValue: 'ID' }),
    url: string({
      description: 'Connection URL with the login; no file gets its password.',
      helpValue: 'URL',
    }),
    config: jsonFlag({
      description: "The engine's settings, of a datasource that only the server knows.",
    }),
    'credential-backend': option({
      description: 'Where user name and password are kept from now on; vaultkit is the server.',
      options: ['env', 'vaultkit'] as const,
    })(),
    username: string({ description: 'User name of the login.', helpValue: 'NAME' }),
    ...passwordFlags,
  };

  async run(): Promise<object> {
    const { id: given, flags } = await this.read();
    const context = projectContext(flags);
    const id = given ?? (await chooseDatasource(context));
    const found = await localDatasource({ ...context, id });
    if ('missing' in found) return this.updateServerOnly(id, flags, found.missing);
    const { datasource } = found;
    const engine = requireLogins(context.engines[datasource.engine], id);
    const address = readAddress(engine, flags);
    refuseOtherAddress(datasource, engine, address.config);
    const backend = flags['credential-backend'] ?? backendOf(datasource);
    return backend === 'vaultkit'
      ? this.seal(datasource, flags, address.login)
      : this.tellVariables(datasource, flags, address.login);
  }

  private async read() {
    const { args, flags } = await this.parse(DatasourceUpdate);
    return { id: oneOf(args.id, flags.id, 'id'), flags };
  }

  private async seal(datasource: Datasource, flags: UpdateFlags, fromUrl: Credentials) {
    const { id } = datasource;
    const { client, endpoint } = await connect(flags, this.config.version);
    refuseClearServer(endpoint);
    const known = await client.showDatasource(id).catch((error: unknown) => {
      if (error instanceof VkitError && error.code === 'not_found') return null;
      throw error;
    });
    const { username, password } = await this.login(id, flags, fromUrl, known);
    const input = { ...projectContext(flags), id };
    const sealed = await sealForFile(client, datasource, { username, password }, input);
    this.tellSealed(id, endpoint, sealed.answer);
    if (sealed.fileChanged) this.note(`Its file says credentials: vaultkit now.`);
    const { correlation_id: _, ...answer } = sealed.answer;
    return { ...answer, server: endpoint, password_stored: true };
  }

  private async tellVariables(datasource: Datasource, flags: UpdateFlags, fromUrl: Credentials) {
    const { id } = datasource;
    const changed = await sayCredentialsAre('env', datasource, { ...projectContext(flags), id });
    const { username, password } = datasourceVariableNames(id);
    const user = flags.username ?? fromUrl.username;
    this.log(`The login of ${id} is read from the environment. Set, wherever it is used:`);
    this.log(`  export ${username}=${user === undefined ? '…' : quoteForShell(user)}`);
    this.log(`  export ${password}=…`);
    if (changed) this.note(`Its file says credentials: env now.`);
    if (flags.password !== undefined || flags['password-stdin'] || fromUrl.password !== undefined)
      this.note('The password was not stored.');
    if (!changed && (await connectIfLoggedIn(flags, this.config.version)))
      this.note(
        `To have the server keep it: vkit datasource update ${id} --credential-backend vaultkit`,
      );
    return { id, credentials: 'env', variables: [username, password], password_stored: false };
  }

  private async updateServerOnly(id: string, flags: UpdateFlags, missing: VkitError) {
    const connection = await connectIfLoggedIn(flags, this.config.version);
    if (!connection) throw missing;
    const { client, endpoint } = connection;
    refuseClearServer(endpoint);
    const body = await onServer(client, id, missing);
    const known = projectContext(flags).engines[body.engine];
    if (!known) throw new VkitError('unsupported', `This vkit has no engine for "${id}".`);
    const address = readAddress(known, flags);
    const login = known.needsCredentials ? await this.login(id, flags, address.login, body) : null;
    const change = login && { username: login.username, password: login.password };
    const updated = await updateOnServer(client, body, address.config, change);
    this.tellSealed(id, endpoint, updated);
    const { correlation_id: _, ...answer } = updated;
    return { ...answer, server: endpoint, password_stored: change !== null };
  }

  /** A user name that nobody gives stays as the server has it; a password has to be given. */
  private async login(
    id: string,
    flags: UpdateFlags,
    fromUrl: Credentials,
    known: Pick<DatasourceBody, 'username'> | null,
  ): Promise<GivenLogin> {
    const fromServer = known?.username ? { username: known.username } : {};
    const isGiven =
      flags.password !== undefined ||
      flags['password-stdin'] ||
      fromUrl.password !== undefined ||
      canPrompt();
    if (!isGiven) {
      throw new VkitError(
        'usage',
        '--password-stdin is missing, and there is no terminal to ask on.',
        { details: { flag: '--password-stdin' } },
      );
    }
    return readLogin(id, flags, { ...fromServer, ...fromUrl }, (message) => this.warn(message));
  }

  private tellSealed(id: string, endpoint: string, answer: DatasourceAnswer): void {
    const what = answer.secret === 'sealed' ? 'The credentials' : 'The settings';
    this.log(`${what} of ${escapeTerminal(id)} are kept at ${endpoint}.`);
    if (answer.in_bundle === 'differs')
      this.warn(
        `The active bundle has another address, TLS or options of ${id}: queries fail until one is deployed that has these.`,
      );
    this.note(`Next: vkit datasource test ${id} --remote`);
  }
}

function backendOf({ id, credentials }: Datasource): 'env' | 'vaultkit' {
  if (credentials === 'env' || credentials === 'vaultkit') return credentials;
  const where = typeof credentials === 'string' ? credentials : credentials.backend;
  throw new VkitError(
    'unsupported',
    `The credentials of datasource "${id}" are kept elsewhere (${where}), and are changed there.`,
    { hint: 'To have the server keep them: --credential-backend vaultkit' },
  );
}

function requireLogins(engine: Engine | undefined, id: string): Engine {
  if (engine?.needsCredentials) return engine;
  throw new VkitError('unsupported', `The datasource "${id}" has no credentials to change.`, {
    hint: `${engine?.displayName ?? 'Its engine'} is opened without a login of vkit's.`,
  });
}
