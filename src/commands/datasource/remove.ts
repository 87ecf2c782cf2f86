import { string } from '@oclif/core/args';
import { string as stringFlag } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { forceFlags, projectFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { projectContext } from '../../cli/project-context.js';
import { confirm } from '../../cli/prompt.js';
import { VkitError } from '../../errors/index.js';
import { removeDatasource } from '../../services/datasource-file.js';

export default class DatasourceRemove extends BaseCommand {
  static override summary = "Remove a datasource's file from the project.";
  static override description =
    'The registry keeps its datasets, with the tags people wrote, until somebody removes them there.';
  static override examples = ['<%= config.bin %> datasource remove shop --force'];
  static override args = { id: string({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    ...forceFlags,
    id: stringFlag({ description: 'The same as the argument.', helpValue: 'ID' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(DatasourceRemove);
    const id = oneOf(args.id, flags.id, 'id');
    if (id === undefined) throw new VkitError('usage', 'vkit datasource remove needs ID.');
    if (!flags.force && !(await confirm(`Remove the datasource ${id}?`, '--force'))) {
      this.note('Nothing was removed.');
      return { id, removed: false };
    }
    const { path, datasets } = await removeDatasource({ ...projectContext(flags), id });
    this.log(`Removed ${path}.`);
    if (datasets > 0) {
      this.warn(
        `config/registry.yaml still has ${datasets} of its datasets; remove them there before the next bundle.`,
      );
    }
    return { id, removed: true, path, datasets };
  }
}
