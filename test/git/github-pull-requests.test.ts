import { describe, expect, it } from 'vitest';
import { gitHubPullRequests } from '../../src/git/github-pull-requests.js';
import { GitHubServer, type GitHubServerOptions } from '../helpers/github-server.js';

const TOKEN = 'ghs_0123456789abcdefghijABCDEFGHIJ012345';

async function scene(options: Partial<GitHubServerOptions> = {}) {
  const server = await GitHubServer.start({
    token: TOKEN,
    repository: 'acme/policies',
    ...options,
  });
  const pulls = gitHubPullRequests(
    {
      apiUrl: `${server.url}/api`,
      token: TOKEN,
      userAgent: 'vkit/test',
      repository: 'acme/policies',
      fetch: globalThis.fetch,
      sleep: async () => undefined,
      now: () => 0,
    },
    { branch: 'vkit/drift', base: 'main' },
  );
  return { server, pulls };
}

describe('the pull requests of a branch', () => {
  it('are read from every page, the oldest first', async () => {
    const { server, pulls } = await scene({ perPageMax: 2 });
    for (let index = 0; index < 5; index += 1) server.addPull({});
    const found = await pulls.listOpen();
    expect(found.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
    expect(server.seen).toHaveLength(3);
    expect(server.problems).toEqual([]);
  });

  it('are read from no more than ten pages', async () => {
    const { server, pulls } = await scene({ perPageMax: 1 });
    for (let index = 0; index < 12; index += 1) server.addPull({});
    await expect(pulls.listOpen()).rejects.toMatchObject({ code: 'limit_exceeded' });
    expect(server.seen).toHaveLength(10);
  });

  it('are those of this repository, this branch and this base only', async () => {
    const { server, pulls } = await scene();
    // As of a server that leaves the filters out.
    server.ignoresFilters = true;
    server.addPull({ from: 'mallory/policies' });
    server.addPull({ from: null });
    server.addPull({ head: 'vkit/drift2' });
    server.addPull({ base: 'develop' });
    server.addPull({ state: 'closed' });
    server.addPull({ title: 'Ours' });
    expect(await pulls.listOpen()).toMatchObject([{ number: 6, title: 'Ours' }]);
  });

  it('are not made twice', async () => {
    const { server, pulls } = await scene();
    const text = { title: 'T', body: 'B' };
    expect(await pulls.create(text)).toMatchObject({ number: 1, state: 'open' });
    expect(await pulls.create(text)).toBeNull();
    expect(await pulls.update(1, { state: 'closed' })).toMatchObject({ state: 'closed' });
    expect(await pulls.create(text)).toMatchObject({ number: 2 });
    expect(server.problems).toEqual([]);
  });

  it('say why GitHub refuses one', async () => {
    const { pulls } = await scene();
    const created = pulls.create({ title: 'T', body: 'x'.repeat(70_000) });
    await expect(created).rejects.toThrow('body is too long');
  });

  it('are not taken from what is no API of GitHub', async () => {
    const { server, pulls } = await scene();
    server.instead = () => ({ status: 200, body: { hello: 'world' } });
    await expect(pulls.listOpen()).rejects.toMatchObject({ code: 'git_failed' });
  });
});
