import { string } from '@oclif/core/args';
import { string as stringFlag } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { type Connection, connectIfLoggedIn } from '../../cli/connect.js';
import { forceFlags, projectFlags, serverFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { projectContext } from '../../cli/project-context.js';
import { confirm } from '../../cli/prompt.js';
import { VkitError } from '../../errors/index.js';
import { removeDatasource } from '../../services/datasource-file.js';
import { localDatasource } from '../../services/scan-remote.js';

export default class DatasourceRemove extends BaseCommand {
  static override summary =
    "Remove a datasource's file from the project, and its credentials from the server.";
  static override description =
    'The registry keeps its datasets, with the tags people wrote, until somebody removes them there. Logged in, the server forgets the datasource and its credentials, too.';
  static override examples = ['<%= config.bin %> datasource remove shop --force'];
  static override args = { id: string({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    ...serverFlags,
    ...forceFlags,
    id: stringFlag({ description: 'The same as the argument.', helpValue: 'ID' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(DatasourceRemove);
    const id = oneOf(args.id, flags.id, 'id');
    if (id === undefined) throw new VkitError('usage', 'vkit datasource remove needs ID.');
    const context = projectContext(flags);
    const connection = await connectIfLoggedIn(flags, this.config.version);
    const place = connection === null ? '' : `, also at ${connection.endpoint}`;
    if (!flags.force && !(await confirm(`Remove the datasource ${id}${place}?`, '--force'))) {
      this.note('Nothing was removed.');
      return { id, removed: false };
    }
    if (connection !== null) {
      const { filed, forgotten } = await this.forget(id, context, connection);
      if (forgotten)
        this.log(`The server forgot ${id} and its credentials: ${connection.endpoint}`);
      if (!filed) return { id, removed: true, path: null, datasets: 0 };
    }
    const { path, datasets } = await removeDatasource({ ...context, id });
    this.log(`Removed ${path}.`);
    if (datasets > 0) {
      this.warn(
        `config/registry.yaml still has ${datasets} of its datasets; remove them there before the next bundle.`,
      );
    }
    return { id, removed: true, path, datasets };
  }

  /**
   * Has the server forget it first: what fails there leaves the file, which says where the credentials are. A file that says
   * they are elsewhere is removed all the same.
   */
  private async forget(
    id: string,
    context: ReturnType<typeof projectContext>,
    { client, endpoint }: Connection,
  ): Promise<{ filed: boolean; forgotten: boolean }> {
    // A file with problems can be removed, too; where its credentials are is not known then.
    const found = await localDatasource({ ...context, id }).catch(() => null);
    const missing = found !== null && 'missing' in found ? found.missing : null;
    const isServers =
      found !== null && 'datasource' in found && found.datasource.credentials === 'vaultkit';
    try {
      await client.removeDatasource(id);
      return { filed: missing === null, forgotten: true };
    } catch (error) {
      if (!(error instanceof VkitError)) throw error;
      if (error.code === 'not_found') {
        if (missing !== null) throw missing;
        return { filed: true, forgotten: false };
      }
      if (missing !== null || isServers) throw error;
      this.note(`Nothing was changed at ${endpoint}: ${error.message}`);
      return { filed: true, forgotten: false };
    }
  }
}
