import type { BundleDatasource } from '../../bundle/model.js';
import type { DatasourceBody } from '../../client/wire.js';
import type { DatasourceRow } from '../../store/model.js';
import { endpointText } from '../datasource-vault.js';
import type { ControlContext } from './context.js';

/** A datasource of the server's own as the API shows it. */
export function datasourceBody(
  ctx: Pick<ControlContext, 'engines'>,
  row: DatasourceRow,
  hasSecret: boolean,
  bundled: BundleDatasource | undefined,
): DatasourceBody {
  const { id, engine, environment, region, config, include, exclude, username } = row;
  const needsLogin = ctx.engines[engine]?.needsCredentials === true;
  return {
    ...{ id, engine, environment, region, config, include, exclude, username },
    credentials: needsLogin ? 'vaultkit' : null,
    has_secret: hasSecret,
    origin: 'server',
    in_bundle: inBundle(ctx, row, bundled),
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

function inBundle(
  { engines }: Pick<ControlContext, 'engines'>,
  row: DatasourceRow,
  bundled: BundleDatasource | undefined,
): DatasourceBody['in_bundle'] {
  if (!bundled) return 'absent';
  const engine = engines[row.engine];
  const { username } = row;
  const other = { engine: bundled.type, config: bundled.config, username };
  return engine && endpointText(other, engine) === endpointText(row, engine) ? 'same' : 'differs';
}

/** A datasource that only the active bundle has. */
export function bundledBody(bundled: BundleDatasource): DatasourceBody {
  const { name, type, environment, region, config, credentials = 'env' } = bundled;
  return {
    ...{ id: name, engine: type, environment, region, config, credentials },
    include: null,
    exclude: null,
    username: null,
    has_secret: false,
    origin: 'bundle',
    in_bundle: 'same',
    created_at: null,
    updated_at: null,
  };
}
