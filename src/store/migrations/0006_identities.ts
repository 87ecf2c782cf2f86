import type { Migration } from './migration.js';

/**
 * Accounts of an identity provider, how a session began, the datasources an agent is kept to, and logins in a browser that
 * wait for the command line to fetch them.
 */
export const identities: Migration = {
  version: 6,
  name: '0006_identities',
  statements: [
    `alter table users add column login text not null default 'password'`,
    'alter table users add column oidc_subject text',
    // Two accounts of one person at the provider would be two answers to who that is; null is nobody's.
    'create unique index users_by_oidc_subject on users (oidc_subject)',
    `alter table sessions add column method text not null default 'password'`,
    'alter table sessions add column client text',
    'alter table sessions add column address text',
    'create index sessions_by_time on sessions (created_at, id)',
    'alter table agent_tokens add column datasources text',
    `create table cli_logins (
      code_hash text primary key not null,
      challenge text not null,
      user_id text not null references users (id),
      expires_at text not null
    )`,
  ],
};
