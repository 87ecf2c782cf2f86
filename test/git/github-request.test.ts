import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { VkitError } from '../../src/errors/index.js';
import {
  type GitHubCall,
  type GitHubOptions,
  gitHubRequest,
} from '../../src/git/github-request.js';
import { GitHubServer, type Instead } from '../helpers/github-server.js';

const TOKEN = 'ghs_0123456789abcdefghijABCDEFGHIJ012345';
const NOW = Date.parse('2026-01-02T03:04:05Z');
const LIST: GitHubCall = { method: 'GET', path: '/repos/acme/policies/pulls' };
const CREATE: GitHubCall = {
  method: 'POST',
  path: '/repos/acme/policies/pulls',
  body: { title: 'T', head: 'vkit/drift', base: 'main', body: 'B' },
};

/** A server whose first answers are these; what was waited between the attempts, in milliseconds. */
async function scene(...answers: (Instead | undefined)[]) {
  const server = await GitHubServer.start({ token: TOKEN, repository: 'acme/policies' });
  const left = [...answers];
  server.instead = () => left.shift();
  const waited: number[] = [];
  const options: GitHubOptions = {
    apiUrl: `${server.url}/api`,
    token: TOKEN,
    userAgent: 'vkit/test',
    repository: 'acme/policies',
    fetch: globalThis.fetch,
    sleep: async (ms) => {
      waited.push(ms);
    },
    now: () => NOW,
  };
  const failure = async (call = LIST): Promise<VkitError> => {
    const error: unknown = await gitHubRequest(options, call).catch((thrown: unknown) => thrown);
    if (!(error instanceof VkitError)) throw new Error('It did not fail.');
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain(TOKEN);
    return error;
  };
  return { server, waited, options, failure };
}

const message = (text: string) => ({ message: text });
const limited = (status: number, headers: Record<string, string>): Instead => ({
  status,
  headers,
  body: message('You have exceeded a secondary rate limit.'),
});

describe('a call of GitHub', () => {
  it('is tried again after 5xx and a cut connection, with growing waits', async () => {
    const { options, waited, server } = await scene(
      { status: 502, body: message('Bad gateway') },
      { cut: 'before' },
    );
    expect((await gitHubRequest(options, LIST)).status).toBe(200);
    expect(waited).toEqual([1_000, 2_000]);
    expect(server.problems).toEqual([]);
  });

  it('is given up after four attempts, as exit code 7', async () => {
    const down: Instead = { status: 503, body: message('Unavailable') };
    const { failure, waited } = await scene(down, down, down, down, down);
    expect(await failure()).toMatchObject({ code: 'git_failed', exitCode: 7 });
    expect(waited).toEqual([1_000, 2_000, 4_000]);
  });

  it.each([
    ['429 with retry-after', limited(429, { 'retry-after': '2' }), 2_000],
    ['403 with retry-after', limited(403, { 'retry-after': '3' }), 3_000],
    [
      '403 with nothing remaining',
      limited(403, {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(NOW / 1_000 + 7),
      }),
      7_000,
    ],
    ['403 that only says so', limited(403, {}), 1_000],
  ])('waits for a rate limit as it is told: %s', async (_name, answer, ms) => {
    const { options, waited } = await scene(answer);
    expect((await gitHubRequest(options, LIST)).status).toBe(200);
    expect(waited).toEqual([ms]);
  });

  it('does not wait for an hour', async () => {
    const { failure, waited, server } = await scene(limited(429, { 'retry-after': '3600' }));
    expect(await failure()).toMatchObject({ code: 'rate_limited', exitCode: 7 });
    expect([waited, server.seen.length]).toEqual([[], 1]);
  });

  it.each([
    [401, 'unauthenticated', 6, 'GITHUB_TOKEN'],
    [403, 'forbidden', 6, 'acme/policies'],
    [404, 'not_found', 2, 'acme/policies'],
  ])('that is answered %i fails at once as %s', async (status, code, exitCode, word) => {
    const { failure, waited } = await scene({ status, body: message('No') });
    const error = await failure();
    expect(error).toMatchObject({ code, exitCode });
    expect(error.message).toContain(word);
    expect(waited).toEqual([]);
  });

  it('says where nobody answers', async () => {
    const { options } = await scene();
    const call = gitHubRequest({ ...options, apiUrl: 'http://127.0.0.1:1' }, LIST);
    await expect(call).rejects.toMatchObject({ code: 'git_failed' });
  });

  it('follows a repository that was renamed, with the same method and body', async () => {
    const { options, server } = await scene({
      status: 307,
      headers: { location: '/api/repos/acme/policies/pulls' },
      body: message('Temporary Redirect'),
    });
    const answer = await gitHubRequest(options, { ...CREATE, path: '/repositories/1/pulls' });
    expect(answer.status).toBe(201);
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'POST']);
    expect(server.pulls).toMatchObject([{ title: 'T', body: 'B' }]);
  });

  it('takes the token to no other server', async () => {
    let asked = 0;
    const other = createServer((_request, response) => {
      asked += 1;
      response.end('[]');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      other.close();
    });
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/pulls`;
    const away: Instead = { status: 301, headers: { location: url }, body: message('Moved') };
    const { failure, options } = await scene(away, away, away, away);
    expect((await failure()).code).toBe('git_failed');
    await expect(gitHubRequest(options, { method: 'GET', path: url })).rejects.toMatchObject({
      code: 'git_failed',
    });
    expect(asked).toBe(0);
  });

  it('reads no endless answer, and takes no page of a proxy for one', async () => {
    const long = { status: 200, body: 'x'.repeat(33 * 1_048_576) };
    const { failure } = await scene(long, long, long, long);
    expect((await failure()).code).toBe('git_failed');
  });
});
