import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadServerConfig } from '../../src/config/server-config.js';
import { createOidcProvider } from '../../src/services/oidc-provider.js';
import { readOidcSettings } from '../../src/services/read-oidc-settings.js';
import { packageRoot } from '../../src/util/package-root.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

/** The example of docs/how-to/log-in-with-oidc.md. */
async function example(): Promise<string> {
  const page = join(packageRoot(), 'docs', 'how-to', 'log-in-with-oidc.md');
  const block = /```yaml\n([\s\S]*?)```/.exec(await readFile(page, 'utf8'))?.[1];
  if (block === undefined) throw new Error('The page has no example.');
  return block;
}

async function load(text: string) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'vkit.server.yaml'), text);
  return { cwd, config: await loadServerConfig({ cwd, environment: {}, flags: {} }) };
}

describe('oidc in vkit.server.yaml', () => {
  it('is taken as the documentation has it', async () => {
    const { config } = await load(await example());
    const oidc = config.oidc ?? { issuer: '', client_id: '', server_url: '' };
    const settings = await readOidcSettings(oidc, 'the secret');
    expect(settings).toMatchObject({
      clientSecret: 'the secret',
      users: 'existing',
      emailClaim: 'email',
    });
    expect(createOidcProvider(settings).attributes).toEqual([
      'roles',
      'clearance',
      'region',
      'purposes',
    ]);
  });

  it('asks for openid whatever the scopes are, and has defaults that give least', async () => {
    const least = { issuer: 'https://idp.test', client_id: 'vkit', server_url: 'https://v.test' };
    expect(await readOidcSettings({ ...least, scopes: ['groups'] }, undefined)).toEqual({
      issuer: 'https://idp.test',
      clientId: 'vkit',
      serverUrl: 'https://v.test',
      scopes: ['openid', 'groups'],
      algorithm: 'RS256',
      users: 'existing',
      emailClaim: 'email',
      claims: {},
    });
  });

  it('reads the secret from a file beside the configuration, without its newline', async () => {
    const text = (await example()).replace('/run/secrets/vkit_oidc', 'secret');
    const { cwd, config } = await load(text);
    const oidc = config.oidc ?? { issuer: '', client_id: '', server_url: '' };
    await expect(readOidcSettings(oidc, undefined)).rejects.toMatchObject({
      code: 'config_invalid',
    });
    await writeFile(join(cwd, 'secret'), 'from the file\n');
    expect((await readOidcSettings(oidc, undefined)).clientSecret).toBe('from the file');
    await writeFile(join(cwd, 'secret'), '\n');
    await expect(readOidcSettings(oidc, undefined)).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });

  it.each([
    ['groups without a table', 'map:\n        data-team: analyst', 'other: 1'],
    ['an algorithm with a shared secret', 'algorithm: RS256', 'algorithm: HS256'],
    ['none', 'algorithm: RS256', 'algorithm: none'],
    ['a default role', 'users: existing', 'users: existing\n  default_role: analyst'],
    ['the secret itself', 'client_secret_file:', 'client_secret:'],
  ])('refuses %s', async (_what, from, to) => {
    const text = await example();
    expect(text).toContain(from);
    await expect(load(text.replace(from, to))).rejects.toMatchObject({ code: 'config_invalid' });
  });
});
