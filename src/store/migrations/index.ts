import { initial } from './0001_initial.js';
import { bundleFacts } from './0002_bundle_facts.js';
import { auditIndex } from './0004_audit_index.js';
import type { Migration } from './migration.js';

/** Every migration, in order. */
export const MIGRATIONS: readonly Migration[] = [initial, bundleFacts, auditIndex];
