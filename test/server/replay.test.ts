import { describe, expect, it } from 'vitest';
import type { ReplayAnswer } from '../../src/client/wire.js';
import { ask } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const SECRET = 'zoe-hunter2@example.com';
const READ =
  'id: analysts_read\nmatch: {dataset: customers}\ncontext: {requester_role: analyst}\naction: {allow: true}\n';
const MASKED =
  'id: pii_masked\nmatch: {fields: {category: pii}}\naction: {mask: true, mask_type: full}\n';
const ORDERS_WAIT =
  'id: orders_wait\nmatch: {dataset: orders}\ncontext: {requester_role: analyst}\naction: {require_approval: true, approver_role: finance, reason: Money}\n';
const ORDERS_OPEN =
  'id: orders_open\nmatch: {dataset: orders}\ncontext: {requester_role: analyst}\naction: {allow: true}\n';

interface World {
  g: Governed;
  replay(body: object, token?: string): Promise<{ status: number; body: ReplayAnswer }>;
}

const world = shared<World>(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  await g.deploy([READ, MASKED, ORDERS_WAIT]);
  const ana = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
  const bob = await g.user({ email: 'bob@acme.test', roles: ['intern'] });
  const emails = { source_table: 'customers', columns: ['id', 'email'] };
  const filters = [{ operator: 'eq', field: 'country', value: SECRET }];
  await ask(g, ana, { ...emails, filters });
  await ask(g, ana, { ...emails, limit: 5 });
  await ask(g, ana, { source_table: 'customers', columns: ['id'] });
  await ask(g, ana, { source_table: 'orders', columns: ['id'] });
  await ask(g, bob, emails);
  return {
    g,
    replay: (body, token = g.admin) =>
      g.call<ReplayAnswer>(token, 'POST', '/orgs/acme/policy_bundles/replay', body),
  };
});

describe('past requests under another bundle', () => {
  it('are grouped by what changes, widening first, with ids and without a value of a filter', async () => {
    const { g, replay } = world();
    const to = await g.compile([READ, ORDERS_OPEN, MASKED.replace('full', 'partial')]);
    const { status, body } = await replay({ from: 'active', to });
    expect(status).toBe(200);
    expect(body.summary).toEqual({
      widening: 3,
      changed: 0,
      narrowing: 0,
      replayed: 5,
      skipped: 0,
      since: expect.stringMatching(/^2026-03-02T10/),
      truncated: false,
    });
    expect(body.changes).toMatchObject([
      {
        direction: 'widening',
        dataset: 'customers',
        count: 2,
        from: { status: 'granted', masks: { 'customers.email': { method: 'full' } } },
        to: { status: 'granted', masks: { 'customers.email': { method: 'partial' } } },
        requesters: ['ana@acme.test'],
      },
      {
        direction: 'widening',
        dataset: 'orders',
        count: 1,
        from: {
          status: 'pending_approval',
          approvals: [{ approver_role: 'finance', approvals: 1 }],
        },
        to: { status: 'granted' },
        policies: { from: 'orders_wait', to: 'orders_open' },
      },
    ]);
    expect(body.changes[0]?.requests).toHaveLength(2);
    expect(JSON.stringify(body)).not.toContain(SECRET);
    // It is not signed: it would not be activated, and is asked all the same.
    expect(body.to.refusal).toMatchObject({ type: 'bundle_signature' });
    expect(body.from.refusal).toBeNull();
  });

  it('that get less come after those that get more, and what got nothing before counts as more', async () => {
    const { g, replay } = world();
    const to = await g.compile([READ.replace('analyst}', 'intern}'), MASKED]);
    const { body } = await replay({ from: 'v1', to });
    expect(body.changes.map(({ direction, count }) => [direction, count])).toEqual([
      ['widening', 1],
      ['narrowing', 2],
      ['narrowing', 1],
      ['narrowing', 1],
    ]);
    expect(body.changes[0]).toMatchObject({
      from: { status: 'denied' },
      to: { status: 'granted' },
      requesters: ['bob@acme.test'],
    });
    const back = await replay({ from: to, to: 'v1' });
    expect(back.body.summary).toMatchObject({ widening: 4, narrowing: 1 });
    expect((await replay({ from: 'v1', to: 'active' })).body.changes).toEqual([]);
  });

  it('are bounded, and say that there are more', async () => {
    const { replay } = world();
    const { body } = await replay({ from: 'active', to: 'active', limit: 2 });
    expect(body.summary).toMatchObject({ replayed: 2, truncated: true });
    expect((await replay({ from: 'active', to: 'active', limit: 5 })).body.summary.truncated).toBe(
      false,
    );
    expect((await replay({ from: 'active', to: 'active', limit: 5_001 })).status).toBe(400);
  });

  it('are for who administers policies and for auditors, on record, and change nothing', async () => {
    const { g, replay } = world();
    const auditor = await g.user({ email: 'aud@acme.test', roles: ['auditor'] });
    const nobody = await g.user({ email: 'eve@acme.test', roles: ['analyst'] });
    const before = (await g.app.context.store.requests.list({ limit: 100 })).length;
    const epoch = (await g.app.context.store.organisation.get())?.epoch;
    expect((await replay({ from: 'active', to: 'active' }, auditor)).status).toBe(200);
    expect((await replay({ from: 'active', to: 'active' }, nobody)).status).toBe(403);
    expect((await g.app.context.store.requests.list({ limit: 100 })).length).toBe(before);
    expect((await g.app.context.store.organisation.get())?.epoch).toBe(epoch);
    const [record] = await g.app.context.store.audit.list({
      order: 'desc',
      limit: 1,
      event: 'policy.replayed',
    });
    expect(record).toMatchObject({ metadata: { requests: 5 } });
  });

  it('are not decided by what is no bundle, was changed, or is of another organisation', async () => {
    const { g, replay } = world();
    const bundle = await g.compile([READ]);
    const changed = { ...bundle, policies: [] };
    const foreign = { ...bundle, bundle: { ...bundle.bundle, org_slug: 'other' } };
    const types = [];
    for (const to of [{}, changed, foreign, 'v99', 'v0', 7]) {
      types.push((await replay({ from: 'active', to })).body);
    }
    expect(types.map((body) => (body as unknown as { type: string }).type)).toEqual([
      'bundle_invalid',
      'bundle_checksum',
      'bundle_checksum',
      'not_found',
      'validation',
      'validation',
    ]);
  });
});
