import { string } from '@oclif/core/args';
import { boolean, string as stringFlag } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { datasourcePlace as placeOf } from '../../cli/datasource-place.js';
import { projectFlags, serverFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { projectContext } from '../../cli/project-context.js';
import { chooseDatasource } from '../../services/choose-datasource.js';
import { getDatasource } from '../../services/datasource-file.js';
import type { ListedDatasource } from '../../services/list-datasources.js';
import { escapeTerminal } from '../../util/escape.js';

type Shown = Omit<ListedDatasource, 'credentials'> & { credentials: string | null };

export default class DatasourceGet extends BaseCommand {
  static override summary = 'Show one datasource.';
  static override description =
    'Of the project; or of the server, with --remote and where you are logged in and it alone has it. Without an ID, the only one of the project.';
  static override examples = ['<%= config.bin %> datasource get shop'];
  static override args = { id: string({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    ...serverFlags,
    remote: boolean({ description: 'Show what the server has.' }),
    id: stringFlag({ description: 'The same as the argument.', helpValue: 'ID' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(DatasourceGet);
    const context = projectContext(flags);
    const id = oneOf(args.id, flags.id, 'id') ?? (await chooseDatasource(context));
    const server = await placeOf({ ...context, id, flags, version: this.config.version });
    if (server !== null) {
      const { correlation_id: _, ...body } = await server.client.showDatasource(id);
      this.show(body);
      this.line('username', body.username ?? 'none');
      this.line('secret', body.has_secret ? 'sealed' : 'none');
      this.line('server', server.endpoint);
      return { ...body, server: server.endpoint };
    }
    const found = await getDatasource({ ...context, id });
    this.show(found);
    this.line('datasets', String(found.datasets));
    this.line('file', found.path);
    return found;
  }

  private show({ id, engine, environment, region, credentials, config }: Shown): void {
    this.log(escapeTerminal(id));
    this.line('engine', engine);
    this.line('environment', environment);
    this.line('region', region ?? 'not known');
    this.line('credentials', credentials ?? 'none');
    for (const [key, value] of Object.entries(config))
      this.line(key, typeof value === 'string' ? value : JSON.stringify(value));
  }

  private line(key: string, value: string): void {
    this.log(`  ${escapeTerminal(key).padEnd(11)}  ${escapeTerminal(value)}`);
  }
}
