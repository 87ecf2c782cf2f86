import { type LocalDatasourceInput, localDatasource, onServer } from '../services/scan-remote.js';
import { type Connection, connect, connectIfLoggedIn, type ServerFlagValues } from './connect.js';

export interface DatasourcePlaceInput extends LocalDatasourceInput {
  flags: ServerFlagValues & { remote: boolean };
  version: string;
  /** Whether it is to be opened: a project's datasource whose credentials only a server has is the server's then. */
  needsLogin?: boolean;
}

/**
 * The server whose a datasource is: with `--remote`, and where somebody is logged in and the project has no such datasource;
 * null where it is the project's. Throws `not_found` where it is nobody's.
 */
export async function datasourcePlace(input: DatasourcePlaceInput): Promise<Connection | null> {
  const { flags, version, needsLogin = false } = input;
  if (flags.remote) return connect(flags, version);
  const found = await localDatasource(input);
  if ('datasource' in found) {
    const isServers = needsLogin && found.datasource.credentials === 'vaultkit';
    return isServers ? connectIfLoggedIn(flags, version) : null;
  }
  const connection = await connectIfLoggedIn(flags, version);
  if (!connection) throw found.missing;
  await onServer(connection.client, input.id, found.missing);
  return connection;
}
