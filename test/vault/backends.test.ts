import { mkdir, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BundleDatasource } from '../../src/bundle/model.js';
import { ENGINES } from '../../src/engines/index.js';
import {
  type CredentialBackendConfigs,
  openCredentialBackends,
} from '../../src/services/open-credential-backends.js';
import { parseAddressList } from '../../src/util/address-list.js';
import { outboundRules } from '../../src/util/outbound.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const PASSWORD = 'hunter2 of the backend';
const TOKEN = 'hvs.a-token-of-the-test';
const ENVIRONMENT: Record<string, string> = { VAULT_TOKEN: TOKEN, VAULT_SECRET_ID: 'sid-1' };
const ALLOW = [{ path: 'vkit/{id}', hosts: ['db.internal'] }];

// The SDK reads its credentials from the environment of the process.
process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
process.env.AWS_SECRET_ACCESS_KEY = 'wJalrXUtnFEMI-example';

interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

async function serve(answer: (asked: Asked, response: ServerResponse) => void) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      asked.push({ method, path, headers, body });
      answer({ method, path, headers, body }, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const json = (response: ServerResponse, status: number, body: object, type = 'application/json') =>
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));

function open(configs: object) {
  const backends = openCredentialBackends({
    configs: configs as CredentialBackendConfigs,
    rules: outboundRules(parseAddressList([], 'private_addresses')),
    variable: (name) => ENVIRONMENT[name],
    forbiddenDirectories: [],
    clearPasswordHosts: [],
  });
  onTestFinished(() => backends.close());
  return backends;
}

const datasource = (change: Partial<BundleDatasource> = {}): BundleDatasource => ({
  ...{ name: 'crm', type: 'postgres', environment: 'production', region: null },
  config: { host: 'db.internal', database: 'd', ssl_mode: 'verify-full' },
  ...change,
});

/** What a backend answers about one secret. */
type State = 'there' | 'missing' | 'forbidden' | 'broken' | 'other keys';

interface Ground {
  credentials: string;
  at?: BundleDatasource['credentials_at'];
  /** The backend's configuration, where it is in this state. */
  configOf(state: State): Promise<object>;
  /** States that it cannot be in. */
  never?: readonly State[];
}

const secretOf = (state: State) =>
  state === 'other keys' ? { user: 'ada' } : { username: 'ada', password: PASSWORD };

/** `GET /v1/secret/data/PATH` as "KV secrets engine - version 2 (API)" has it. */
async function vault(state: State) {
  const peer = await serve(({ method, path, headers }, response) => {
    if (headers['x-vault-token'] !== TOKEN || state === 'forbidden')
      return json(response, 403, { errors: [`1 error occurred: permission denied ${PASSWORD}`] });
    if (method !== 'GET' || path !== '/v1/secret/data/vkit/crm' || state === 'missing')
      return json(response, 404, { errors: [] });
    if (state === 'broken') return json(response, 503, { errors: ['Vault is sealed'] });
    return json(response, 200, {
      request_id: 'r',
      data: { data: secretOf(state), metadata: { version: 1, destroyed: false } },
    });
  });
  return { address: peer.url, auth: { token: { env: 'VAULT_TOKEN' } } };
}

/** GetSecretValue in AWS JSON 1.1. */
async function aws(state: State) {
  const type = 'application/x-amz-json-1.1';
  const peer = await serve(({ headers, body }, response) => {
    const fail = (status: number, name: string) =>
      json(response, status, { __type: name, message: `no ${PASSWORD}` }, type);
    if (headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') return fail(400, 'Unknown');
    if (
      !/Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/secretsmanager/.test(
        headers.authorization ?? '',
      )
    )
      return fail(403, 'InvalidSignatureException');
    if (state === 'forbidden') return fail(400, 'AccessDeniedException');
    if (state === 'broken') return fail(500, 'InternalServiceError');
    if (JSON.parse(body).SecretId !== 'vkit/crm' || state === 'missing')
      return fail(400, 'ResourceNotFoundException');
    return json(
      response,
      200,
      { Name: 'vkit/crm', SecretString: JSON.stringify(secretOf(state)) },
      type,
    );
  });
  return { region: 'eu-central-1', endpoint: peer.url };
}

async function files(state: State) {
  const folder = await temporaryFolder();
  if (state !== 'missing')
    await writeFile(join(folder, 'crm.json'), JSON.stringify(secretOf(state)));
  return { directories: [folder] };
}

const GROUNDS: Record<string, Ground> = {
  'HashiCorp Vault': { credentials: 'vault', at: { path: 'vkit/crm' }, configOf: vault },
  'AWS Secrets Manager': { credentials: 'aws-secrets', at: { path: 'vkit/crm' }, configOf: aws },
  'a file': { credentials: 'file', configOf: files, never: ['forbidden', 'broken'] },
};

describe.each(Object.entries(GROUNDS))('the secret backend %s', (_name, ground) => {
  const { credentials, at, configOf, never = [] } = ground;
  const described = (change: Partial<BundleDatasource> = {}) =>
    datasource({ credentials, ...(at && { credentials_at: at }), ...change });
  const allow = at ? ALLOW : [{ path: '{id}', hosts: ['db.internal'] }];
  const fetch = async (state: State, change: Partial<BundleDatasource> = {}, rules = allow) => {
    const config = { ...(await configOf(state)), allow: rules };
    return open({ [credentials]: config }).credentials(described(change), ENGINES.postgres);
  };

  it('gives the login of a datasource', async () => {
    expect(await fetch('there')).toEqual({ username: 'ada', password: PASSWORD });
  });

  const states: State[] = ['missing', 'forbidden', 'broken', 'other keys'];
  it.each(states.filter((state) => !never.includes(state)))(
    'says what is wrong and what to do, without a secret, where it is %s',
    async (state) => {
      const error = await fetch(state).catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        code: 'secret_unavailable',
        hint: expect.stringMatching(/\.$|…$/),
      });
      const { message, hint, cause } = error as Error & { hint: string };
      const text = `${message} ${hint} ${cause} ${JSON.stringify(error)}`;
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(TOKEN);
    },
  );

  it.each<[string, Partial<BundleDatasource>, typeof ALLOW]>([
    [
      'to a host that no rule names',
      { config: { host: 'evil.example', database: 'd', ssl_mode: 'verify-full' } },
      allow,
    ],
    [
      'of a datasource that no rule names',
      { name: 'other' },
      [{ path: 'vkit/crm/', hosts: ['db.internal'] }],
    ],
    ['without any rule', {}, []],
    [
      'without TLS that is verified',
      { config: { host: 'db.internal', database: 'd', ssl_mode: 'require' } },
      allow,
    ],
  ])('sends nothing %s', async (_what, change, rules) => {
    await expect(fetch('there', change, rules)).rejects.toMatchObject({
      code: 'secret_unavailable',
    });
  });

  it('is refused where the server’s file does not name it', async () => {
    const backends = open({});
    await expect(backends.credentials(described(), ENGINES.postgres)).rejects.toMatchObject({
      code: 'secret_unavailable',
      hint: expect.stringContaining(`credential_backends.${credentials}`),
    });
  });
});

describe('a path of a secret', () => {
  it.each([
    'vkit/../other/crm',
    '../x',
    'vkit//crm',
    '/vkit/crm',
    'vkit/crm/',
    'vkit/./crm',
    'vkit/crm?x=1',
    'vkit/%2e%2e/x',
  ])('is refused as %s, before anything is asked', async (path) => {
    const peer = await serve((_asked, response) => json(response, 200, {}));
    const config = {
      ...{ address: peer.url, auth: { token: { env: 'VAULT_TOKEN' } } },
      allow: [{ path: 'vkit/', hosts: ['db.internal'] }],
    };
    const asking = open({ vault: config }).credentials(
      datasource({ credentials: 'vault', credentials_at: { path } }),
      ENGINES.postgres,
    );
    await expect(asking).rejects.toMatchObject({ code: 'secret_unavailable' });
    expect(peer.asked).toEqual([]);
  });
});

describe('HashiCorp Vault', () => {
  const read = (config: object) =>
    open({ vault: { ...config, allow: ALLOW } }).credentials(
      datasource({
        credentials: 'vault',
        credentials_at: { path: 'vkit/crm', username_key: 'u', password_key: 'p' },
      }),
      ENGINES.postgres,
    );
  const SECRET = { data: { data: { u: 'ada', p: PASSWORD, n: 7 }, metadata: {} } };

  it.each(['approle', 'kubernetes'] as const)(
    'is logged in to by %s, in a namespace, for each secret',
    async (method) => {
      const jwt = join(await temporaryFolder(), 'jwt');
      await writeFile(jwt, 'eyJ.a.b\n');
      const peer = await serve(({ path }, response) =>
        path === `/v1/auth/${method}/login`
          ? json(response, 200, { auth: { client_token: TOKEN, lease_duration: 60 } })
          : json(response, 200, SECRET),
      );
      const auth =
        method === 'approle'
          ? { approle: { role_id: 'role-1', secret_id: { env: 'VAULT_SECRET_ID' } } }
          : { kubernetes: { role: 'vkit', jwt_file: jwt } };
      const config = { address: peer.url, auth, namespace: 'team', mount: 'kv' };
      expect(await read(config)).toEqual({ username: 'ada', password: PASSWORD });
      expect(peer.asked).toMatchObject([
        { method: 'POST', headers: { 'x-vault-namespace': 'team', 'x-vault-request': 'true' } },
        {
          ...{ method: 'GET', path: '/v1/kv/data/vkit/crm' },
          headers: { 'x-vault-token': TOKEN, 'x-vault-namespace': 'team' },
        },
      ]);
      expect(JSON.parse(peer.asked[0]?.body ?? '')).toEqual(
        method === 'approle'
          ? { role_id: 'role-1', secret_id: 'sid-1' }
          : { role: 'vkit', jwt: 'eyJ.a.b' },
      );
    },
  );

  it('is asked again where it is busy, and not for ever', async () => {
    let answers = [429, 503];
    const peer = await serve((_asked, response) => {
      const status = answers.shift();
      return status === undefined
        ? json(response, 200, SECRET)
        : json(response, status, { errors: [] });
    });
    const config = { address: peer.url, auth: { token: { env: 'VAULT_TOKEN' } } };
    expect(await read(config)).toMatchObject({ username: 'ada' });
    answers = [503, 503, 503, 503, 503];
    await expect(read(config)).rejects.toMatchObject({ code: 'secret_unavailable' });
    expect(peer.asked).toHaveLength(6);
  });

  it('that is not there, or no secret server, is named with its key', async () => {
    const auth = { token: { env: 'VAULT_TOKEN' } };
    await expect(read({ address: 'http://127.0.0.1:1', auth })).rejects.toMatchObject({
      code: 'secret_unavailable',
      hint: expect.stringContaining('credential_backends.vault.address'),
    });
    const peer = await serve((_asked, response) => response.end(`<html>${PASSWORD}`));
    const error = await read({ address: peer.url, auth }).catch((caught: Error) => caught);
    expect(`${error} ${(error as Error).cause}`).not.toContain(PASSWORD);
    expect(() => open({ vault: { address: 'http://vault.internal', auth, allow: [] } })).toThrow(
      /credential_backends\.vault\.address is not https/,
    );
  });
});

describe('files of logins', () => {
  const read = (config: object, name = 'crm') =>
    open({ file: { ...config, allow: [{ path: '{id}', hosts: ['db.internal'] }] } }).credentials(
      datasource({ name, credentials: 'file' }),
      ENGINES.postgres,
    );

  it('are a folder with a file of each too, and lead nowhere else', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'crm'));
    await writeFile(join(folder, 'crm', 'username'), 'ada\n');
    await writeFile(join(folder, 'crm', 'password'), `${PASSWORD}\n`);
    expect(await read({ directories: [join(folder, 'none'), folder] })).toEqual({
      ...{ username: 'ada', password: PASSWORD },
    });
    await symlink('/etc/hostname', join(folder, 'link.json'));
    await mkdir(join(folder, 'dir.json'));
    for (const name of ['link', 'dir']) {
      await expect(read({ directories: [folder] }, name), name).rejects.toMatchObject({
        code: 'secret_unavailable',
      });
    }
  });
});
