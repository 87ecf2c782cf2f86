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
import type { DatasourceContext } from '../../services/open-datasource.js';
import { localDatasource } from '../../services/scan-remote.js';

type Found = Awaited<ReturnType<typeof localDatasource>> | null;

export default class DatasourceRemove extends BaseCommand {
  static override summary = "Remove a datasource's file from the project.";
  static override description =
    `The registry keeps its datasets, with the tags people wrote, until somebody removes them there. \
Logged in, the server forgets the credentials that it keeps for the file, and a datasource that it alone has.`;
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
    // A file with problems can be removed, too; where its credentials are is not known then.
    const found = await localDatasource({ ...context, id }).catch(() => null);
    const connection = isServers(found, context)
      ? await connectIfLoggedIn(flags, this.config.version)
      : null;
    const place = connection === null ? '' : `, also at ${connection.endpoint}`;
    if (!flags.force && !(await confirm(`Remove the datasource ${id}${place}?`, '--force'))) {
      this.note('Nothing was removed.');
      return { id, removed: false };
    }
    if (connection !== null) {
      await this.forget(id, connection, found);
      if (isMissing(found)) return { id, removed: true, path: null, datasets: 0 };
    }
    const { path, datasets } = await removeDatasource({ ...context, id });
    this.log(`Removed ${path}.`);
    if (connection === null && isInVault(found)) {
      this.note('You are not logged in: a server that keeps its credentials has them still.');
    }
    if (datasets > 0) {
      this.warn(
        `config/registry.yaml still has ${datasets} of its datasets; remove them there before the next bundle.`,
      );
    }
    return { id, removed: true, path, datasets };
  }

  /** Has the server forget it, before the file goes that says where its credentials are. */
  private async forget(id: string, { client, endpoint }: Connection, found: Found): Promise<void> {
    try {
      await client.removeDatasource(id);
      this.log(`The server forgot ${id}: ${endpoint}`);
    } catch (error) {
      if (!(error instanceof VkitError)) throw error;
      if (error.code === 'not_found') {
        if (isMissing(found)) throw found.missing;
        return;
      }
      if (isMissing(found) || isInVault(found)) throw error;
      this.note(`Nothing was changed at ${endpoint}: ${error.message}`);
    }
  }
}

/** Whether a server may have it: one that keeps its credentials, or reads the same file, or has it alone. */
function isServers(found: Found, { engines }: DatasourceContext): boolean {
  if (found === null) return false;
  if (isMissing(found) || isInVault(found)) return true;
  return 'datasource' in found && engines[found.datasource.engine]?.needsCredentials === false;
}

function isMissing(found: Found): found is { missing: VkitError } {
  return found !== null && 'missing' in found;
}

function isInVault(found: Found): boolean {
  return found !== null && 'datasource' in found && found.datasource.credentials === 'vaultkit';
}
