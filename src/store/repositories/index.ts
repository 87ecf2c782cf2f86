import type { AuditSigner } from '../../audit/seal-record.js';
import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { agentTokensRepository } from './agent-tokens.js';
import { approvalsRepository } from './approvals.js';
import { auditRepository } from './audit.js';
import { auditCheckpointsRepository } from './audit-checkpoints.js';
import { auditSinksRepository } from './audit-sinks.js';
import { bundlesRepository } from './bundles.js';
import { cliLoginsRepository } from './cli-logins.js';
import { datasourcesRepository } from './datasources.js';
import { grantsRepository } from './grants.js';
import { idempotencyRepository } from './idempotency.js';
import { notificationsRepository } from './notifications.js';
import { organisationRepository } from './organisation.js';
import { requestsRepository } from './requests.js';
import { secretsRepository } from './secrets.js';
import { sessionsRepository } from './sessions.js';
import { ticketsRepository } from './tickets.js';
import { usersRepository } from './users.js';

/** Every repository over the database, or over one transaction in it. */
export function repositories(db: Db, signer: AuditSigner): StoreRepositories {
  return {
    organisation: organisationRepository(db),
    users: usersRepository(db),
    sessions: sessionsRepository(db),
    agentTokens: agentTokensRepository(db),
    cliLogins: cliLoginsRepository(db),
    bundles: bundlesRepository(db),
    requests: requestsRepository(db),
    approvals: approvalsRepository(db),
    grants: grantsRepository(db),
    datasources: datasourcesRepository(db),
    secrets: secretsRepository(db),
    tickets: ticketsRepository(db),
    notifications: notificationsRepository(db),
    idempotency: idempotencyRepository(db),
    audit: auditRepository(db, signer),
    auditCheckpoints: auditCheckpointsRepository(db),
    auditSinks: auditSinksRepository(db),
  };
}
