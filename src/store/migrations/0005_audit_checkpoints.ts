import type { Migration } from './migration.js';

/** What is signed of the audit log as a whole, and how far each place it is sent to has come. */
export const auditCheckpoints: Migration = {
  version: 5,
  name: '0005_audit_checkpoints',
  statements: [
    `create table audit_checkpoints (
      seq integer primary key not null,
      timestamp text not null,
      jws text not null
    )`,
    `create table audit_sinks (
      name text primary key not null,
      type text not null,
      seq integer not null,
      checkpoint_seq integer not null,
      delivered_at text,
      failures integer not null,
      failed_at text,
      last_error text
    )`,
  ],
};
