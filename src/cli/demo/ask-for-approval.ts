import type { App } from '../../app.js';
import type { Aql } from '../../aql/model.js';
import { VkitError } from '../../errors/index.js';
import { approveRequest } from '../../services/control/decide-approval.js';
import { type Decided, decided, type Fetched, fetchRows, request } from './ask.js';
import type { Page } from './page.js';
import { newCall, type People } from './people.js';
import { same, told } from './told.js';

const QUERY: Aql = {
  source_table: 'payments',
  columns: ['id', 'card_number', 'paid_on'],
  filters: [{ operator: 'eq', field: 'state', value: 'disputed' }],
  order_by: [{ column: 'id', direction: 'ASC' }],
};

/** What lib/demo/shop.sql holds for it. */
const CARDS = ['4000056655665556', '4012888888881881', '371449635398431'];

const REASON = 'The bank asks which cards these disputes are about';
const NOTES = 'Three rows, for the bank';

export interface ApprovalFacts {
  aql: Aql;
  requester: string;
  request_id: string;
  asked: Decided;
  approver_role: string;
  /** What the requester was told who tried to approve their own request. */
  own_approval: { code: string; message: string };
  approver: string;
  approved: { status: string; expires_in_seconds: number };
  answer: Fetched;
}

/** The analyst asks for card numbers, waits, cannot approve that alone, and reads them after somebody else has. */
export async function askForApproval(app: App, people: People): Promise<ApprovalFacts> {
  const { context } = app;
  const { identity: analyst } = people.analyst;
  const { identity: officer } = people.officer;
  const asked = await request(app, analyst, QUERY, { reason: REASON });
  told(asked.status === 'pending_approval', "the analyst's request waits");
  told(asked.grant_ref === undefined, 'a request that waits has no grant');
  const own = await refusal(() => approveRequest(context, analyst, asked.id, {}, newCall()));
  told(own?.code === 'forbidden', 'nobody approves a request of their own');
  const approved = await approveRequest(context, officer, asked.id, { notes: NOTES }, newCall());
  told(approved.status === 'granted', 'one approval of the role that was asked is enough');
  const answer = await fetchRows(app, analyst, approved.grant_ref ?? '');
  told(
    same(
      answer.rows.map(({ card_number }) => card_number),
      CARDS,
    ),
    'the rows come after the approval',
  );
  const seconds = (Date.parse(approved.expires_at ?? '') - context.now()) / 1000;
  return {
    aql: QUERY,
    requester: analyst.name,
    request_id: asked.id,
    asked: decided(asked),
    approver_role: asked.approver_role ?? '',
    own_approval: own,
    approver: officer.name,
    approved: { status: approved.status, expires_in_seconds: Math.round(seconds) },
    answer,
  };
}

async function refusal(
  attempt: () => Promise<unknown>,
): Promise<{ code: string; message: string } | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof VkitError)) throw error;
    return { code: error.code, message: error.message };
  }
}

export function tellApproval(facts: ApprovalFacts, page: Page): void {
  const { colours } = page;
  page.say(
    'The analyst needs the card numbers of the disputed payments. That is for somebody else to decide:',
  );
  page.blank();
  const minutes = Math.round(facts.approved.expires_in_seconds / 60);
  const rows = `${facts.answer.rows.length} rows`;
  const steps = [
    {
      who: 'analyst',
      does: 'asks',
      outcome: 'waits',
      paint: colours.yellow,
      why: `Needs an approval by ${facts.approver_role}`,
    },
    {
      who: 'analyst',
      does: 'approves it',
      outcome: 'refused',
      paint: colours.red,
      why: 'Nobody approves a request of their own',
    },
    {
      who: facts.approver_role,
      does: 'approves it',
      outcome: 'granted',
      paint: colours.green,
      why: `This query alone, for ${minutes} minutes`,
    },
    { who: 'analyst', does: 'fetches', outcome: rows, paint: colours.green, why: '' },
  ];
  page.table(steps, [
    { heading: 'who', value: ({ who }) => who },
    { heading: 'does', value: ({ does }) => does },
    {
      heading: 'outcome',
      value: ({ outcome }) => outcome,
      paint: (text, { paint }) => paint(text),
    },
    { heading: '', value: ({ why }) => why },
  ]);
  page.blank();
  page.aside(`Policy ${facts.asked.policy_id ?? ''}: ${facts.asked.reason ?? ''}.`);
  page.blank();
  page.table(facts.answer.rows, [
    { heading: 'payment', value: ({ id }) => String(id), align: 'right' },
    { heading: 'card_number', value: ({ card_number }) => String(card_number) },
    { heading: 'paid_on', value: ({ paid_on }) => String(paid_on) },
  ]);
}
