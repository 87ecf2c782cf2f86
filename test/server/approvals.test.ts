import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ApprovalItem, RequestAnswer } from '../../src/client/wire.js';
import { approve, ask, askPending, fetchRows } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = [
  'id: allow_customers\nmatch: {dataset: customers}\naction: {allow: true}\n',
  'id: allow_orders\nmatch: {dataset: orders}\naction: {allow: true}\n',
  `
id: ssn_needs_two
match: {fields: {any: [ssn]}}
action: {require_approval: true, approver_role: security, approvals: 2, reason: Two people see this}
`,
  `
id: amounts_need_finance
match: {fields: {any: [amount]}}
action: {require_approval: true, approver_role: finance, reason: Money, ttl: 10m}
`,
  `
id: cards_need_pci
match: {fields: {any: [card]}}
action: {require_approval: true, approver_role: pci, reason: Cards}
`,
  `
id: mask_contacts
match: {fields: {any: [email, country]}}
action: {mask: true, mask_type: hash}
`,
  `
id: emails_for_on_call
match: {fields: {any: [email]}}
context: {requester_role: on_call}
action: {require_approval: true, approver_role: lead, lifts_mask: true, reason: Break the glass}
`,
  `
id: countries_for_on_call
match: {fields: {any: [country]}}
context: {requester_role: on_call}
action: {require_approval: true, approver_role: lead, reason: Still masked}
`,
];
const SSNS = { source_table: 'customers', columns: ['id', 'ssn'], limit: 1 };
const AMOUNTS = { source_table: 'orders', columns: ['id', 'amount'], limit: 1 };
const CARDS = { source_table: 'orders', columns: ['id', 'amount', 'card'], limit: 1 };
const sha = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

const world = shared(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  expect((await g.deploy(POLICIES)).status).toBe(201);
  return g;
});

let people = 0;

/** A person of this test alone. */
function person(g: Governed, ...roles: string[]): Promise<string> {
  people += 1;
  return g.user({ email: `person${people}@acme.test`, roles });
}

function deny(g: Governed, token: string, id: string, reason = 'no') {
  const path = `/orgs/acme/approvals/${id}/deny`;
  return g.call<RequestAnswer>(token, 'POST', path, { reason });
}

function poll(g: Governed, token: string, id: string) {
  return g.call<RequestAnswer>(token, 'GET', `/orgs/acme/requests/${id}`);
}

async function eventsOf(g: Governed, id: string): Promise<string[]> {
  const path = `/orgs/acme/audit?order=asc&limit=500&request=${id}`;
  const { body } = await g.call<{ records: { event: string }[] }>(g.admin, 'GET', path);
  return body.records.map(({ event }) => event);
}

const forbidden = { status: 403, body: { type: 'forbidden' } };
const decided = { status: 409, body: { type: 'already_decided' } };
const missing = { status: 404, body: { type: 'not_found' } };

describe('an approval', () => {
  it('has one outcome when two people race, and the second is told of it', async () => {
    const g = world();
    const requester = await person(g);
    for (const other of ['approve', 'deny'] as const) {
      const [ann, bob] = [await person(g, 'finance'), await person(g, 'finance')];
      const id = await askPending(g, requester, AMOUNTS);
      const answers = await Promise.all([
        approve(g, ann, id),
        other === 'approve' ? approve(g, bob, id) : deny(g, bob, id),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      const winner = answers.find(({ status }) => status === 200)?.body;
      const { body } = await poll(g, requester, id);
      expect(body.status).toBe(winner?.status);
      expect(body.grant_ref).toBe(winner?.grant_ref);
      const final = ['request.granted', 'request.denied'];
      const events = await eventsOf(g, id);
      expect(events.filter((event) => final.includes(event))).toHaveLength(1);
      expect(events.filter((event) => event === 'grant.issued')).toHaveLength(
        body.status === 'granted' ? 1 : 0,
      );
    }
  });

  it('by two people takes two people: one person twice is one', async () => {
    const g = world();
    const [requester, ann, bob] = [
      await person(g),
      await person(g, 'security'),
      await person(g, 'security'),
    ];
    const id = await askPending(g, requester, SSNS);
    const first = await approve(g, ann, id);
    expect(first).toMatchObject({
      status: 200,
      body: {
        status: 'pending_approval',
        approvals: [
          { approver_role: 'security', required: 2, given: 1, policy_id: 'ssn_needs_two' },
        ],
      },
    });
    expect(await approve(g, ann, id)).toMatchObject(decided);
    expect((await poll(g, requester, id)).body).toMatchObject({
      status: 'pending_approval',
      approvals: [{ required: 2, given: 1 }],
    });
    const second = await approve(g, bob, id);
    expect(second).toMatchObject({ status: 200, body: { status: 'granted' } });
    const fetched = await fetchRows(g, requester, second.body.grant_ref ?? '');
    expect(fetched.body.rows).toEqual([{ id: 1, ssn: '078-05-1120' }]);
  });

  it('by two people no longer counts the first when they lost the role before the second came', async () => {
    const g = world();
    const requester = await person(g);
    const ann = await person(g, 'security');
    const email = `person${people}@acme.test`;
    const [bob, cid] = [await person(g, 'security'), await person(g, 'security')];
    const id = await askPending(g, requester, SSNS);
    await approve(g, ann, id);
    await g.call(g.admin, 'PATCH', `/orgs/acme/users/${email}`, { roles: [] });
    expect((await approve(g, bob, id)).body).toMatchObject({
      status: 'pending_approval',
      approvals: [{ required: 2, given: 1 }],
    });
    expect((await approve(g, cid, id)).body).toMatchObject({ status: 'granted' });
  });

  it('by two people who come at once is whole', async () => {
    const g = world();
    const [requester, ann, bob] = [
      await person(g),
      await person(g, 'security'),
      await person(g, 'security'),
    ];
    const id = await askPending(g, requester, SSNS);
    const answers = await Promise.all([approve(g, ann, id), approve(g, bob, id)]);
    expect(answers.map(({ body }) => body.status).sort()).toEqual(['granted', 'pending_approval']);
    expect((await poll(g, requester, id)).body.status).toBe('granted');
  });

  it('that two policies ask of two roles is not given by one person who holds both', async () => {
    const g = world();
    const [requester, both, finance] = [
      await person(g),
      await person(g, 'finance', 'pci'),
      await person(g, 'finance'),
    ];
    const id = await askPending(g, requester, CARDS);
    const first = await approve(g, both, id);
    expect(first.body).toMatchObject({ status: 'pending_approval' });
    const given = (first.body.approvals ?? []).reduce((sum, approval) => sum + approval.given, 0);
    expect(given).toBe(1);
    expect(await approve(g, both, id)).toMatchObject(decided);
    // The person who holds both fills the seat that the other one cannot.
    expect((await approve(g, finance, id)).body).toMatchObject({ status: 'granted' });
  });

  it('that two policies ask of two roles may come in any order', async () => {
    const g = world();
    for (const order of [
      ['finance', 'pci'],
      ['pci', 'finance'],
    ]) {
      const requester = await person(g);
      const id = await askPending(g, requester, CARDS);
      const statuses: string[] = [];
      for (const role of order)
        statuses.push((await approve(g, await person(g, role), id)).body.status);
      expect(statuses).toEqual(['pending_approval', 'granted']);
    }
  });

  it('is never given by an agent, whatever roles it has', async () => {
    const g = world();
    const requester = await person(g);
    const agent = await g.agent({ name: 'approver bot', roles: ['finance', 'admin'] });
    const id = await askPending(g, requester, AMOUNTS);
    expect(await approve(g, agent, id)).toMatchObject(forbidden);
    expect(await deny(g, agent, id)).toMatchObject(forbidden);
    const list = await g.call<{ approvals: object[] }>(agent, 'GET', '/orgs/acme/approvals');
    expect(list.body.approvals).toEqual([]);
    expect((await poll(g, requester, id)).body.status).toBe('pending_approval');
  });

  it('is not given for oneself, nor for an agent that one owns or made', async () => {
    const g = world();
    const owner = await person(g, 'finance', 'user_admin');
    const email = `person${people}@acme.test`;
    const own = await askPending(g, owner, AMOUNTS);
    expect(await approve(g, owner, own)).toMatchObject(forbidden);
    const owned = await g.agent({ name: 'owned', on_behalf_of: email });
    const made = await g.call<{ token: string }>(owner, 'POST', '/orgs/acme/agent_tokens', {
      name: 'made',
    });
    for (const agent of [owned, made.body.token]) {
      const id = await askPending(g, agent, AMOUNTS);
      expect(await approve(g, owner, id)).toMatchObject(forbidden);
      expect(await deny(g, owner, id)).toMatchObject(forbidden);
      const list = await g.call<{ approvals: ApprovalItem[] }>(
        owner,
        'GET',
        '/orgs/acme/approvals',
      );
      expect(list.body.approvals.map((item) => item.id)).not.toContain(id);
      expect((await poll(g, agent, id)).body.status).toBe('pending_approval');
    }
  });

  it('is nobody’s business who does not hold the role', async () => {
    const g = world();
    const [requester, stranger] = [await person(g), await person(g, 'pci')];
    const id = await askPending(g, requester, AMOUNTS);
    expect(await approve(g, stranger, id)).toMatchObject(missing);
    expect(await deny(g, stranger, id)).toMatchObject(missing);
    expect(await poll(g, stranger, id)).toMatchObject(missing);
    expect(await approve(g, stranger, 'req_unknown')).toMatchObject(missing);
    expect(await approve(g, g.admin, id)).toMatchObject(missing);
  });

  it('that was refused leaves a record', async () => {
    const g = world();
    const requester = await person(g, 'finance');
    const id = await askPending(g, requester, AMOUNTS);
    expect(await approve(g, requester, id)).toMatchObject(forbidden);
    expect(await eventsOf(g, id)).toContain('access.refused');
  });
});

describe('a denial by a person', () => {
  it('is final, and tells the requester the reason', async () => {
    const g = world();
    const [requester, ann, bob] = [
      await person(g),
      await person(g, 'security'),
      await person(g, 'security'),
    ];
    const id = await askPending(g, requester, SSNS);
    await approve(g, ann, id);
    expect(await deny(g, bob, id, 'ask for less')).toMatchObject({
      status: 200,
      body: { status: 'denied', state: 'denied', type: 'approval_denied', reason: 'ask for less' },
    });
    expect((await poll(g, requester, id)).body).toMatchObject({
      status: 'denied',
      type: 'approval_denied',
      reason: 'ask for less',
    });
    expect(await approve(g, await person(g, 'security'), id)).toMatchObject(decided);
    expect(await eventsOf(g, id)).toEqual([
      'request.pending',
      'approval.approved',
      'approval.denied',
      'request.denied',
    ]);
  });

  it('needs a reason', async () => {
    const g = world();
    const [requester, ann] = [await person(g), await person(g, 'finance')];
    const id = await askPending(g, requester, AMOUNTS);
    const answer = await g.call(ann, 'POST', `/orgs/acme/approvals/${id}/deny`, {});
    expect(answer).toMatchObject({ status: 400, body: { type: 'validation' } });
    expect((await poll(g, requester, id)).body.status).toBe('pending_approval');
  });

  it('is possible where an approval is not: the account that asked is disabled', async () => {
    const g = world();
    const requester = await person(g);
    const email = `person${people}@acme.test`;
    const ann = await person(g, 'finance');
    const id = await askPending(g, requester, AMOUNTS);
    await g.call(g.admin, 'POST', `/orgs/acme/users/${email}/disable`, {});
    expect(await approve(g, ann, id)).toMatchObject({ status: 409, body: { type: 'conflict' } });
    expect(await deny(g, ann, id, 'gone')).toMatchObject({
      status: 200,
      body: { state: 'denied' },
    });
  });
});

describe('a pending request', () => {
  it('expires, and nobody can approve it afterwards', async () => {
    const g = await governed(await sqliteShop(), { request_ttl_seconds: 600 });
    await g.deploy(POLICIES);
    const [requester, ann] = [await person(g), await person(g, 'finance')];
    const asked = await ask(g, requester, AMOUNTS);
    const id = asked.body.request_id;
    expect(asked.body.expires_at).toBe(new Date(g.clock.now + 600_000).toISOString());
    g.clock.now += 600_000;
    expect(await approve(g, ann, id)).toMatchObject({
      ...decided,
      body: { details: { state: 'expired' } },
    });
    expect((await poll(g, requester, id)).body).toMatchObject({
      status: 'denied',
      state: 'expired',
      type: 'expired',
    });
    expect(await eventsOf(g, id)).toEqual(['request.pending', 'request.expired']);
    const list = await g.call<{ approvals: object[] }>(ann, 'GET', '/orgs/acme/approvals');
    expect(list.body.approvals).toEqual([]);

    // Approvals that come in the very moment have one outcome, too.
    const bob = await person(g, 'finance');
    const next = await askPending(g, requester, AMOUNTS);
    g.clock.now += 599_999;
    const answers = [approve(g, ann, next)];
    g.clock.now += 1;
    answers.push(approve(g, bob, next));
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    const granted = statuses.filter((status) => status === 200).length;
    const { state } = (await poll(g, requester, next)).body;
    expect([granted, state]).toEqual(granted === 1 ? [1, 'approved'] : [0, 'expired']);
    const final = ['request.granted', 'request.denied', 'request.expired'];
    const ends = (await eventsOf(g, next)).filter((event) => final.includes(event));
    expect(ends).toHaveLength(1);
  });

  it('has one outcome when an approval and its cancelling come at once', async () => {
    const g = world();
    const ann = await person(g, 'finance');
    for (const approvalFirst of [true, false]) {
      const requester = await person(g);
      const id = await askPending(g, requester, AMOUNTS);
      const calls = [
        () => approve(g, ann, id),
        () => g.call<RequestAnswer>(requester, 'POST', `/orgs/acme/requests/${id}/cancel`, {}),
      ];
      const ordered = approvalFirst ? calls : calls.toReversed();
      const answers = await Promise.all(ordered.map((call) => call()));
      // Whoever was first is told yes; cancelling what was just approved takes its grant away.
      const { body } = await poll(g, requester, id);
      expect(body).toMatchObject({ status: 'denied', state: 'cancelled' });
      expect(body.grant_ref).toBeUndefined();
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
      const events = await eventsOf(g, id);
      const granted = events.includes('grant.issued');
      expect(events.includes('grant.revoked')).toBe(granted);
      expect(statuses.includes(409)).toBe(!granted);
      const approved = answers.find((answer) => answer.body.status === 'granted');
      const fetched = approved && (await fetchRows(g, requester, approved.body.grant_ref ?? ''));
      expect(fetched?.status ?? 410).toBe(410);
    }
  });

  it('is not judged by who loses the role in that moment', async () => {
    const g = world();
    for (const judge of [approve, deny] as const) {
      people += 1;
      const email = `leaving${people}@acme.test`;
      const [requester, ann] = [await person(g), await g.user({ email, roles: ['finance'] })];
      const id = await askPending(g, requester, AMOUNTS);
      const path = `/orgs/acme/users/${encodeURIComponent(email)}`;
      const [changed, judged] = await Promise.all([
        g.call(g.admin, 'PATCH', path, { roles: [] }),
        judge(g, ann, id),
      ]);
      expect(changed.status).toBe(200);
      const { records } = (
        await g.call<{ records: { event: string; metadata: { email?: string } }[] }>(
          g.admin,
          'GET',
          '/orgs/acme/audit?limit=20',
        )
      ).body;
      // The log has the order in which it happened: newest first.
      const at = (name: string) => records.findIndex(({ event }) => event === name);
      const step = judge === approve ? 'approval.approved' : 'approval.denied';
      const judgedAt = records.findIndex(
        (record) =>
          record.event === step &&
          'request' in record &&
          (record.request as { request_id: string }).request_id === id,
      );
      if (judged.status === 200) expect(judgedAt).toBeGreaterThan(at('user.updated'));
      else expect([judged.status, judgedAt]).toEqual([404, -1]);
    }
  });

  it('that was cancelled cannot be approved', async () => {
    const g = world();
    const [requester, ann] = [await person(g), await person(g, 'finance')];
    const id = await askPending(g, requester, AMOUNTS);
    const cancelled = await g.call(requester, 'POST', `/orgs/acme/requests/${id}/cancel`, {});
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    expect(await approve(g, ann, id)).toMatchObject(decided);
  });

  it('is judged by the policies of the approval, not of the request', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy(POLICIES);
    const [requester, ann] = [await person(g), await person(g, 'finance')];
    const [denied, masked] = [
      await askPending(g, requester, AMOUNTS),
      await askPending(g, requester, {
        source_table: 'orders',
        columns: ['amount', 'customer_id'],
      }),
    ];
    await g.deploy([
      ...POLICIES,
      'id: mask_ids\nmatch: {fields: {any: [customer_id]}}\naction: {mask: true, mask_type: full}\n',
      'id: deny_ids\nmatch: {dataset: orders, fields: {any: [id]}}\naction: {deny: true, reason: Closed}\n',
    ]);
    expect((await approve(g, ann, denied)).body).toMatchObject({
      status: 'denied',
      type: 'policy_denied',
      policy_id: 'deny_ids',
      reason: 'Closed',
    });
    const granted = await approve(g, ann, masked);
    expect(granted.body).toMatchObject({ status: 'granted', masked_fields: ['customer_id'] });
    const fetched = await fetchRows(g, requester, granted.body.grant_ref ?? '');
    expect(fetched.body).toMatchObject({
      rows: [
        { amount: 12.5, customer_id: '*****' },
        { amount: 30, customer_id: '*****' },
        { amount: 99, customer_id: '*****' },
      ],
      meta: { masked_fields: ['customer_id'] },
    });
  });
});

describe('the time of a grant', () => {
  const expiry = async (g: Governed, asked: object, approval: object) => {
    const [requester, ann] = [await person(g), await person(g, 'finance')];
    const id = await askPending(g, requester, AMOUNTS, asked);
    g.clock.now += 300_000;
    const { body } = await approve(g, ann, id, approval);
    expect(body.status).toBe('granted');
    return (Date.parse(body.expires_at ?? '') - g.clock.now) / 1000;
  };

  it.each([
    ['the policy', {}, {}, 600],
    ['the request, where it is shorter', { ttl_seconds: 400 }, {}, 400],
    ['the approver, where it is shorter', {}, { ttl_seconds: 60 }, 60],
    ['the policy, where others ask for more', { ttl_seconds: 900 }, { ttl_seconds: 1_200 }, 600],
    ['the shortest of all', { ttl_seconds: 120 }, { ttl_seconds: 240 }, 120],
  ])('runs from the approval, and is that of %s', async (_of, asked, approval, seconds) => {
    const g = world();
    expect(await expiry(g, asked, approval)).toBe(seconds);
  });

  it('is the shortest that any of several approvers gave', async () => {
    const g = world();
    const [requester, ann, bob] = [
      await person(g),
      await person(g, 'security'),
      await person(g, 'security'),
    ];
    const id = await askPending(g, requester, SSNS);
    await approve(g, ann, id, { ttl_seconds: 90 });
    g.clock.now += 60_000;
    const { body } = await approve(g, bob, id, { ttl_seconds: 600 });
    expect(Date.parse(body.expires_at ?? '')).toBe(g.clock.now + 90_000);
  });
});

describe('a mask beside an approval', () => {
  it.each([
    ['stays', 'country', sha('US'), ['country']],
    ['is lifted where every approval policy says so', 'email', 'zoe@example.com', []],
  ])('%s', async (_what, field, value, masked) => {
    const g = world();
    const [requester, lead] = [await person(g, 'on_call'), await person(g, 'lead')];
    const aql = { source_table: 'customers', columns: ['id', field], limit: 1 };
    const id = await askPending(g, requester, aql);
    const granted = await approve(g, lead, id);
    expect(granted.body).toMatchObject({ status: 'granted', masked_fields: masked });
    const fetched = await fetchRows(g, requester, granted.body.grant_ref ?? '');
    expect(fetched.body).toMatchObject({
      rows: [{ id: 1, [field]: value }],
      meta: { masked_fields: masked },
    });
  });

  it('is not lifted for who needs no approval', async () => {
    const g = world();
    const aql = { source_table: 'customers', columns: ['id', 'email'], limit: 1 };
    const requester = await person(g);
    const { body } = await ask(g, requester, aql);
    const fetched = await fetchRows(g, requester, body.grant_ref ?? '');
    expect(fetched.body.rows).toEqual([{ id: 1, email: sha('zoe@example.com') }]);
  });
});

it('whoever asks for much hides nobody’s requests from approvers, and cannot have more than some wait', async () => {
  const g = await governed(await sqliteShop());
  await g.deploy(POLICIES);
  const security = await person(g, 'security');
  const first = await askPending(g, await person(g), SSNS);
  const flood = async () => {
    const token = await person(g);
    const statuses: number[] = [];
    for (let index = 0; index < 202; index += 1)
      statuses.push((await ask(g, token, AMOUNTS)).status);
    return statuses;
  };
  // Together more than one page of what waits.
  for (const statuses of await Promise.all([flood(), flood(), flood()])) {
    expect(statuses.filter((status) => status === 200)).toHaveLength(200);
    expect(statuses.slice(200)).toEqual([429, 429]);
  }
  const { body } = await g.call(security, 'GET', '/orgs/acme/approvals?limit=500');
  expect(JSON.stringify(body)).toContain(first);
});
