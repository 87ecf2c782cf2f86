import { expect, it } from 'vitest';
import { createSweeper } from '../../src/services/control/sweep.js';
import { governed } from '../helpers/governed.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = [
  `
id: short_lived
match: {dataset: customers}
action: {allow: true, ttl: 60s, auto_revoke: true}
`,
  `
id: money_needs_approval
match: {dataset: orders}
action: {require_approval: true, approver_role: finance_manager, reason: Money}
`,
];

it('writes down what time has ended, once', async () => {
  const g = await governed(await sqliteShop());
  await g.deploy(POLICIES);
  const user = await g.user({ email: 'ann@acme.test', roles: ['analyst'] });
  const sweeper = createSweeper(g.app.context);
  const granted = await g.call(user, 'POST', '/orgs/acme/requests', {
    aql: { source_table: 'customers', columns: ['id'] },
  });
  const pending = await g.call(user, 'POST', '/orgs/acme/requests', {
    aql: { source_table: 'orders', columns: ['id'] },
  });
  await sweeper.sweep();
  const admin = () => g.user({ email: `root${g.clock.now}@acme.test`, roles: ['admin'] });
  const events = async (): Promise<(string | undefined)[]> => {
    const { body } = await g.call<{ records: { event: string; requester?: { kind: string } }[] }>(
      await admin(),
      'GET',
      '/orgs/acme/audit?order=asc&limit=500',
    );
    return body.records
      .filter(({ event }) => event === 'grant.revoked' || event === 'request.expired')
      .map(({ event, requester }) => [event, requester?.kind].filter(Boolean).join(' by '));
  };
  expect(await events()).toEqual([]);
  g.clock.now += 25 * 3_600_000;
  await sweeper.sweep();
  await sweeper.sweep();
  expect(await events()).toEqual(['request.expired', 'grant.revoked by system']);
  const grant = await g.app.context.store.grants.byId(granted.body.grant_ref as string);
  expect(grant?.revoke_reason).toBe('expired');
  const request = await g.app.context.store.requests.byId(pending.body.request_id as string);
  expect(request?.state).toBe('expired');
});
