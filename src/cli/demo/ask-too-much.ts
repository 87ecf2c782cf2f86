import type { App } from '../../app.js';
import type { Aql } from '../../aql/model.js';
import { type Decided, decided, request } from './ask.js';
import type { Page } from './page.js';
import type { People } from './people.js';
import { same, told } from './told.js';

const SELECTED: Aql = { source_table: 'customers', columns: ['city', 'national_id'] };

/** Selects nothing secret, and would still tell whose number this is. */
const FILTERED: Aql = {
  source_table: 'customers',
  columns: ['city'],
  filters: [{ operator: 'eq', field: 'national_id', value: '666-01-4821' }],
};

/** Reads nothing of it at all, and would still tell how many have one. */
const COUNTED: Aql = {
  source_table: 'customers',
  aggregates: [{ func: 'count', field: 'national_id', alias: 'known' }],
};

const POLICY = 'deny_high_sensitivity_without_clearance';

export interface DenialFacts {
  requester: string;
  denials: readonly ({ what: string; aql: Aql } & Decided)[];
}

/** The agent asks for a field it may not touch: selected, filtered by, and counted. */
export async function askTooMuch(app: App, { agent }: People): Promise<DenialFacts> {
  const denials: DenialFacts['denials'][number][] = [];
  for (const [what, aql] of [
    ['select national_id', SELECTED],
    ['filter by national_id', FILTERED],
    ['count national_id', COUNTED],
  ] as const) {
    const decision = decided(await request(app, agent.identity, aql));
    told(decision.status === 'denied', `the agent may not ${what}`);
    told(decision.policy_id === POLICY, `the policy ${POLICY} is why the agent may not ${what}`);
    told(
      same(decision.denied_fields, ['customers.national_id']),
      'the field that was denied is named',
    );
    denials.push({ what, aql, ...decision });
  }
  return { requester: agent.identity.name, denials };
}

export function tellDenial(facts: DenialFacts, page: Page): void {
  page.say(
    'The agent asks for national ids, in three ways. A field that is denied is denied wherever a query touches it: a filter gives a value away as well as a column does.',
  );
  page.blank();
  page.table(facts.denials, [
    { heading: 'the agent tries to', value: ({ what }) => what },
    { heading: 'answer', value: ({ status }) => status, paint: (text) => page.colours.red(text) },
  ]);
  page.blank();
  const [first] = facts.denials;
  page.block([
    `${page.colours.dim('policy'.padEnd(8))}${first?.policy_id ?? ''}`,
    `${page.colours.dim('reason'.padEnd(8))}${first?.reason ?? ''}`,
  ]);
}
