import { string } from '@oclif/core/args';
import { string as stringFlag } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { projectFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { projectContext } from '../../cli/project-context.js';
import { chooseDatasource } from '../../services/choose-datasource.js';
import { readerGrants } from '../../services/reader-grants.js';
import { escapeTerminal } from '../../util/escape.js';

export default class DatasourceGrants extends BaseCommand {
  static override summary = 'Print the SQL that creates the read-only login vkit needs.';
  static override description =
    `Connects to nothing: an administrator of the database runs what is printed. Grants what the \
registry has of the datasource, or the default schema before the first scan. Without an ID, the only one there is.`;
  static override examples = [
    '<%= config.bin %> datasource grants shop',
    '<%= config.bin %> datasource grants shop --login analytics_reader > reader.sql',
  ];
  static override args = { id: string({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    id: stringFlag({ description: 'The same as the argument.', helpValue: 'ID' }),
    login: stringFlag({ description: 'Name of the login.', helpValue: 'NAME' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(DatasourceGrants);
    const context = projectContext(flags);
    const id = oneOf(args.id, flags.id, 'id') ?? (await chooseDatasource(context));
    const { login } = flags;
    const grants = await readerGrants({
      ...context,
      id,
      ...(login === undefined ? {} : { login }),
    });
    for (const statement of grants.statements) this.log(escapeTerminal(statement));
    for (const note of grants.notes) this.logToStderr(escapeTerminal(note));
    if (grants.tables === null && grants.statements.length > 0) {
      this.logToStderr(
        `Nothing of ${grants.id} is in the registry yet: after vkit scan ${grants.id} --apply, this names each table.`,
      );
    }
    return grants;
  }
}
