import { VkitError } from '../errors/index.js';
import { type ListDatasourcesInput, listDatasources } from './list-datasources.js';

/**
 * The datasource that is meant where none is named: the only one of the project. Throws `not_found` in a project without
 * one, and `usage` with their ids where there are several.
 */
export async function chooseDatasource(input: ListDatasourcesInput): Promise<string> {
  const { datasources, problems } = await listDatasources(input);
  const ids = datasources.map(({ id }) => id);
  if (ids.length === 0 && problems.length > 0) {
    throw new VkitError('config_invalid', 'The project has no datasource without problems.', {
      hint: 'Correct what is listed, and run the command again.',
      details: { problems },
    });
  }
  if (ids.length === 0) {
    throw new VkitError('not_found', 'The project has no datasource yet.', {
      hint: 'Add one: vkit datasource add shop --url sqlite:./shop.db',
    });
  }
  const [only] = ids;
  if (only !== undefined && ids.length === 1 && problems.length === 0) return only;
  throw new VkitError('usage', 'The project has several datasources, and none is named.', {
    hint: `Name one of: ${ids.join(', ')}.`,
    details: { datasources: ids },
  });
}
