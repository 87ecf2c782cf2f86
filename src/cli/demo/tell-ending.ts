import { escapeTerminal } from '../../util/escape.js';
import { ORG } from './open-shop.js';
import type { Page } from './page.js';
import { ADMIN_EMAIL, type People } from './people.js';
import type { Workspace } from './workspace.js';

const COMMAND_WIDTH = 36;

export function tellBeginning(page: Page, embedded: boolean): void {
  page.blank();
  page.block([page.colours.bold('vkit demo')]);
  page.blank();
  page.say(
    'vkit stands between databases and whoever queries them, people and AI agents. It decides who sees which column, masks what they may not see inside the query itself, and keeps a record that nobody can quietly change.',
  );
  page.say(`Everything below really happens${embedded ? ', on this machine alone' : ''}.`);
}

export function tellEnding(
  page: Page,
  { root, kept }: Workspace,
  { seconds, serve, inCheckout }: { seconds: number; serve: boolean; inCheckout: boolean },
): void {
  const { colours } = page;
  const line = (text: string, what: string) => `${text.padEnd(COMMAND_WIDTH)}${colours.dim(what)}`;
  page.blank();
  page.block([
    colours.green(`✓ Every step came out as told, in ${seconds.toFixed(1)} s.`) +
      (kept || serve ? '' : colours.dim(' Nothing of it is left behind.')),
  ]);
  if (kept) {
    page.blank();
    page.say(`The project is in ${root}:`);
    page.blank();
    page.block([
      line('config/', 'registry, policies, datasource'),
      line('dist/policy_bundle.json', 'the signed bundle'),
      line('dist/audit.jsonl', 'the audit log; beside it the changed copy'),
      line('.vkit/', "keys, and the server's state; not in Git"),
    ]);
  }
  if (serve) return;
  page.blank();
  page.block(
    inCheckout
      ? [
          line('npm run demo -- --serve', 'try your own queries against this shop'),
          line('node bin/run.js --help', 'every command; more in docs/'),
          line('README.md', 'five minutes on your own database'),
        ]
      : [
          line('vkit init --with starter,ai_safety', 'a project for your own database'),
          line('vkit demo --serve', 'try your own queries against this shop'),
          line('vkit --help', 'every command; more in docs/'),
        ],
  );
}

/** What a person needs to try the server that is left running. Secrets are shown here and nowhere else. */
export interface ServingFacts {
  url: string;
  org: string;
  accounts: readonly { name: string; what: string; password?: string; token?: string }[];
}

export function servingFacts(url: string, people: People): ServingFacts {
  const { admin, analyst, officer, agent } = people;
  return {
    url,
    org: ORG,
    accounts: [
      { name: analyst.identity.name, what: 'role analyst', password: analyst.secret },
      { name: officer.identity.name, what: 'role security', password: officer.secret },
      { name: ADMIN_EMAIL, what: 'role admin', password: admin.secret },
      { name: agent.identity.name, what: 'AI agent', token: agent.secret },
    ],
  };
}

const QUERY = '{"source_table": "customers", "columns": ["city", "email"], "limit": 3}';

export function tellServing(
  page: Page,
  { url, accounts }: ServingFacts,
  inCheckout: boolean,
): void {
  const vkit = inCheckout ? 'node bin/run.js' : 'vkit';
  const token = accounts.find((account) => account.token !== undefined)?.token ?? '';
  page.blank();
  page.block([page.colours.bold(`The server is running at ${url}`)]);
  page.say('Accounts, with passwords that are shown this once:');
  page.blank();
  page.table(accounts, [
    { heading: 'account', value: ({ name }) => name },
    { heading: 'is', value: ({ what }) => what },
    { heading: 'password or token', value: ({ password, token: own }) => password ?? own ?? '' },
  ]);
  page.blank();
  page.say('In another terminal, as the agent:');
  page.blank();
  page.block([
    `export VKIT_API_URL=${escapeTerminal(url)}`,
    `AQL='${QUERY}'`,
    `VKIT_TOKEN=${escapeTerminal(token)} \\`,
    `  ${vkit} request --wait --aql "$AQL"`,
  ]);
  page.blank();
  page.say('And the same as the analyst:');
  page.blank();
  page.block([
    `${vkit} login --email ${escapeTerminal(accounts[0]?.name ?? '')}`,
    `${vkit} request --wait --aql "$AQL"`,
  ]);
  page.blank();
  page.say('Ctrl-C stops it and removes everything but a folder you chose to keep.');
}
