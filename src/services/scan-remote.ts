import type { VkitClient } from '../client/vkit-client.js';
import type { DatasourceBody } from '../client/wire.js';
import { VkitError } from '../errors/index.js';
import { findProject } from '../project/find-project.js';
import {
  type Datasource,
  parseDatasourceFile,
  printDatasource,
} from '../project/parse-datasource-file.js';
import { PROJECT_PATHS } from '../project/paths.js';
import { readProject } from '../project/read-project.js';
import { writeDatasourceFile } from '../project/write-project.js';
import { endpointText } from './datasource-vault.js';
import { type DatasourceContext, engineSchemasOf, findDatasource } from './open-datasource.js';
import {
  type OpenScanSource,
  openHere,
  type ScanDatasourceInput,
  type ScanOutcome,
  scanDatasource,
} from './scan-datasource.js';

type Client = Pick<VkitClient, 'scanDatasource' | 'showDatasource'>;

export interface ScanRemoteInput extends ScanDatasourceInput {
  /** The server, where somebody is logged in; null where nobody is. */
  client: Client | null;
  /** Whether the server scans everything, and not only what it alone has the credentials of. */
  remote: boolean;
}

export type LocalDatasourceInput = Pick<
  ScanDatasourceInput,
  'cwd' | 'id' | 'engines' | 'datasourcesDir'
>;

/**
 * Scans a datasource of the project, or one that only the server knows, which `apply` gives a file here. No credentials leave
 * the server. Throws as `scanDatasource` does, `config_invalid` where the server has another address than the file, and
 * what the server answers.
 */
export async function scanRemote({
  client,
  remote,
  ...input
}: ScanRemoteInput): Promise<ScanOutcome> {
  const openSource = openSourceWith({ ...input, client, remote });
  const found = await localDatasource(input);
  if ('datasource' in found || client === null) return scanDatasource({ ...input, openSource });
  const body = await onServer(client, input.id, remote ? null : found.missing);
  const datasource = toDatasource(body, input);
  const outcome = await scanDatasource({ ...input, openSource, datasource });
  if (!input.apply) return outcome;
  const { datasourcesDir = PROJECT_PATHS.datasources } = input;
  const path = await writeDatasourceFile(outcome.root, datasource, { datasourcesDir });
  return { ...outcome, written: [...outcome.written, path] };
}

/** The server reads what it alone has the credentials of, or everything with `remote`; the rest is read from here. */
export function openSourceWith({
  client,
  remote,
  ...context
}: DatasourceContext & Pick<ScanRemoteInput, 'client' | 'remote'>): OpenScanSource {
  const open = openHere(context);
  return async (datasource, root) => {
    const byServer = remote || datasource.credentials === 'vaultkit';
    if (client === null || !byServer) return open(datasource, root);
    return {
      // Definitions are not handed out, and were refused before.
      async introspect({ withDefinitions: _none, ...scope }) {
        const answer = await client.scanDatasource(datasource.id, scope);
        refuseOther(datasource, answer.datasource, context);
        return answer.scanned;
      },
      connector: null,
      async close() {},
    };
  };
}

/** The datasource of the project's files, or why it is not there. Throws what is wrong with its file. */
export async function localDatasource({
  cwd,
  id,
  engines,
  datasourcesDir,
}: LocalDatasourceInput): Promise<{ datasource: Datasource } | { missing: VkitError }> {
  try {
    const { root } = await findProject(cwd);
    const options = datasourcesDir === undefined ? {} : { datasourcesDir };
    const project = await readProject(root, {
      engineSchemas: engineSchemasOf(engines),
      ...options,
    });
    return { datasource: findDatasource(project, id) };
  } catch (error) {
    const codes = ['not_found', 'project_not_found'];
    if (error instanceof VkitError && codes.includes(error.code)) return { missing: error };
    throw error;
  }
}

/**
 * The server's own; where it has none either, or does not tell, what is missing here is what is said, if anything is. One
 * that does not answer might have it: then nobody knows, and both are said.
 */
export async function onServer(
  client: Pick<Client, 'showDatasource'>,
  id: string,
  missing: VkitError | null,
): Promise<DatasourceBody> {
  try {
    return await client.showDatasource(id);
  } catch (error) {
    if (!(error instanceof VkitError) || missing === null) throw error;
    if (error.code === 'not_found' || error.code === 'forbidden') throw missing;
    const hints = [missing.hint, error.hint].filter((hint) => hint !== undefined);
    throw new VkitError(error.code, `${missing.message} ${error.message}`, {
      ...(hints.length === 0 ? {} : { hint: hints.join(' ') }),
      cause: error,
    });
  }
}

/** What a project's file says of a datasource that the server knows; checked as every file is, whatever the server said. */
function toDatasource(
  { engine, environment, region, config, include, exclude, credentials }: DatasourceBody,
  { id, engines }: Pick<ScanRemoteInput, 'id' | 'engines'>,
): Datasource {
  const text = printDatasource({
    ...{ id, engine, environment, region, config },
    credentials: credentials === 'vaultkit' ? 'vaultkit' : 'env',
    ...(include ? { include } : {}),
    ...(exclude ? { exclude } : {}),
  });
  const { datasource, problems } = parseDatasourceFile(
    text,
    `${id}.yaml`,
    engineSchemasOf(engines),
  );
  if (datasource !== null) return datasource;
  throw new VkitError(
    'unavailable',
    `What the server says of datasource "${id}" is not in a form that this vkit knows.`,
    { hint: 'See that both are of the same version: vkit --version', details: { problems } },
  );
}

/** What the server read of another database says nothing about the one that the file names. */
function refuseOther(
  { id, engine, config }: Datasource,
  body: DatasourceBody,
  { engines }: DatasourceContext,
): void {
  const known = engines[engine];
  const text = (one: Pick<Datasource, 'engine' | 'config'>) =>
    known === undefined ? '' : endpointText({ ...one, username: null }, known);
  if (text({ engine, config }) === text(body)) return;
  throw new VkitError(
    'config_invalid',
    `The server has another address, TLS or options of datasource "${id}" than its file.`,
    { hint: `Bring it up to date: vkit datasource update ${id}` },
  );
}
