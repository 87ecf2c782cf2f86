import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { expect, it } from 'vitest';
import { pendingAnswers } from '../../src/mcp/pending-answers.js';

async function connected() {
  const [client, server] = InMemoryTransport.createLinkedPair();
  const pending = pendingAnswers(server);
  await client.start();
  await server.start();
  const ask = (id: number) => client.send({ jsonrpc: '2.0', id, method: 'tools/list' });
  const answer = (id: number) => server.send({ jsonrpc: '2.0', id, result: {} });
  return { client, pending, ask, answer };
}

it('waits until every request is answered or cancelled, and not for anything else', async () => {
  const { client, pending, ask, answer } = await connected();
  await client.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  expect(await pending.settled(0)).toBe(true);
  await ask(1);
  await ask(2);
  let isSettled = false;
  const settled = pending.settled(5_000).then((all) => {
    isSettled = true;
    return all;
  });
  await answer(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isSettled).toBe(false);
  const params = { requestId: 2 };
  await client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
  expect(await settled).toBe(true);
});

it('does not wait longer than it is told', async () => {
  const { pending, ask } = await connected();
  await ask(1);
  expect(await pending.settled(20)).toBe(false);
});
