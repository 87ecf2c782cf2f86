import { BaseCommand } from '../../cli/base-command.js';
import { type Connection, connectIfLoggedIn } from '../../cli/connect.js';
import { projectFlags, serverFlags } from '../../cli/flags.js';
import { projectContext } from '../../cli/project-context.js';
import { renderTable } from '../../cli/table.js';
import type { DatasourceBody } from '../../client/wire.js';
import { formatProblem, VkitError } from '../../errors/index.js';
import { type ListedDatasource, listDatasources } from '../../services/list-datasources.js';
import { type MergedDatasource, mergeDatasources } from '../../services/merge-datasources.js';

/** What the server adds is not worth waiting for longer. */
const LIST_TIMEOUT_MS = 10_000;

export default class DatasourceList extends BaseCommand {
  static override summary = 'List the datasources of the project.';
  static override description =
    'Logged in, those of the server too, and which of them it has the credentials of.';
  static override examples = ['<%= config.bin %> datasource list'];
  static override flags = { ...projectFlags, ...serverFlags };

  async run(): Promise<readonly object[]> {
    const { flags } = await this.parse(DatasourceList);
    const connection = await connectIfLoggedIn(flags, this.config.version);
    const { datasources, problems } = await listDatasources(projectContext(flags)).catch(
      (error: unknown) => {
        const isNone = error instanceof VkitError && error.code === 'project_not_found';
        if (!isNone || connection === null) throw error;
        return { datasources: [], problems: [] };
      },
    );
    for (const problem of problems) this.warn(formatProblem(problem));
    if (connection !== null) {
      const all = await this.withServer(datasources, connection);
      if (all !== null) return all;
    }
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

  /** The lists together; null where the server does not tell its own, which is no reason not to show the project's. */
  private async withServer(
    datasources: readonly ListedDatasource[],
    { client, endpoint }: Connection,
  ): Promise<readonly MergedDatasource[] | null> {
    let bodies: readonly DatasourceBody[];
    try {
      bodies = await client.listDatasources(AbortSignal.timeout(LIST_TIMEOUT_MS));
    } catch (error) {
      // Who may not see the server's has the project's, as everybody who is not logged in.
      if (error instanceof VkitError && error.code === 'forbidden') return null;
      const message = error instanceof VkitError ? error.message : 'It does not answer.';
      this.note(`The datasources of ${endpoint} are not listed: ${message}`);
      return null;
    }
    const all = mergeDatasources(datasources, bodies);
    if (all.length === 0) return null;
    this.log(
      renderTable(all, [
        { heading: 'ID', value: ({ id }) => id },
        { heading: 'Engine', value: ({ engine }) => engine },
        { heading: 'Environment', value: ({ environment }) => environment },
        { heading: 'Region', value: ({ region }) => region },
        { heading: 'Credentials', value: ({ credentials }) => credentials },
        { heading: 'Project', value: ({ in_project: inProject }) => (inProject ? 'yes' : 'no') },
        { heading: 'Server', value: ({ on_server: onServer }) => onServer.replaceAll('_', ' ') },
      ]),
    );
    return all;
  }
}
