import { request } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { VkitClient } from '../../src/client/vkit-client.js';
import { ROW_LIMITS_DEFAULT, serveHttp } from '../../src/mcp/index.js';
import { finished, startCli } from '../helpers/run-cli.js';
import { shared } from '../helpers/shared.js';
import { callOf, type McpWorld, mcpWorld, type Spoken } from './world.js';

const world = shared<McpWorld & { mcp: string; other: string }>(async (atTheEnd) => {
  const made = await mcpWorld(atTheEnd);
  const served = await serveHttp({
    version: '0.0.0',
    host: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    allowedOrigins: ['https://app.example.com'],
    limits: ROW_LIMITS_DEFAULT,
    now: Date.now,
    clientOf: (token) => new VkitClient({ baseUrl: made.url, token }),
  });
  atTheEnd(() => served.close());
  const other = await made.g.user({ email: 'outsider@acme.test' });
  return { ...made, mcp: served.url, other };
});

async function speak(token: string, url = world().mcp): Promise<Spoken & { session: string }> {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  const client = new Client({ name: 'test', version: '0' });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  onTestFinished(() => client.close());
  return { client, call: callOf(client), stderr: () => '', session: transport.sessionId ?? '' };
}

interface Raw {
  status: number;
  body: string;
  headers: NodeJS.Dict<string | string[]>;
}

/** A call with whatever headers: `fetch` sets Host by itself. */
function raw(
  method: string,
  headers: Record<string, string>,
  body = '',
  path = '/mcp',
): Promise<Raw> {
  const { hostname, port } = new URL(world().mcp);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const JSON_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};
const bearer = (token: string) => ({ ...JSON_HEADERS, authorization: `Bearer ${token}` });
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'raw', version: '0' },
  },
});
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });

describe('vkit mcp over HTTP', () => {
  it('answers the official client', async () => {
    const { client, call } = await speak(world().token);
    expect((await client.listTools()).tools).toHaveLength(3);
    const { structuredContent } = await call('vaultkit_query', {
      dataset: 'customers',
      fields: ['id'],
      limit: 1,
    });
    expect(structuredContent).toMatchObject({ status: 'ok', data: [{ id: 1 }] });
  });

  it('never gives one token the answers of another, however their calls are mixed', async () => {
    const { token, few, other } = world();
    const speakers = await Promise.all([token, few, other].map((one) => speak(one)));
    const rounds = Array.from({ length: 10 }, () =>
      Promise.all(
        speakers.map(async ({ call }) => {
          const { structuredContent } = await call('vaultkit_query', {
            dataset: 'notes',
            fields: ['id'],
          });
          return [structuredContent.status, structuredContent.row_count];
        }),
      ),
    );
    for (const round of await Promise.all(rounds)) {
      expect(round).toEqual([
        ['ok', 3],
        ['ok', 2],
        ['denied', undefined],
      ]);
    }
    const described = async ({ client }: Spoken) =>
      (await client.listTools()).tools[1]?.description ?? '';
    expect(await described(speakers[0] as Spoken)).toContain('customers');
    expect(await described(speakers[2] as Spoken)).not.toContain('user_id');
  });

  it('does not let another token into a session, nor tell that it is there', async () => {
    const { session } = await speak(world().token);
    const asked = (id: string, token: string, method = 'POST') =>
      raw(method, { ...bearer(token), 'mcp-session-id': id }, method === 'POST' ? LIST : '');
    expect((await asked(session, world().token)).status).toBe(200);
    const stolen = await asked(session, world().other);
    const absent = await asked('11111111-1111-4111-8111-111111111111', world().other);
    expect([stolen.status, stolen.body]).toEqual([404, absent.body]);
    for (const method of ['GET', 'DELETE']) {
      expect((await asked(session, world().other, method)).status).toBe(404);
    }
    expect((await asked(session, world().token)).status).toBe(200);
    expect((await asked(session, world().token, 'DELETE')).status).toBe(200);
    expect((await asked(session, world().token)).status).toBe(404);
  });

  it('needs a token that the server knows', async () => {
    const without = await raw('POST', JSON_HEADERS, INITIALIZE);
    expect([without.status, without.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    const wrong = await raw('POST', bearer('vka_wrong'), INITIALIZE);
    expect(wrong.status).toBe(401);
    expect(wrong.body).not.toContain('vka_wrong');
  });

  it.each([
    ['another host', { host: 'evil.example' }, 421],
    ['a host that only begins alike', { host: 'localhost.evil.example:80' }, 421],
    ['a page of another origin', { origin: 'https://evil.example' }, 403],
    ['a page of a file', { origin: 'null' }, 403],
    ['a page of another port of this machine', { origin: 'http://127.0.0.1:8080' }, 403],
  ])('refuses %s before it looks at anything else', async (_name, headers, status) => {
    const answer = await raw('POST', { ...bearer(world().token), ...headers }, INITIALIZE);
    expect(answer.status).toBe(status);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(answer.headers).not.toHaveProperty('mcp-session-id');
  });

  it('lets pages of an origin that is allowed call it', async () => {
    const origin = 'https://app.example.com';
    const preflight = await raw('OPTIONS', { origin, 'access-control-request-method': 'POST' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe(origin);
    const answer = await raw('POST', { ...bearer(world().token), origin }, INITIALIZE);
    expect(answer.status).toBe(200);
  });

  it('answers broken messages with an error and keeps no session of them', async () => {
    const broken = ['', '{', '[]', 'null', '{"jsonrpc":"1.0"}', LIST, `[${Array(200).fill(LIST)}]`];
    for (const body of broken) {
      const { status, headers } = await raw('POST', bearer(world().token), body);
      expect([body.slice(0, 20), status >= 400 && status < 500]).toEqual([body.slice(0, 20), true]);
      expect(headers).not.toHaveProperty('mcp-session-id');
    }
    const huge = `"${'x'.repeat(1_100_000)}"`;
    expect((await raw('POST', bearer(world().token), huge)).status).toBe(413);
    expect((await raw('POST', bearer(world().token), INITIALIZE, '/elsewhere')).status).toBe(404);
  });

  it('closes the session that was used longest ago where one token begins too many', async () => {
    const token = await world().g.agent({ name: 'many' });
    const begin = async () => {
      const { headers } = await raw('POST', bearer(token), INITIALIZE);
      return String(headers['mcp-session-id']);
    };
    const first = await begin();
    for (let count = 0; count < 50; count += 1) await begin();
    const gone = await raw('POST', { ...bearer(token), 'mcp-session-id': first }, LIST);
    expect(gone.status).toBe(404);
  });
});

describe('the command', () => {
  let url = '';
  let stopped: ReturnType<typeof finished>;
  let stop: () => void;

  beforeAll(async () => {
    const child = startCli(['mcp', '--http', '--port', '0', '--json'], {
      env: { VAULTKIT_BASE_URL: world().url },
    });
    stopped = finished(child);
    stop = () => child.kill('SIGTERM');
    url = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (line) => resolve(JSON.parse(String(line)).url));
      child.once('close', () => reject(new Error('It ended.')));
    });
  });

  it('serves each client with its own token, and ends when it is told to', async () => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    const { call, client } = await speak(world().token, url);
    expect((await call('vaultkit_discover')).structuredContent).toMatchObject({ count: 3 });
    await client.close();
    stop();
    expect(await stopped).toMatchObject({ code: 0, stderr: '' });
  });
});
