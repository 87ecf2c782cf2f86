import { string as stringArg } from '@oclif/core/args';
import { option, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { passwordFlags, projectFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { projectContext } from '../../cli/project-context.js';
import { readLogin } from '../../client/credentials-file.js';
import { readEnvironment } from '../../config/env.js';
import { VkitError } from '../../errors/index.js';
import { type AddedDatasource, addDatasource } from '../../services/add-datasource.js';
import { escapeTerminal } from '../../util/escape.js';

export default class DatasourceAdd extends BaseCommand {
  static override summary = 'Add a database to the project.';
  static override description =
    `Writes config/datasources/ID.yaml, which is free of secrets: user name and password are read \
from VKIT_DS_<ID>_USERNAME and VKIT_DS_<ID>_PASSWORD (or VKIT_DS_<ID>_URL) whenever they are needed.`;
  static override examples = [
    '<%= config.bin %> datasource add shop --url sqlite:./shop.db',
    '<%= config.bin %> datasource add crm --url postgres://db.internal:5432/crm --environment production --region US',
    `<%= config.bin %> datasource add erp --url 'mysql://db.internal:3306/erp?ssl-mode=VERIFY_IDENTITY'`,
    `<%= config.bin %> datasource add shop --engine sqlite --config '{"path": "./shop.db"}'`,
  ];
  static override args = { id: stringArg({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    id: string({ description: 'The same as the argument.', helpValue: 'ID' }),
    engine: string({
      description: 'postgres, mysql, snowflake or sqlite; not needed with --url.',
      helpValue: 'NAME',
    }),
    url: string({
      description: 'Connection URL; a password in it is not stored.',
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
      description: 'Where user name and password are read from.',
      options: ['env'] as const,
      default: 'env' as const,
    })(),
    username: string({ description: 'User name, for the variables shown.', helpValue: 'NAME' }),
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
    const added = await addDatasource({
      ...projectContext(flags),
      id,
      environment: flags.environment,
      ...(flags.engine === undefined ? {} : { engine: flags.engine }),
      ...(flags.url === undefined ? {} : { url: flags.url }),
      ...(flags.config === undefined ? {} : { config: flags.config }),
      ...(flags.region === undefined ? {} : { region: flags.region }),
    });
    const passwordGiven = flags.password !== undefined || flags['password-stdin'];
    this.explain(added, flags.username);
    if (added.passwordLeftOut || passwordGiven) {
      this.note('The password was not stored.');
    }
    if (added.variables.length > 0 && (await isLoggedIn())) {
      this.note('The server cannot keep credentials yet: set these variables where it runs, too.');
    }
    this.note(`Next: vkit scan ${id} --apply`);
    const { region, credentials } = added.datasource;
    return {
      ...added.datasource,
      region,
      credentials,
      path: added.path,
      root: added.root,
      created_project: added.created,
      variables: added.variables,
      password_stored: false,
    };
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
    this.log(`  export ${name}=${user === undefined ? '…' : quoted(user)}`);
    this.log(`  export ${password}=…`);
  }
}

/** As a shell reads it, and a terminal may show it. */
function quoted(text: string): string {
  const shown = escapeTerminal(text);
  return /^[\w.@%+-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}

async function isLoggedIn(): Promise<boolean> {
  const { configHome, profile, token } = readEnvironment();
  if (token !== undefined) return true;
  // A damaged file of logins says nothing about a datasource.
  return readLogin(configHome, profile).then(
    (login) => login !== null,
    () => false,
  );
}
