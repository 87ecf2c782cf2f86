import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type App, openApp } from '../../src/app.js';
import type { ServerConfig } from '../../src/config/server-config.js';
import { approve, ask, askPending } from '../helpers/ask.js';
import { governed } from '../helpers/governed.js';
import { sqliteShop } from '../helpers/shop.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { httpPeer, type Received } from '../notify/peers.js';

const POLICIES = [
  'id: allow_customers\nmatch: {dataset: customers}\naction: {allow: true}\n',
  `
id: ssn_needs_one
match: {fields: {any: [ssn]}}
action: {require_approval: true, approver_role: security, reason: A person sees this}
`,
];
const CANARY = 'canary-4111111111111111';
const SSNS = {
  source_table: 'customers',
  columns: ['id', 'ssn'],
  filters: [{ field: 'ssn', operator: 'eq', value: CANARY }],
};
const MORE = { reason: CANARY, purpose: CANARY, metadata: { ticket: CANARY } };

/** A server that tells somebody at `url`. */
async function world(url: string, route: object = {}) {
  const secret = join(await temporaryFolder(), 'secret');
  await writeFile(secret, 'a-secret-of-more-than-24-bytes');
  const channel = { type: 'webhook', name: 'ops', url, secret: { file: secret }, ...route };
  const g = await governed(await sqliteShop(), {
    notifications: { channels: [channel] },
  } as Partial<ServerConfig>);
  await g.deploy(POLICIES);
  const ana = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
  const sam = await g.user({ email: 'sam@acme.test', roles: ['security'] });
  return { g, ana, sam, send: () => sendAll(g.app) };
}

async function sendAll(app: App, signal = new AbortController().signal): Promise<void> {
  await app.jobs.find(({ name }) => name === 'notifications')?.run(signal);
}

const idOf = ({ headers }: Received) => headers['webhook-id'];
const waiting = async ({ context }: App) =>
  context.store.notifications.due('ops', '2100-01-01T00:00:00.000Z', 100);

describe('notifications', () => {
  it('tell of requests, decisions, expiries and revocations, and hold no value anybody typed', async () => {
    const peer = await httpPeer((response) => response.end());
    const { g, ana, sam, send } = await world(peer.url);
    const approved = await askPending(g, ana, SSNS, MORE);
    const answer = await approve(g, sam, approved, { notes: CANARY });
    const denied = await askPending(g, ana, SSNS, MORE);
    await g.call(sam, 'POST', `/orgs/acme/approvals/${denied}/deny`, { reason: CANARY });
    const grant = String(answer.body.grant_ref);
    await g.call(ana, 'POST', `/orgs/acme/grants/${grant}/revoke`, { reason: CANARY });
    const expired = await askPending(g, ana, SSNS, MORE);
    expect((await ask(g, ana, { source_table: 'customers', columns: ['id'] })).body.status).toBe(
      'granted',
    );
    expect(peer.received).toEqual([]);
    await send();
    g.clock.now += 86_400_000;
    await g.app.jobs.find(({ name }) => name === 'sweep')?.run(new AbortController().signal);
    await send();
    const told = peer.received.map(({ body }) => JSON.parse(body));
    const expected = [
      { type: 'approval.requested', data: { request_id: approved } },
      { type: 'approval.approved', data: { request_id: approved, by: 'sam@acme.test' } },
      { type: 'approval.requested', data: { request_id: denied } },
      { type: 'approval.denied', data: { request_id: denied, by: 'sam@acme.test' } },
      { type: 'grant.revoked', data: { grant_id: grant, by: 'ana@acme.test' } },
      { type: 'approval.requested', data: { request_id: expired } },
      { type: 'approval.expired', data: { request_id: expired } },
    ];
    expect(told).toHaveLength(expected.length);
    expect(told).toEqual(
      expect.arrayContaining(
        expected.map((one) =>
          expect.objectContaining({
            ...one,
            data: expect.objectContaining({
              ...one.data,
              requester: 'ana@acme.test',
              dataset: 'customers',
            }),
          }),
        ),
      ),
    );
    expect(JSON.stringify(peer.received)).not.toContain('canary');
    expect(new Set(peer.received.map(idOf)).size).toBe(told.length);
    expect(await waiting(g.app)).toEqual([]);
  });

  it('go to the channels of their event and their approvers alone', async () => {
    const peer = await httpPeer((response) => response.end());
    const { g, ana, sam, send } = await world(peer.url, {
      events: ['approval.denied'],
      approver_roles: ['security'],
    });
    const id = await askPending(g, ana, SSNS);
    await g.call(sam, 'POST', `/orgs/acme/approvals/${id}/deny`, { reason: 'no' });
    await send();
    expect(peer.received.map(({ body }) => JSON.parse(body).type)).toEqual(['approval.denied']);
    const other = await httpPeer((response) => response.end());
    const elsewhere = await world(other.url, { approver_roles: ['finance'] });
    await askPending(elsewhere.g, elsewhere.ana, SSNS);
    await elsewhere.send();
    expect(other.received).toEqual([]);
  });

  it('wait while nobody takes them, each time longer, and are given up after three days', async () => {
    let status = 503;
    const peer = await httpPeer((response) => response.writeHead(status).end());
    const { g, ana, send } = await world(peer.url);
    await askPending(g, ana, SSNS);
    await send();
    await send();
    expect(peer.received).toHaveLength(1);
    expect(await waiting(g.app)).toMatchObject([
      { attempts: 1, last_error: '127.0.0.1 answered 503.' },
    ]);
    g.clock.now += 5_000;
    await send();
    g.clock.now += 5_000;
    await send();
    expect(peer.received).toHaveLength(2);
    status = 200;
    g.clock.now += 5_000;
    await send();
    await send();
    expect(peer.received).toHaveLength(3);
    expect(new Set(peer.received.map(idOf)).size).toBe(1);
    expect(await waiting(g.app)).toEqual([]);

    status = 503;
    await askPending(g, ana, SSNS);
    g.clock.now += 72 * 3_600_000;
    await send();
    expect(await waiting(g.app)).toEqual([]);
    const { notifications } = g.app.context.store;
    expect(await notifications.before('dead', '2100-01-01T00:00:00.000Z', 10)).toHaveLength(1);
    g.clock.now += 31 * 86_400_000;
    await send();
    expect(await notifications.before('dead', '2100-01-01T00:00:00.000Z', 10)).toEqual([]);
  });

  it('come again under the same id after a process that ended between the sending and the answer', async () => {
    let hold = true;
    const peer = await httpPeer((response) => {
      if (!hold) response.end();
    });
    const { g, ana } = await world(peer.url);
    await askPending(g, ana, SSNS);
    const abort = new AbortController();
    const sending = sendAll(g.app, abort.signal);
    while (peer.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    await sending;
    // As after a kill: what was sent and not answered is in the outbox still.
    await g.server.close();
    await g.app.close();
    hold = false;
    const again = await openApp({
      config: g.config,
      cwd: g.folder,
      variables: () => ({}),
      now: () => g.clock.now,
    });
    await sendAll(again);
    await sendAll(again);
    const left = await waiting(again);
    await again.close();
    expect(peer.received).toHaveLength(2);
    expect(new Set(peer.received.map(idOf)).size).toBe(1);
    expect(left).toEqual([]);
  });

  it('are not sent of what did not happen', async () => {
    const peer = await httpPeer((response) => response.end());
    const { g, ana, sam, send } = await world(peer.url);
    const id = await askPending(g, ana, SSNS);
    const deny = () => g.call(sam, 'POST', `/orgs/acme/approvals/${id}/deny`, { reason: 'no' });
    const answers = await Promise.all([deny(), deny(), approve(g, sam, id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    await send();
    expect(peer.received).toHaveLength(2);
  });
});
