import type { VkitClient } from '../client/vkit-client.js';
import type { DatasourceAnswer, DatasourceBody, DatasourceChange } from '../client/wire.js';
import type { Credentials, Engine } from '../engines/contract.js';
import { VkitError } from '../errors/index.js';
import { findProject } from '../project/find-project.js';
import type { Datasource } from '../project/parse-datasource-file.js';
import { setCredentialSource } from '../project/set-credential-source.js';
import { getDatasource } from './datasource-file.js';
import { endpointText } from './datasource-vault.js';
import { type ServerLogin, sealAnew } from './register-datasource.js';
import type { LocalDatasourceInput } from './scan-remote.js';

type Client = Pick<VkitClient, 'createDatasource' | 'updateDatasource'>;

/** An address that was given beside a login: a URL's, and the keys of `--config`, which win. */
export interface GivenAddress {
  url?: string | undefined;
  config?: Record<string, unknown> | undefined;
}

/** What a URL and a configuration say of a datasource of this engine. Throws `invalid_input` without repeating the URL. */
export function readAddress(
  engine: Engine,
  { url, config }: GivenAddress,
): { config: Record<string, unknown> | null; login: Credentials } {
  const parsed = url === undefined ? undefined : engine.parseUrl(url);
  const isGiven = parsed !== undefined || config !== undefined;
  return {
    config: isGiven ? { ...parsed?.config, ...config } : null,
    login: parsed?.credentials ?? {},
  };
}

/**
 * Throws `invalid_input` where an address that was given is another one than the reviewed file says; the keys are named and
 * never their values.
 */
export function refuseOtherAddress(
  { id, config: reviewed }: Datasource,
  engine: Engine,
  given: Record<string, unknown> | null,
): void {
  const one = (config: Datasource['config']) =>
    endpointText({ engine: engine.name, config, username: null }, engine);
  const differing = Object.entries(given ?? {})
    .filter(([key, value]) => one({ ...reviewed, [key]: value }) !== one(reviewed))
    .map(([key]) => key);
  if (differing.length === 0) return;
  throw new VkitError(
    'invalid_input',
    `What is given and the file of datasource "${id}" differ in ${differing.join(', ')}.`,
    {
      hint: `Change config/datasources/${id}.yaml: it is reviewed. This changes credentials alone.`,
    },
  );
}

/** Has the server seal a login for what the file says, and lets the file say so. Whether the file was changed. */
export async function sealForFile(
  client: Client,
  datasource: Datasource,
  login: ServerLogin,
  input: LocalDatasourceInput,
): Promise<{ answer: DatasourceAnswer; fileChanged: boolean }> {
  const answer = await sealAnew(client, datasource, login);
  const fileChanged = await sayCredentialsAre('vaultkit', datasource, input);
  return { answer, fileChanged };
}

/** Lets the file say where its credentials are; false where it said so already. */
export async function sayCredentialsAre(
  source: 'env' | 'vaultkit',
  { id, credentials }: Datasource,
  input: LocalDatasourceInput,
): Promise<boolean> {
  if (credentials === source) return false;
  const { root } = await findProject(input.cwd);
  const { path } = await getDatasource({ ...input, id });
  await setCredentialSource(root, path, source);
  return true;
}

/** Changes a datasource that the server knows and no file here does: its address where one is given, and its login. */
export async function updateOnServer(
  client: Client,
  body: DatasourceBody,
  config: Record<string, unknown> | null,
  login: ServerLogin | null,
): Promise<DatasourceAnswer> {
  const change: DatasourceChange = {
    ...(config === null ? {} : { config: { ...body.config, ...config } }),
    ...login,
  };
  if (body.origin === 'server') return client.updateDatasource(body.id, change);
  const { id, engine, environment, region } = body;
  return client.createDatasource({
    ...{ id, engine, environment, region, config: body.config },
    ...change,
  });
}
