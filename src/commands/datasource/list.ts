import { BaseCommand } from '../../cli/base-command.js';
import { projectFlags } from '../../cli/flags.js';
import { projectContext } from '../../cli/project-context.js';
import { renderTable } from '../../cli/table.js';
import { formatProblem } from '../../errors/index.js';
import { listDatasources } from '../../services/list-datasources.js';

export default class DatasourceList extends BaseCommand {
  static override summary = 'List the datasources of the project.';
  static override examples = ['<%= config.bin %> datasource list'];
  static override flags = { ...projectFlags };

  async run(): Promise<readonly object[]> {
    const { flags } = await this.parse(DatasourceList);
    const { datasources, problems } = await listDatasources(projectContext(flags));
    for (const problem of problems) this.warn(formatProblem(problem));
    if (datasources.length > 0) {
      this.log(
        renderTable(datasources, [
          { heading: 'ID', value: ({ id }) => id },
          { heading: 'Engine', value: ({ engine }) => engine },
          { heading: 'Environment', value: ({ environment }) => environment },
          { heading: 'Region', value: ({ region }) => region },
          { heading: 'Credentials', value: ({ credentials }) => credentials },
        ]),
      );
    } else if (problems.length === 0) {
      this.note('No datasource yet. Next: vkit datasource add shop --url sqlite:./shop.db');
    }
    return datasources;
  }
}
