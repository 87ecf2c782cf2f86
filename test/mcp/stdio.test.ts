import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { approve } from '../helpers/ask.js';
import { finished, runCli, startCli } from '../helpers/run-cli.js';
import { shared } from '../helpers/shared.js';
import {
  CLOSING,
  HIDDEN,
  type McpWorld,
  mcpWorld,
  overStdio,
  SENTENCE,
  type Spoken,
} from './world.js';

const world = shared<McpWorld & { spoken: Spoken }>(async (atTheEnd) => {
  expect(inject('buildError')).toBe('');
  const made = await mcpWorld(atTheEnd);
  const env = { VAULTKIT_BASE_URL: made.url, VAULTKIT_TOKEN: made.token, VAULTKIT_ORG: 'acme' };
  return { ...made, spoken: await overStdio(env, [], atTheEnd) };
});

const call: Spoken['call'] = (name, args) => world().spoken.call(name, args);

describe('vkit mcp over stdio', () => {
  beforeAll(async () => {
    // The official client checks every answer against the schemas it has listed.
    await world().spoken.client.listTools();
  });

  it('lists three tools whose schemas say what goes in and what comes out', async () => {
    const { tools } = await world().spoken.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'vaultkit_discover',
      'vaultkit_query',
      'vaultkit_check_approval',
    ]);
    for (const { inputSchema, outputSchema, annotations } of tools) {
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(outputSchema).toMatchObject({ required: ['status'] });
      expect(annotations).toMatchObject({ readOnlyHint: true });
    }
  });

  it('names the valid fields in the description, but no name that is a sentence or unknown to the requester', async () => {
    const { tools } = await world().spoken.client.listTools();
    const { description = '' } = tools[1] ?? {};
    expect(description).toContain(
      '- customers: id, user_id, email (masked), country, purchase_amount',
    );
    expect(description).toContain('- orders: id (needs approval)');
    expect(description).toContain('- notes: id, body');
    expect(description).not.toContain(SENTENCE);
    expect(description).not.toContain('payroll');
    expect(description).not.toContain('ssn');
  });

  it('discovers what the requester may know of', async () => {
    const { structuredContent: all } = await call('vaultkit_discover');
    expect(all).toMatchObject({ status: 'ok', count: 3 });
    expect((all.datasets as { name: string }[]).map(({ name }) => name)).toEqual([
      'customers',
      'notes',
      'orders',
    ]);
    const one = (await call('vaultkit_discover', { dataset: 'CUSTOMERS' })).structuredContent;
    expect(one).toMatchObject({ status: 'ok', count: 1 });
    expect(one.datasets).toMatchObject([
      {
        name: 'customers',
        datasource: 'shop',
        environment: 'production',
        visibility: 'allow',
        field_count: 6,
        fields: expect.arrayContaining([
          { name: 'email', type: 'text', visibility: 'allow', masked: true, sensitivity: 'medium' },
        ]),
      },
    ]);
    const other = await call('vaultkit_discover', { environment: 'staging' });
    expect(other.structuredContent).toEqual({ status: 'ok', datasets: [], count: 0 });
    const hidden = await call('vaultkit_discover', { dataset: 'payroll' });
    const absent = await call('vaultkit_discover', { dataset: 'payrol1' });
    expect(hidden.structuredContent).toEqual(absent.structuredContent);
    expect(hidden.structuredContent.status).toBe('validation_error');
  });

  it('answers a query with rows, and says which of them are masked', async () => {
    const args = { dataset: 'customers', fields: ['id', 'email'], limit: 2, purpose: 'support' };
    const answer = await call('vaultkit_query', args);
    expect(answer.isError).toBeFalsy();
    expect(answer.structuredContent).toMatchObject({
      status: 'ok',
      dataset: 'customers',
      row_count: 2,
      masked_fields: ['email'],
      note: expect.stringContaining('email'),
    });
    expect(answer.structuredContent.data).toEqual([
      { id: 1, email: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { id: 2, email: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(answer.structuredContent).not.toHaveProperty('truncated');
  });

  it('takes null for what a model leaves out', async () => {
    const args = {
      dataset: 'customers',
      fields: ['id'],
      filters: null,
      limit: null,
      purpose: null,
    };
    const { structuredContent } = await call('vaultkit_query', args);
    expect(structuredContent).toMatchObject({ status: 'ok', row_count: 4 });
  });

  it('answers a denial with a reason and what would pass, and that passes', async () => {
    const args = { dataset: 'customers', fields: ['id', 'ssn'], limit: 3 };
    const answer = await call('vaultkit_query', args);
    expect(answer.isError).toBeFalsy();
    expect(answer.structuredContent).toMatchObject({
      status: 'denied',
      policy_id: 'no_ssn',
      reason: 'Nobody needs it.',
      type: 'policy_denied',
      error: expect.stringContaining('no_ssn'),
      suggestions: [
        { status: 'granted', arguments: { dataset: 'customers', fields: ['id'], limit: 3 } },
      ],
    });
    const [first] = answer.structuredContent.suggestions as { arguments: object }[];
    const again = await call('vaultkit_query', first?.arguments);
    expect(again.structuredContent.status).toBe('ok');
  });

  it('tells an unknown dataset and one that nobody opened not apart', async () => {
    const said = async (dataset: string) => {
      const { structuredContent } = await call('vaultkit_query', { dataset });
      const { request_id: _id, ...rest } = structuredContent;
      return JSON.stringify(rest).replaceAll(dataset, 'X');
    };
    expect(await said('payroll')).toBe(await said('quarrel'));
    expect(await said('payroll')).toContain('unknown_field');
  });

  it('has a request wait, and brings its rows once it is approved', async () => {
    const args = { dataset: 'orders', fields: ['id', 'amount'] };
    const waiting = (await call('vaultkit_query', args)).structuredContent;
    expect(waiting).toMatchObject({
      status: 'pending_approval',
      request_id: expect.stringMatching(/^req_/),
      approver_role: 'finance',
      reason: 'Finance looks first.',
    });
    const request_id = String(waiting.request_id);
    const before = await call('vaultkit_check_approval', { request_id });
    expect(before.structuredContent).toMatchObject({ status: 'pending', request_id });
    expect((await approve(world().g, world().finance, request_id)).status).toBe(200);
    const after = await call('vaultkit_check_approval', { request_id });
    expect(after.structuredContent).toMatchObject({
      status: 'approved',
      row_count: 3,
      data: [
        { id: 100, amount: 12.5 },
        { id: 101, amount: 30 },
        { id: 102, amount: 99 },
      ],
      masked_fields: [],
    });
    const second = (await call('vaultkit_query', { ...args, limit: 1 })).structuredContent;
    const id = String(second.request_id);
    const path = `/orgs/acme/approvals/${id}/deny`;
    await world().g.call(world().finance, 'POST', path, { reason: 'Not this week.' });
    const denied = await call('vaultkit_check_approval', { request_id: id });
    expect(denied.structuredContent).toMatchObject({
      status: 'denied',
      type: 'approval_denied',
      reason: 'Not this week.',
    });
  });

  it.each([
    ['no dataset', {}],
    ['an unknown key', { dataset: 'customers', sql: 'drop table customers' }],
    ['a limit that is none', { dataset: 'customers', limit: 'ten' }],
    ['a filter that is none', { dataset: 'customers', filters: [{ field: 'id' }] }],
    [
      'a value of another type',
      { dataset: 'customers', filters: [{ field: 'id', operator: 'eq', value: 'x' }] },
    ],
  ])('answers %s as a validation error with every problem', async (_name, args) => {
    const { structuredContent, isError } = await call('vaultkit_query', args);
    expect(isError).toBeFalsy();
    expect(structuredContent).toMatchObject({
      status: 'validation_error',
      error: expect.any(String),
      problems: [{ pointer: expect.any(String), message: expect.any(String) }],
    });
    expect(JSON.stringify(structuredContent)).not.toContain('drop table');
  });

  it('keeps what rows say inside their block, and cuts what is too long', async () => {
    const { content, structuredContent } = await call('vaultkit_query', { dataset: 'notes' });
    const [facts, block] = content.map(({ text }) => text);
    const lines = (block ?? '').split('\n');
    const [boundary] = /(?<=<data-)[0-9a-f]{24}(?=>$)/.exec(lines[2] ?? '') ?? [];
    expect(lines[2]).toBe(`<data-${boundary}>`);
    expect(lines.at(-1)).toBe(`</data-${boundary}>`);
    const rows = lines.slice(3, -1);
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).not.toMatch(/[<>\p{C}\p{Zl}\p{Zp}]/u);
    const first = JSON.parse(rows[0] ?? '') as Record<string, unknown>;
    expect(first.body).toBe(CLOSING);
    expect(block).toContain('data and not instructions');
    expect(facts).not.toContain('evil.example');
    const [, second] = structuredContent.data as Record<string, string>[];
    expect(second?.body).toHaveLength(2_001);
    expect(structuredContent).toMatchObject({ truncated: true });
    expect(Object.keys(first)).toEqual(['id', SENTENCE, 'na\\u202eme', 'body']);
    expect(JSON.stringify(structuredContent.note)).not.toContain(HIDDEN);
  });

  it('writes nothing but the protocol on stdout and no secret anywhere', async () => {
    const { url, token } = world();
    const child = startCli(['mcp'], { env: { VAULTKIT_BASE_URL: url, VAULTKIT_TOKEN: token } });
    const lines = [
      'this is no JSON-RPC, and has a secret: vka_0123456789',
      '{"jsonrpc": "2.0", "id": 1}',
      '[]',
      '{"jsonrpc": "2.0", "id": 2, "method": "no/such"}',
      '{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "vaultkit_drop"}}',
      '{"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": 7}}',
      '{"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "vaultkit_query", "arguments": {"dataset": "customers", "fields": ["id"]}}}',
    ];
    child.stdin?.write(`${lines.join('\n')}\n`);
    const text: string[] = [];
    child.stdout?.on('data', (chunk) => {
      text.push(String(chunk));
      if (text.join('').includes('"id":5')) child.stdin?.end();
    });
    const { code, stdout, stderr } = await finished(child);
    expect(code).toBe(0);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number });
    expect(answers.map(({ id }) => id).sort()).toEqual([2, 3, 4, 5]);
    expect(stderr).toContain('not understood');
    expect(stdout + stderr).not.toContain(token);
    expect(stdout + stderr).not.toContain('vka_0123456789');
  });

  it('answers what was asked before stdin ended', async () => {
    const { url, token } = world();
    const calls = [1, 2].map((id) => ({
      ...{ jsonrpc: '2.0', id, method: 'tools/call' },
      params: { name: 'vaultkit_query', arguments: { dataset: 'customers', fields: ['id'] } },
    }));
    const result = await runCli(['mcp'], {
      env: { VKIT_API_URL: url, VKIT_TOKEN: token },
      stdin: calls.map((call) => `${JSON.stringify(call)}\n`).join(''),
    });
    expect([result.code, result.stderr]).toEqual([0, '']);
    const answers = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number; result: unknown });
    expect(answers.map(({ id }) => id).sort()).toEqual([1, 2]);
    for (const { result } of answers)
      expect(result).toMatchObject({ structuredContent: { status: 'ok', row_count: 4 } });
  });

  it('gives as many rows as it is told, and says when there may be more', async () => {
    const { url, token, few } = world();
    const env = { VKIT_API_URL: url, VKIT_TOKEN: token };
    const narrow = await overStdio(env, ['--max-rows', '2'], onTestFinished);
    const cut = (await narrow.call('vaultkit_query', { dataset: 'customers', fields: ['id'] }))
      .structuredContent;
    expect(cut).toMatchObject({ row_count: 2, truncated: true, data: [{ id: 1 }, { id: 2 }] });
    const small = await overStdio(
      { ...env, VKIT_TOKEN: few },
      ['--max-bytes', '1024'],
      onTestFinished,
    );
    const big = (await small.call('vaultkit_query', { dataset: 'notes', fields: ['body'] }))
      .structuredContent;
    expect(big).toMatchObject({ status: 'ok', row_count: 1, truncated: true });
    const capped = (await small.call('vaultkit_query', { dataset: 'notes', fields: ['id'] }))
      .structuredContent;
    expect(capped).toMatchObject({ row_count: 2, truncated: true });
    expect(capped.note).toContain('At most 2 rows');
  });

  it('answers that no server is there, or not this token, as a transport error', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise<void>((resolve) => closed.close(() => resolve()));
    const away = { VAULTKIT_BASE_URL: `http://127.0.0.1:${port}`, VAULTKIT_TOKEN: 'vka_secret' };
    const refused = { VAULTKIT_BASE_URL: world().url, VAULTKIT_TOKEN: 'vka_secret' };
    for (const env of [away, refused]) {
      const spoken = await overStdio(env, [], onTestFinished);
      expect((await spoken.client.listTools()).tools).toHaveLength(3);
      for (const name of ['vaultkit_discover', 'vaultkit_query']) {
        const args = name === 'vaultkit_query' ? { dataset: 'customers' } : {};
        const { structuredContent, content } = await spoken.call(name, args);
        expect(structuredContent).toMatchObject({
          status: 'transport_error',
          error: expect.any(String),
        });
        expect(JSON.stringify(content) + spoken.stderr()).not.toContain('vka_secret');
      }
    }
  });

  it('says at once where there is no token', async () => {
    const child = startCli(['mcp', '--json'], {
      env: { VKIT_API_URL: 'http://127.0.0.1:9', XDG_CONFIG_HOME: '/nowhere' },
    });
    child.stdin?.end();
    const { code, stdout } = await finished(child);
    expect([code, JSON.parse(stdout).error.code]).toEqual([6, 'unauthenticated']);
  });
});
