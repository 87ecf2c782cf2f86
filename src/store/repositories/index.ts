import type { AuditSigner } from '../../audit/seal-record.js';
import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { agentTokensRepository } from './agent-tokens.js';
import { approvalsRepository } from './approvals.js';
import { auditRepository } from './audit.js';
import { bundlesRepository } from './bundles.js';
import { datasourcesRepository } from './datasources.js';
import { grantsRepository } from './grants.js';
import { idempotencyRepository } from './idempotency.js';
import { notificationsRepository } from './notifications.js';
import { organisationRepository } from './organisation.js';
import { requestsRepository } from './requests.js';
import { secretsRepository } from './secrets.js';
import { sessionsRepository } from './sessions.js';
import { usersRepository } from './users.js';

/** Every repository over the database, or over one transaction in it. */
export function repositories(
  db: Db,
  signer: AuditSigner,
  onAccounts: () => void,
): StoreRepositories {
  return {
    organisation: organisationRepository(db),
    users: announcing(usersRepository(db), onAccounts, ['insert', 'update']),
    sessions: announcing(sessionsRepository(db), onAccounts, ['insert', 'revoke', 'revokeAllOf']),
    agentTokens: announcing(agentTokensRepository(db), onAccounts, ['insert', 'revoke']),
    bundles: bundlesRepository(db),
    requests: requestsRepository(db),
    approvals: approvalsRepository(db),
    grants: grantsRepository(db),
    datasources: datasourcesRepository(db),
    secrets: secretsRepository(db),
    notifications: notificationsRepository(db),
    idempotency: idempotencyRepository(db),
    audit: auditRepository(db, signer),
  };
}

/** The repository, which tells before each of these methods changes something, and once it has. */
function announcing<R extends object>(repository: R, tell: () => void, changes: (keyof R)[]): R {
  const told = { ...repository };
  for (const name of changes) {
    const change = repository[name] as (...args: unknown[]) => Promise<unknown>;
    told[name] = (async (...args: unknown[]) => {
      tell();
      try {
        return await change(...args);
      } finally {
        tell();
      }
    }) as R[keyof R];
  }
  return told;
}
