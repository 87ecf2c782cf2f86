import { string } from '@oclif/core/args';
import { string as stringFlag } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { projectFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { startProgress } from '../../cli/progress.js';
import { projectContext } from '../../cli/project-context.js';
import { chooseDatasource } from '../../services/choose-datasource.js';
import { testDatasource } from '../../services/test-datasource.js';
import { escapeTerminal } from '../../util/escape.js';

export default class DatasourceTest extends BaseCommand {
  static override summary = 'Connect to a datasource; shows its version and the latency.';
  static override description =
    'Without an ID, the only one there is. Exits 7 when it cannot be reached.';
  static override examples = ['<%= config.bin %> datasource test shop'];
  static override args = { id: string({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    id: stringFlag({ description: 'The same as the argument.', helpValue: 'ID' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(DatasourceTest);
    const context = projectContext(flags);
    const id = oneOf(args.id, flags.id, 'id') ?? (await chooseDatasource(context));
    const progress = await startProgress(`Connecting to ${id}`, { json: this.jsonEnabled() });
    const tested = await testDatasource({ ...context, id }).finally(() => progress.stop());
    const server = escapeTerminal(tested.server);
    this.log(`✓ ${tested.id} answers: ${server}, ${tested.latency_ms.toFixed(1)} ms`);
    return tested;
  }
}
