import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VkitClient } from '../../src/client/vkit-client.js';

type Step = (request: IncomingMessage, response: ServerResponse) => void;

const status =
  (
    code: number,
    headers: Record<string, string> = {},
    body: object = { error: 'Not now.' },
  ): Step =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
const ok = status(200, {}, { request_id: 'req_1', state: 'approved', datasets: [] });
const cut: Step = (request) => void request.socket.destroy();

let server: Server;
let client: VkitClient;
let steps: Step[] = [];
let keys: (string | undefined)[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    keys.push(request.headers['idempotency-key'] as string | undefined);
    (steps.shift() ?? ok)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = new VkitClient({ baseUrl: `http://127.0.0.1:${port}/`, token: 't', org: 'acme' });
});

afterAll(() => {
  server.close();
});

beforeEach(() => {
  steps = [];
  keys = [];
});

const AQL = { aql: { source_table: 'customers', columns: ['id'] } };

describe('a client whose server fails in passing', () => {
  it.each([
    ['a 503', status(503)],
    ['a 500 of a proxy', status(500)],
    ['a broken connection', cut],
    ['a 429', status(429, { 'retry-after': '0' })],
  ])('reads again after %s', async (_name, failure) => {
    steps = [failure, failure];
    expect(await client.listDatasets()).toMatchObject({ datasets: [] });
    expect(keys).toHaveLength(3);
  });

  it('sends a request again under the same key', async () => {
    steps = [cut, status(502)];
    expect(await client.submitRequest(AQL)).toMatchObject({ request_id: 'req_1' });
    expect(keys).toEqual([expect.stringMatching(/^[\w-]{36}$/), keys[0], keys[0]]);
  });

  it('sends nothing twice that would do something twice', async () => {
    steps = [status(503)];
    await expect(client.approve('req_1')).rejects.toMatchObject({ code: 'unavailable' });
    steps = [cut];
    await expect(client.revokeGrant('gr_1')).rejects.toMatchObject({ code: 'server_unreachable' });
    expect(keys).toHaveLength(2);
  });

  it('sends everything again that a limit turned away', async () => {
    steps = [status(429, { 'retry-after': '0' })];
    expect(await client.approve('req_1')).toMatchObject({ request_id: 'req_1' });
  });

  it('waits as long as it is told to, but not for minutes', async () => {
    steps = [status(429, { 'retry-after': '1' })];
    const startedAt = performance.now();
    await client.listDatasets();
    expect(performance.now() - startedAt).toBeGreaterThan(990);
    steps = [status(429, { 'retry-after': '600' })];
    await expect(client.listDatasets()).rejects.toMatchObject({
      code: 'rate_limited',
      details: { retry_after_seconds: 600 },
    });
  });

  it('gives up after two retries, or as many as it is told', async () => {
    steps = [status(503), status(503), status(503), ok];
    await expect(client.listDatasets()).rejects.toMatchObject({ code: 'unavailable' });
    expect(keys).toHaveLength(3);
  });

  it.each([
    ['a refusal', status(403, {}, { error: 'No.', type: 'forbidden' }), 'forbidden'],
    ['a bug', status(500, {}, { error: 'Oops.', type: 'internal' }), 'internal'],
    [
      'a query that fails',
      status(502, {}, { error: 'X.', type: 'datasource_error' }),
      'datasource_error',
    ],
  ])('does not repeat %s', async (_name, failure, code) => {
    steps = [failure];
    await expect(client.listDatasets()).rejects.toMatchObject({ code });
    expect(keys).toHaveLength(1);
  });
});

describe('an abort', () => {
  const hang: Step = () => undefined;

  it('ends a call that waits for its answer, and none is sent after it', async () => {
    const abort = new AbortController();
    steps = [hang];
    const call = client.withSignal(abort.signal).listDatasets();
    setTimeout(() => abort.abort(new Error('enough')), 30);
    await expect(call).rejects.toThrow('enough');
    await expect(client.withSignal(abort.signal).listDatasets()).rejects.toThrow('enough');
    expect(keys).toHaveLength(1);
  });

  it('ends the wait before a retry', async () => {
    const abort = new AbortController();
    steps = [status(429, { 'retry-after': '9' })];
    const call = client.withSignal(abort.signal).listDatasets();
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await expect(call).rejects.toThrow('enough');
    expect(keys).toHaveLength(1);
  });

  it('ends the wait for a decision', async () => {
    const pending = { request_id: 'req_1', state: 'pending' };
    steps = Array.from({ length: 5 }, () => status(200, {}, pending));
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('enough')), 100);
    const answer = await client.showRequest('req_1');
    await expect(client.waitForDecision(answer, { signal: abort.signal })).rejects.toThrow(
      'enough',
    );
    expect(await client.waitForDecision(answer, { timeoutMs: 20 })).toMatchObject(pending);
    steps = [];
    expect(await client.waitForDecision(answer)).toMatchObject({ state: 'approved' });
  });
});

describe('rows that stream', () => {
  const lines =
    (...pieces: string[]): Step =>
    (_request, response) => {
      response.writeHead(200, { 'x-vkit-masked-fields': 'e%20mail,ssn' });
      for (const piece of pieces) response.write(piece);
      response.end();
    };

  it('are read one by one, wherever the pieces are cut', async () => {
    steps = [lines('{"id":1', ',"n":"ä"}\n{"id":', '2}\n\n')];
    const stream = await client.streamRows('gr_1');
    expect(stream.maskedFields).toEqual(['e mail', 'ssn']);
    const rows = [];
    for await (const row of stream) rows.push(row);
    expect(rows).toEqual([{ id: 1, n: 'ä' }, { id: 2 }]);
  });

  it('are no whole where the last one has no end', async () => {
    steps = [lines('{"id":1}\n{"id":2}')];
    const read = async () => {
      for await (const _row of await client.streamRows('gr_1'));
    };
    await expect(read()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('end the connection when the reader leaves, aborts or gives up', async () => {
    let gone = 0;
    const endless: Step = (_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('{"id":1}\n'), 1);
      response.on('close', () => {
        clearInterval(timer);
        gone += 1;
      });
    };
    steps = [endless, endless, endless];
    for await (const _row of await client.streamRows('gr_1')) break;
    const abort = new AbortController();
    const read = async () => {
      for await (const _row of await client.streamRows('gr_1', abort.signal)) abort.abort();
    };
    await expect(read()).rejects.toMatchObject({ name: 'AbortError' });
    await (await client.streamRows('gr_1')).close();
    await expect.poll(() => gone).toBe(3);
  });
});
