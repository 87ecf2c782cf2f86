import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectProxy } from '../helpers/connect-proxy.js';
import { jsonOf } from '../helpers/run-cli.js';
import { driftProject } from './drift-fixture.js';
import { emptyFolder } from './project-fixture.js';

const ANA = {
  id: 'usr_1',
  kind: 'user',
  email: 'ana@example.com',
  name: 'Ana',
  org: 'acme',
  roles: ['analyst'],
  clearance: null,
  region: null,
  purposes: [],
  on_behalf_of: null,
};

describe('HTTPS_PROXY and NODE_EXTRA_CA_CERTS', () => {
  it('lead to GitHub', async () => {
    const { github, change, done, pr } = await driftProject();
    const { environment, asked } = await connectProxy('github.test', github.url);
    const env = { ...environment, GITHUB_API_URL: 'https://github.test/api' };
    change('ALTER TABLE customers ADD COLUMN phone TEXT');
    expect(await done([], { env })).toMatchObject({ action: 'created' });
    expect(new Set(asked)).toEqual(new Set(['github.test:443']));
    expect(github.problems).toEqual([]);
    const untrusted = await pr([], { env: { ...env, NODE_EXTRA_CA_CERTS: undefined } });
    expect(untrusted.code).toBe(7);
  });

  it('lead to a vkit server, unless NO_PROXY names it or it is not TLS', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(ANA));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { environment, asked } = await connectProxy('vkit.test', url);
    const { run } = await emptyFolder();
    const whoami = (VKIT_API_URL: string, more = {}) =>
      run(['whoami', '--json'], {
        env: { ...environment, VKIT_TOKEN: 'vka_x', VKIT_API_URL, ...more },
      });
    expect(jsonOf(await whoami('https://vkit.test'))).toMatchObject({ email: 'ana@example.com' });
    expect(asked).toEqual(['vkit.test:443']);
    expect((await whoami(url)).code).toBe(0);
    expect((await whoami('https://vkit.test', { NO_PROXY: '.test' })).code).toBe(7);
    expect(asked).toHaveLength(1);
  });
});
