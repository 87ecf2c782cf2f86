import { string } from '@oclif/core/args';
import { string as stringFlag } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { projectFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { projectContext } from '../../cli/project-context.js';
import { chooseDatasource } from '../../services/choose-datasource.js';
import { getDatasource } from '../../services/datasource-file.js';
import { escapeTerminal } from '../../util/escape.js';

export default class DatasourceGet extends BaseCommand {
  static override summary = 'Show one datasource of the project.';
  static override description = 'Without an ID, the only one there is.';
  static override examples = ['<%= config.bin %> datasource get shop'];
  static override args = { id: string({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    id: stringFlag({ description: 'The same as the argument.', helpValue: 'ID' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(DatasourceGet);
    const context = projectContext(flags);
    const id = oneOf(args.id, flags.id, 'id') ?? (await chooseDatasource(context));
    const found = await getDatasource({ ...context, id });
    this.log(found.id);
    this.log(`  engine       ${found.engine}`);
    this.log(`  environment  ${found.environment}`);
    this.log(`  region       ${found.region ?? 'not known'}`);
    this.log(`  credentials  ${found.credentials}`);
    for (const [key, value] of Object.entries(found.config)) {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      this.log(`  ${escapeTerminal(key).padEnd(11)}  ${escapeTerminal(text)}`);
    }
    this.log(`  datasets     ${found.datasets}`);
    this.log(`  file         ${escapeTerminal(found.path)}`);
    return found;
  }
}
