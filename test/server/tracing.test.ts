import { createServer as createCollector } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createServer } from '../../src/server/create-server.js';
import { startTracing } from '../../src/server/tracing.js';
import { governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

interface OtlpSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code?: number };
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const SECRET = 'zoe@example.com';

const world = shared(async (atTheEnd) => {
  const spans: OtlpSpan[] = [];
  let sent = '';
  const collector = createCollector((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      expect(request.url).toBe('/v1/traces');
      sent += text;
      const { resourceSpans } = JSON.parse(text);
      for (const { scopeSpans } of resourceSpans)
        for (const scope of scopeSpans) spans.push(...scope.spans);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  atTheEnd(async () => void collector.close());
  const { port } = collector.address() as AddressInfo;
  const tracing = await startTracing({ endpoint: `http://127.0.0.1:${port}/`, version: '1.2.3' });
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  const policies = ['id: all\nmatch: {dataset: customers}\naction: {allow: true}\n'];
  expect((await g.deploy(policies)).status).toBe(201);
  const token = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
  const server = await createServer(g.app.context, {
    version: '1.2.3',
    logLevel: 'silent',
    requestsPerMinuteMax: 1_000,
    jwks: g.app.jwks,
    tracing,
  });
  atTheEnd(() => server.close());
  return { server, token, tracing, spans, sent: () => sent };
});

it('a request and a fetch are traced below their caller, from decision to query, without a value', async () => {
  const { server, token, tracing, spans, sent } = world();
  const post = (url: string, payload: object, id: string) =>
    server.inject({
      method: 'POST',
      url: `/api/v1/orgs/acme${url}`,
      payload,
      headers: {
        authorization: `Bearer ${token}`,
        traceparent: `00-${TRACE}-${CALLER}-01`,
        'x-correlation-id': id,
      },
    });
  const aql = {
    source_table: 'customers',
    columns: ['id', 'email'],
    filters: [{ operator: 'eq', field: 'email', value: SECRET }],
  };
  const asked = await post('/requests', { aql, purpose: 'secret plans' }, 'asked');
  const { grant_ref } = JSON.parse(asked.body) as { grant_ref: string };
  expect((await post(`/grants/${grant_ref}/fetch`, {}, 'fetched')).body).toContain(SECRET);
  await post('/grants/gr_none/fetch', {}, 'refused');
  await server.inject({ url: '/api/v1/whoami', headers: { traceparent: 'not one' } });
  await server.inject('/health');
  await tracing.close();

  const root = (id: string) => {
    const found = spans.find(({ attributes }) =>
      attributes.some(
        ({ key, value }) => key === 'vkit.correlation_id' && value.stringValue === id,
      ),
    );
    if (!found) throw new Error(`No span of ${id}.`);
    return found;
  };
  const below = (parent: OtlpSpan) =>
    spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  for (const id of ['asked', 'fetched', 'refused']) {
    expect(root(id)).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
  }
  expect(root('asked').name).toBe('POST /api/v1/orgs/:org/requests');
  expect(below(root('asked')).map(({ name }) => name)).toEqual(['decide']);
  const [fetched] = below(root('fetched'));
  expect(fetched?.name).toBe('fetch');
  const parts = below(fetched as OtlpSpan);
  expect(parts.map(({ name }) => name).sort()).toEqual(['decide', 'query']);
  const query = parts.find(({ name }) => name === 'query');
  expect(query?.attributes).toContainEqual({ key: 'vkit.rows', value: { intValue: 1 } });
  const [refused] = below(root('refused'));
  expect(refused?.status.code).toBe(2);
  const own = spans.find(({ name }) => name === 'GET /api/v1/whoami');
  expect(own?.traceId).not.toBe(TRACE);
  expect(spans.some(({ name }) => name.includes('/health'))).toBe(false);
  expect(sent()).toContain('"vkit"');
  for (const told of [SECRET, 'secret plans', token, 'gr_']) expect(sent()).not.toContain(told);
});
