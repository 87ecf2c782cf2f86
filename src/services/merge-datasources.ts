import type { DatasourceBody } from '../client/wire.js';
import type { ListedDatasource } from './list-datasources.js';

export interface MergedDatasource extends Omit<ListedDatasource, 'credentials'> {
  /** As the project's file says, or the server; null where none are needed. */
  credentials: string | null;
  in_project: boolean;
  /** `ready`: the server can open it, as far as it knows. */
  on_server: 'ready' | 'no_secret' | 'absent';
}

/** The datasources of a project and those of a server as one list, by id; of one that both have, what the file says. */
export function mergeDatasources(
  local: readonly ListedDatasource[],
  bodies: readonly DatasourceBody[],
): MergedDatasource[] {
  const remote = new Map(bodies.map((body) => [body.id, body]));
  const own = local.map((datasource) => ({
    ...datasource,
    in_project: true,
    on_server: stateOf(remote.get(datasource.id)),
  }));
  const known = new Set(local.map(({ id }) => id));
  const others = bodies
    .filter(({ id }) => !known.has(id))
    .map((body) => {
      const { id, engine, environment, region, credentials, config } = body;
      const facts = { id, engine, environment, region, credentials, config };
      return { ...facts, in_project: false, on_server: stateOf(body) };
    });
  return [...own, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function stateOf(body: DatasourceBody | undefined): MergedDatasource['on_server'] {
  if (body === undefined) return 'absent';
  return body.credentials === 'vaultkit' && !body.has_secret ? 'no_secret' : 'ready';
}
