import { type TestedDatasource, testDatasource } from '../services/test-datasource.js';
import type { ServerFlagValues } from './connect.js';
import { datasourcePlace } from './datasource-place.js';
import { projectContext } from './project-context.js';

/** Connects to a datasource: here, or from the server that has its login; `from` is that server. */
export async function testOneDatasource(
  id: string,
  flags: { dir?: string | undefined; remote: boolean } & ServerFlagValues,
  version: string,
): Promise<TestedDatasource & { from?: string }> {
  const context = projectContext(flags);
  const place = await datasourcePlace({ ...context, id, flags, version, needsLogin: true });
  if (place === null) return testDatasource({ ...context, id });
  const { correlation_id: _, ...tested } = await place.client.testDatasource(id);
  return { ...tested, from: place.endpoint };
}
