import type { Migration } from './migration.js';

/** Everything the first version of the server keeps. */
export const initial: Migration = {
  version: 1,
  name: '0001_initial',
  statements: [
    `create table organisation (
      only_row integer primary key check (only_row = 1),
      slug text not null,
      epoch integer not null check (epoch >= 0),
      highest_sequence bigint,
      created_at text not null
    )`,
    `create table users (
      id text primary key not null,
      email text not null unique,
      password_hash text not null,
      roles text not null,
      clearance text,
      region text,
      purposes text not null,
      created_at text not null,
      disabled_at text
    )`,
    `create table sessions (
      id text primary key not null,
      user_id text not null references users (id),
      token_hash text not null unique,
      created_at text not null,
      expires_at text not null,
      revoked_at text
    )`,
    'create index sessions_by_user on sessions (user_id)',
    `create table agent_tokens (
      id text primary key not null,
      name text not null,
      prefix text not null,
      token_hash text not null unique,
      roles text not null,
      clearance text,
      region text,
      purposes text not null,
      on_behalf_of text references users (id),
      created_by text not null,
      created_at text not null,
      expires_at text,
      revoked_at text
    )`,
    'create index agent_tokens_by_prefix on agent_tokens (prefix)',
    `create table bundles (
      version integer primary key not null,
      checksum text not null unique,
      sequence bigint not null,
      state text not null check (state in ('uploaded', 'active', 'superseded', 'revoked')),
      document text not null,
      uploaded_by text not null,
      uploaded_at text not null,
      activated_at text,
      state_reason text
    )`,
    // Two active bundles would be two answers to one question.
    `create unique index bundles_one_active on bundles (state) where state = 'active'`,
    `create table requests (
      id text primary key not null,
      requester_kind text not null check (requester_kind in ('user', 'agent')),
      requester_id text not null,
      aql text not null,
      aql_hash text not null,
      datasource text not null,
      purpose text,
      reason text,
      metadata text not null,
      narrowing text not null,
      ttl_seconds integer,
      state text not null check (state in ('pending', 'approved', 'denied', 'expired', 'cancelled')),
      denial_type text,
      state_reason text,
      decision text,
      masked_fields text not null,
      created_at text not null,
      expires_at text not null,
      decided_at text
    )`,
    'create index requests_by_time on requests (created_at, id)',
    'create index requests_by_requester on requests (requester_id, created_at, id)',
    'create index requests_by_state on requests (state, created_at, id)',
    `create table approvals (
      request_id text not null references requests (id),
      approver_id text not null,
      verdict text not null check (verdict in ('approved', 'denied')),
      notes text,
      ttl_seconds integer,
      roles text not null,
      created_at text not null,
      primary key (request_id, approver_id)
    )`,
    `create table grants (
      id text primary key not null,
      request_id text not null unique references requests (id),
      requester_id text not null,
      datasource text not null,
      jwt text not null,
      bundle_checksum text not null,
      epoch integer not null,
      created_at text not null,
      expires_at text not null,
      revoked_at text,
      revoke_reason text
    )`,
    'create index grants_by_expiry on grants (expires_at)',
    `create table idempotency (
      requester_id text not null,
      route text not null,
      key text not null,
      body_hash text not null,
      request_id text not null,
      created_at text not null,
      primary key (requester_id, route, key)
    )`,
    `create table audit_records (
      seq bigint primary key not null,
      audit_id text not null unique,
      hash text not null,
      event text not null,
      timestamp text not null,
      user_id text,
      dataset text,
      request_id text,
      record text not null
    )`,
    'create index audit_records_by_time on audit_records (timestamp)',
    'create index audit_records_by_event on audit_records (event, seq)',
    'create index audit_records_by_user on audit_records (user_id, seq)',
    'create index audit_records_by_dataset on audit_records (dataset, seq)',
    'create index audit_records_by_request on audit_records (request_id, seq)',
  ],
};
