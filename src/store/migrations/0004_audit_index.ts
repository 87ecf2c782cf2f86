import type { Migration } from './migration.js';

/**
 * A record is appended to one table, in the order of its key; what it can be found by stands in another, which is filled for
 * many records at once. In SQLite a key is the row's own number only where its type is called `integer`.
 */
export const auditIndex: Migration = {
  version: 4,
  name: '0004_audit_index',
  statements: [
    `create table audit_log (
      seq integer primary key not null,
      hash text not null,
      event text not null,
      timestamp text not null,
      user_id text,
      dataset text,
      request_id text,
      record text not null
    )`,
    `insert into audit_log
      select seq, hash, event, timestamp, user_id, dataset, request_id, record from audit_records order by seq`,
    'drop table audit_records',
    'alter table audit_log rename to audit_records',
    `create table audit_index (
      seq integer primary key not null,
      event text not null,
      timestamp text not null,
      user_id text,
      dataset text,
      request_id text
    )`,
    `insert into audit_index
      select seq, event, timestamp, user_id, dataset, request_id from audit_records`,
    'create index audit_index_by_time on audit_index (timestamp)',
    'create index audit_index_by_event on audit_index (event, seq)',
    'create index audit_index_by_user on audit_index (user_id, seq)',
    'create index audit_index_by_dataset on audit_index (dataset, seq)',
    'create index audit_index_by_request on audit_index (request_id, seq)',
  ],
};
