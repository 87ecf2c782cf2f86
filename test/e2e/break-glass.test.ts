import { expect, it } from 'vitest';
import { createSweeper } from '../../src/services/control/sweep.js';
import { approve, fetchRows } from '../helpers/ask.js';
import { governed } from '../helpers/governed.js';
import { jsonOf, runCli } from '../helpers/run-cli.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = [
  `
id: engineers_read_orders
match: {dataset: orders}
context: {requester_role: engineer}
action: {allow: true}
`,
  `
id: money_needs_finance
match: {fields: {category: financial}}
action:
  require_approval: true
  approver_role: finance_manager
  approval_metadata_required: [incident_ticket, justification]
  ttl: 1h
  auto_revoke: true
  reason: Financial rows are seen for an incident only.
`,
];

it('an engineer sees financial rows for an incident, once somebody has agreed, for ten minutes', async () => {
  const g = await governed(await sqliteShop());
  expect((await g.deploy(POLICIES)).status).toBe(201);
  const url = await g.server.listen({ host: '127.0.0.1', port: 0 });
  const tokens = {
    eve: await g.user({ email: 'eve@acme.test', roles: ['engineer'] }),
    fay: await g.user({ email: 'fay@acme.test', roles: ['finance_manager'] }),
    ada: await g.user({ email: 'ada@acme.test', roles: ['auditor'] }),
  };
  const as = (who: keyof typeof tokens, ...args: string[]) =>
    runCli([...args, '--json'], { env: { VKIT_API_URL: url, VKIT_TOKEN: tokens[who] } });
  const aql = JSON.stringify({ source_table: 'orders', columns: ['id', 'amount'] });
  const asking = ['request', '--aql', aql, '--purpose', 'incident'];

  const bare = await as('eve', ...asking);
  expect([bare.code, jsonOf(bare)]).toMatchObject([
    2,
    {
      error: { code: 'metadata_required', details: { keys: ['incident_ticket', 'justification'] } },
    },
  ]);
  const metadata = { incident_ticket: 'INC-7', justification: 'Invoices do not add up.' };
  const asked = await as('eve', ...asking, '--metadata', JSON.stringify(metadata));
  expect(asked.code).toBe(4);
  const { request_id: id } = jsonOf<{ request_id: string }>(asked);

  // Nobody sees a row before, and nobody lets themselves in.
  expect((await approve(g, tokens.eve, id)).body).toMatchObject({ type: 'forbidden' });
  const waiting = await g.call(tokens.fay, 'GET', '/orgs/acme/approvals');
  expect(waiting.body).toMatchObject({
    approvals: [{ request_id: id, metadata, columns: ['id', 'amount'] }],
  });

  const notes = 'For INC-7, seen with the team.';
  const approved = await as('fay', 'approval', 'approve', id, '--notes', notes, '--ttl', '10m');
  expect(approved.code).toBe(0);
  const { grant_ref: ref } = jsonOf<{ grant_ref: string }>(approved);
  const fetched = await as('eve', 'fetch', '--grant', ref);
  expect([fetched.code, jsonOf(fetched)]).toMatchObject([
    0,
    {
      rows: [
        { id: 100, amount: 12.5 },
        { id: 101, amount: 30 },
        { id: 102, amount: 99 },
      ],
    },
  ]);
  // The grant is of who asked, whoever else knows its reference.
  expect((await fetchRows(g, tokens.fay, ref)).status).toBe(404);

  g.clock.now += 10 * 60_000 + 1;
  await createSweeper(g.app.context).sweep();
  const late = await as('eve', 'fetch', '--grant', ref);
  expect([late.code, jsonOf(late)]).toMatchObject([3, { error: { code: 'grant_revoked' } }]);

  const told = jsonOf<Record<string, unknown>>(await as('ada', 'audit', 'query', '--request', id));
  expect(told).toMatchObject({
    request_id: id,
    requester: expect.stringContaining('eve@acme.test'),
    approved_by: expect.anything(),
    queries_executed: 1,
    rows_accessed: 3,
    auto_revoked: true,
  });
  expect(JSON.stringify(told)).not.toContain('12.5');
  const { body } = await g.call(tokens.ada, 'GET', `/orgs/acme/audit?request=${id}`);
  for (const said of [notes, ...Object.values(metadata)]) {
    expect(JSON.stringify(body)).toContain(said);
  }
}, 60_000);
