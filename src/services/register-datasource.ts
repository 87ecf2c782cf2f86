import type { VkitClient } from '../client/vkit-client.js';
import type { DatasourceAnswer } from '../client/wire.js';
import { VkitError } from '../errors/index.js';
import type { Datasource } from '../project/parse-datasource-file.js';

type Client = Pick<VkitClient, 'createDatasource' | 'updateDatasource'>;

export interface ServerLogin {
  username: string;
  password: string;
}

/** What a server is told of a datasource: all that its file says. */
function described({ engine, environment, region, config, include, exclude }: Datasource) {
  return {
    ...{ engine, environment, region, config },
    include: include ?? null,
    exclude: exclude ?? null,
  };
}

/** Has the server keep a datasource that it does not know yet, and seal its password. */
export async function registerDatasource(
  client: Client,
  datasource: Datasource,
  login: ServerLogin,
): Promise<void> {
  await client.createDatasource({ id: datasource.id, ...described(datasource), ...login });
}

/** The same for a database without logins. */
export async function registerFile(client: Client, datasource: Datasource): Promise<void> {
  await client.createDatasource({ id: datasource.id, ...described(datasource) });
}

/** Brings the server's datasource to what its file says, with another login; makes it where there is none. */
export async function sealAnew(
  client: Client,
  datasource: Datasource,
  login: ServerLogin,
): Promise<DatasourceAnswer> {
  const body = { ...described(datasource), ...login };
  try {
    return await client.updateDatasource(datasource.id, body);
  } catch (error) {
    if (!(error instanceof VkitError) || error.code !== 'not_found') throw error;
    return client.createDatasource({ id: datasource.id, ...body });
  }
}
