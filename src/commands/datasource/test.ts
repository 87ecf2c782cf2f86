import { string } from '@oclif/core/args';
import { boolean, string as stringFlag } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { projectFlags, serverFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { startProgress } from '../../cli/progress.js';
import { projectContext } from '../../cli/project-context.js';
import { testOneDatasource } from '../../cli/test-one-datasource.js';
import { chooseDatasource } from '../../services/choose-datasource.js';
import { escapeTerminal } from '../../util/escape.js';

export default class DatasourceTest extends BaseCommand {
  static override summary = 'Connect to a datasource; shows its version and the latency.';
  static override description =
    'From here; or from the server, with --remote and where you are logged in and it alone has the credentials or knows the datasource. Without an ID, the only one of the project. Exits 7 when it cannot be reached.';
  static override examples = ['<%= config.bin %> datasource test shop'];
  static override args = { id: string({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    ...serverFlags,
    remote: boolean({ description: 'The server connects.' }),
    id: stringFlag({ description: 'The same as the argument.', helpValue: 'ID' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(DatasourceTest);
    const context = projectContext(flags);
    const id = oneOf(args.id, flags.id, 'id') ?? (await chooseDatasource(context));
    const progress = await startProgress(`Connecting to ${id}`, { json: this.jsonEnabled() });
    const tested = await testOneDatasource(id, flags, this.config.version).finally(() =>
      progress.stop(),
    );
    const server = escapeTerminal(tested.server);
    const from = tested.from === undefined ? '' : ` ${tested.from}`;
    this.log(`✓ ${id} answers${from}: ${server}, ${tested.latency_ms.toFixed(1)} ms`);
    return tested;
  }
}
