import { initial } from './0001_initial.js';
import { bundleFacts } from './0002_bundle_facts.js';
import { datasources } from './0003_datasources.js';
import { auditIndex } from './0004_audit_index.js';
import { auditCheckpoints } from './0005_audit_checkpoints.js';
import { identities } from './0006_identities.js';
import { notifications } from './0007_notifications.js';
import { tickets } from './0008_tickets.js';
import type { Migration } from './migration.js';

/** Every migration, in order. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  bundleFacts,
  datasources,
  auditIndex,
  auditCheckpoints,
  identities,
  notifications,
  tickets,
];
