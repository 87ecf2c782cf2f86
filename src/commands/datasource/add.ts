import { string as stringArg } from '@oclif/core/args';
import { option, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { type Connection, connect, connectIfLoggedIn } from '../../cli/connect.js';
import { passwordFlags, projectFlags, serverFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { projectContext } from '../../cli/project-context.js';
import { quoteForShell } from '../../cli/quote-for-shell.js';
import { readLogin } from '../../cli/read-login.js';
import { refuseClearServer } from '../../cli/refuse-clear-server.js';
import type { Credentials } from '../../engines/contract.js';
import { VkitError } from '../../errors/index.js';
import type { CredentialSource, Datasource } from '../../project/parse-datasource-file.js';
import { type AddedDatasource, addDatasource } from '../../services/add-datasource.js';
import { registerDatasource, registerFile } from '../../services/register-datasource.js';

export default class DatasourceAdd extends BaseCommand {
  static override summary = 'Add a database to the project.';
  static override description =
    `Writes config/datasources/ID.yaml, which is free of secrets. Logged in, user name and password \
are sealed on the server (credentials: vaultkit). Not logged in, or with --credential-backend env, they are read from \
VKIT_DS_<ID>_USERNAME and VKIT_DS_<ID>_PASSWORD (or VKIT_DS_<ID>_URL) whenever they are needed.`;
  static override examples = [
    '<%= config.bin %> datasource add shop --url sqlite:./shop.db',
    '<%= config.bin %> datasource add crm --url postgres://db.internal/crm --environment production --region US',
    `<%= config.bin %> datasource add erp --url 'mysql://db.internal:3306/erp?ssl-mode=VERIFY_IDENTITY'`,
    `<%= config.bin %> datasource add crm --url 'postgres://reader@db.internal/crm?sslmode=verify-full'`,
    '<%= config.bin %> datasource add crm --url postgres://db.internal/crm --credential-backend env',
    `<%= config.bin %> datasource add shop --engine sqlite --config '{"path": "./shop.db"}'`,
  ];
  static override args = { id: stringArg({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    ...serverFlags,
    id: string({ description: 'The same as the argument.', helpValue: 'ID' }),
    engine: string({
      description: 'postgres, mysql, snowflake or sqlite; not needed with --url.',
      helpValue: 'NAME',
    }),
    url: string({
      description: 'Connection URL; a password in it is not written to the file.',
      helpValue: 'URL',
    }),
    config: string({ description: "The engine's settings.", helpValue: 'JSON' }),
    environment: string({
      description: 'production, staging, development, or one of your own.',
      default: 'production',
      helpValue: 'NAME',
    }),
    region: string({ description: 'Where the data lies, such as US or EU.', helpValue: 'NAME' }),
    'credential-backend': option({
      description:
        'Where user name and password are kept; vaultkit is the server, the last three are what its file names.',
      options: ['env', 'vaultkit', 'file', 'vault', 'aws-secrets'] as const,
    })(),
    'credential-path': string({
      description: 'Of the secret in vault or aws-secrets.',
      helpValue: 'PATH',
    }),
    'username-key': string({
      description: 'The key of the user name in that secret (username).',
      helpValue: 'KEY',
    }),
    'password-key': string({
      description: 'The key of the password in that secret (password).',
      helpValue: 'KEY',
    }),
    username: string({ description: 'User name of the login.', helpValue: 'NAME' }),
    ...passwordFlags,
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(DatasourceAdd);
    const id = oneOf(args.id, flags.id, 'id');
    if (id === undefined) {
      throw new VkitError('usage', 'vkit datasource add needs ID.', {
        hint: 'For example: vkit datasource add shop --url sqlite:./shop.db',
      });
    }
    if (flags.url === undefined && flags.engine === undefined) {
      throw new VkitError('usage', 'vkit datasource add needs --url, or --engine and --config.', {
        hint: `For example: vkit datasource add ${/^[a-z0-9_]+$/.test(id) ? id : 'ID'} --url sqlite:./shop.db`,
      });
    }
    const source = backendSource(flags);
    const context = projectContext(flags);
    const server = await this.server(flags);
    let withoutPassword = false;
    const register = async (datasource: Datasource, login: Credentials) => {
      const engine = context.engines[datasource.engine];
      if (source && engine?.needsCredentials) return source;
      if (!server || !engine || engine.usesOwnLogin) return 'env';
      if (!engine.needsCredentials) {
        await registerFile(server.client, datasource).catch((error: unknown) => {
          if (!(error instanceof VkitError)) throw error;
          // Who may not administer the server adds a file to a project, as everybody does.
          if (error.code === 'forbidden') return;
          this.note(`The server does not keep it: ${error.message}`);
        });
        return 'env';
      }
      refuseClearServer(server.endpoint);
      const given = await readLogin(id, flags, login, (message) => this.warn(message));
      withoutPassword = given.withoutPassword;
      const { username, password } = given;
      await registerDatasource(server.client, datasource, { username, password }).catch(
        (error: unknown) => {
          throw flags['credential-backend'] === undefined ? withoutServer(error) : error;
        },
      );
      return 'vaultkit';
    };
    const added = await addDatasource({
      ...context,
      register,
      id,
      environment: flags.environment,
      ...(flags.engine === undefined ? {} : { engine: flags.engine }),
      ...(flags.url === undefined ? {} : { url: flags.url }),
      ...(flags.config === undefined ? {} : { config: flags.config }),
      ...(flags.region === undefined ? {} : { region: flags.region }),
    });
    const passwordGiven = flags.password !== undefined || flags['password-stdin'];
    this.explain(added, flags.username);
    const isSealed = added.datasource.credentials === 'vaultkit';
    if (isSealed) this.log(`Its credentials are sealed at ${server?.endpoint}.`);
    if (source) {
      this.note(
        `The server fetches its login where credential_backends.${flags['credential-backend']} of vkit.server.yaml has a rule for its host.`,
      );
    }
    if (withoutPassword) {
      this.warn(
        `No password was given, so the login is kept without one: vkit datasource update ${id} --password-stdin`,
      );
    }
    if (!isSealed && (added.passwordLeftOut || passwordGiven)) {
      this.note('The password was not stored.');
    }
    if (added.variables.length > 0 && server) {
      this.note('Set these variables where the server runs, too.');
    }
    this.note(
      source
        ? `Next, once it is committed: vkit policy bundle && vkit policy deploy, then: vkit scan ${id} --remote --apply`
        : `Next: vkit scan ${id} --apply`,
    );
    const { region, credentials } = added.datasource;
    return {
      ...added.datasource,
      region,
      credentials,
      path: added.path,
      root: added.root,
      created_project: added.created,
      variables: added.variables,
      password_stored: isSealed && !withoutPassword,
      server: isSealed ? (server?.endpoint ?? null) : null,
    };
  }

  /** The server that keeps the credentials; null where they stay in the environment. */
  private async server(flags: {
    'credential-backend'?: string | undefined;
    endpoint?: string | undefined;
    profile?: string | undefined;
  }): Promise<Connection | null> {
    const backend = flags['credential-backend'];
    if (backend !== undefined && backend !== 'vaultkit') return null;
    const find = backend === 'vaultkit' ? connect : connectIfLoggedIn;
    return find(flags, this.config.version);
  }

  private explain({ datasource, path, root, created, variables }: AddedDatasource, user?: string) {
    const { id, engine, environment, region } = datasource;
    if (created) this.note(`There was no project, so config/ was made in ${root}.`);
    this.log(
      `Added ${id} (${engine}, ${environment}${region === null ? '' : `, ${region}`}): ${path}`,
    );
    if (region === null) {
      this.note(
        `No region was given, so policies on regions take it as unknown: add "region: US" to ${path} if you know it.`,
      );
    }
    const [name, password] = variables;
    if (name === undefined || password === undefined) return;
    this.log('\nIts login is read from the environment. Before the next step, set:');
    this.log(`  export ${name}=${user === undefined ? '…' : quoteForShell(user)}`);
    this.log(`  export ${password}=…`);
  }
}

/** What the file says of a backend that only the server reads; undefined for the others. */
function backendSource(flags: {
  'credential-backend'?: string | undefined;
  'credential-path'?: string | undefined;
  'username-key'?: string | undefined;
  'password-key'?: string | undefined;
}): CredentialSource | undefined {
  const backend = flags['credential-backend'];
  const path = flags['credential-path'];
  const { 'username-key': username_key, 'password-key': password_key } = flags;
  if (backend === 'vault' || backend === 'aws-secrets') {
    if (path === undefined) {
      throw new VkitError('usage', `--credential-path is missing: which secret of ${backend}.`, {
        hint: `For example: --credential-backend ${backend} --credential-path vkit/crm`,
      });
    }
    return {
      backend,
      path,
      ...(username_key === undefined ? {} : { username_key }),
      ...(password_key === undefined ? {} : { password_key }),
    };
  }
  if (path !== undefined || username_key !== undefined || password_key !== undefined) {
    throw new VkitError('usage', 'Only vault and aws-secrets have paths and keys of secrets.', {
      hint: 'Add --credential-backend vault or aws-secrets.',
    });
  }
  return backend === 'file' ? 'file' : undefined;
}

/** Nobody asked for the server: who may not keep passwords there still adds a datasource to a project. */
function withoutServer(error: unknown): unknown {
  if (!(error instanceof VkitError) || error.code !== 'forbidden') return error;
  const { code, message, hint = '', correlationId } = error;
  return new VkitError(code, message, {
    hint: `${hint}${hint === '' ? '' : '\n'}To keep its login in the environment, and not on the server: --credential-backend env`,
    ...(correlationId === undefined ? {} : { correlationId }),
    cause: error,
  });
}
