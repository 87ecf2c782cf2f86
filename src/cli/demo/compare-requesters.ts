import { createHash } from 'node:crypto';
import type { App } from '../../app.js';
import type { Aql } from '../../aql/model.js';
import { FULL_TEXT } from '../../masking/full.js';
import { escapeTerminal } from '../../util/escape.js';
import { wrap } from '../../util/wrap.js';
import { compiledSql, type Fetched, fetchRows, request } from './ask.js';
import { type Page, sideBySide } from './page.js';
import type { Party, People } from './people.js';
import { same, told } from './told.js';

/** Who of the gold customers can be reached where. */
const QUERY: Aql = {
  source_table: 'customers',
  columns: ['city', 'email', 'phone'],
  filters: [{ operator: 'eq', field: 'loyalty_tier', value: 'gold' }],
  order_by: [{ column: 'city', direction: 'ASC' }],
};

/** What lib/demo/shop.sql holds for it. */
const EMAILS = ['paula@example.com', 'ines@example.com', 'saskia@example.com', 'mara@example.com'];

export interface Seen extends Fetched {
  requester: string;
  masked_fields: readonly string[];
  /** The statement the database was given. */
  sql: string;
}

export interface ComparisonFacts {
  aql: Aql;
  analyst: Seen;
  agent: Seen;
}

/** The same query by a person and by an agent: contact data comes in clear or hashed, a phone number to neither. */
export async function compareRequesters(
  app: App,
  { analyst, agent }: People,
): Promise<ComparisonFacts> {
  const facts = { aql: QUERY, analyst: await see(app, analyst), agent: await see(app, agent) };
  const emails = (seen: Seen) => seen.rows.map(({ email }) => email);
  const hashes = EMAILS.map((email) => createHash('sha256').update(email).digest('hex'));
  told(same(emails(facts.analyst), EMAILS), 'the analyst sees the addresses as they are');
  told(same(emails(facts.agent), hashes), 'the agent sees the SHA-256 of each address');
  for (const seen of [facts.analyst, facts.agent]) {
    told(
      seen.rows.every(({ phone }) => phone === FULL_TEXT),
      'nobody sees a phone number',
    );
  }
  told(same(facts.analyst.masked_fields, ['phone']), 'the analyst is told what is masked');
  told(same(facts.agent.masked_fields, ['email', 'phone']), 'the agent is told what is masked');
  return facts;
}

async function see(app: App, { identity }: Party): Promise<Seen> {
  const answer = await request(app, identity, QUERY);
  told(answer.status === 'granted', `the query is granted to ${identity.name}`);
  const fetched = await fetchRows(app, identity, answer.grant_ref ?? '');
  return {
    requester: identity.name,
    ...fetched,
    masked_fields: answer.masked_fields ?? [],
    sql: await compiledSql(app, identity, QUERY),
  };
}

/** A hash is 64 characters long; what tells two apart is in the first ones. */
const CELL_CHARACTERS_MAX = 18;
const SQL_LINES_MAX = 6;

export function tellComparison(facts: ComparisonFacts, page: Page): void {
  page.command("vkit request --aql '…'");
  page.say(`Both ask for ${facts.aql.columns?.join(', ')} of the gold customers:`);
  page.blank();
  page.block(
    sideBySide(
      seenLines('The analyst sees', facts.analyst, page),
      seenLines('The AI agent sees', facts.agent, page),
      page.width - 2,
    ),
  );
  page.blank();
  page.say(
    "The agent can still tell customers apart and count them, and reads no address. (Who can guess an address can check its hash; the mask full hides it altogether.) Masks are part of the SQL that the database runs, so a raw value never leaves it. The agent's query:",
  );
  page.blank();
  const sql = wrap(escapeTerminal(facts.agent.sql.replace(/\s+/g, ' ')), page.width - 4);
  const shown = sql.length > SQL_LINES_MAX ? [...sql.slice(0, SQL_LINES_MAX), '…'] : sql;
  page.block(shown.map((line) => page.colours.dim(`  ${line}`)));
}

/** A small table with a line under its headings that says how a column is masked. */
function seenLines(title: string, seen: Seen, { colours }: Page): string[] {
  const columns = seen.columns.map(({ name, masked }) => {
    const cells = seen.rows.map((row) => shorten(escapeTerminal(String(row[name] ?? ''))));
    const mark = masked === null ? 'as it is' : `mask: ${masked}`;
    const width = Math.max(...[name, mark, ...cells].map(({ length }) => length));
    const paint = masked === null ? (text: string) => text : colours.yellow;
    return [
      colours.bold(name.padEnd(width)),
      colours.dim(mark.padEnd(width)),
      ...cells.map((cell) => paint(cell.padEnd(width))),
    ];
  });
  const height = columns[0]?.length ?? 0;
  const lines = Array.from({ length: height }, (_, index) =>
    columns.map((column) => column[index] ?? '').join('  '),
  );
  return [
    `${colours.underline(title)} ${colours.dim(`(${escapeTerminal(seen.requester)})`)}`,
    ...lines,
  ];
}

function shorten(text: string): string {
  return text.length <= CELL_CHARACTERS_MAX ? text : `${text.slice(0, CELL_CHARACTERS_MAX - 8)}…`;
}
