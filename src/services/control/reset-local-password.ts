import { existsSync } from 'node:fs';
import type { UserBody } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import { databasePath } from '../../store/data-directory.js';
import type { StoreRepositories, UserRow } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { openState, type StateOptions } from '../open-state.js';
import { hashPassword } from '../passwords.js';
import { auditEvent } from './audit-parts.js';
import { timestamp } from './context.js';
import { userBody } from './manage-users.js';

export interface LocalPasswordReset {
  /** The state: of a server that is stopped, or of a team in PostgreSQL, which may be running. */
  state: Omit<StateOptions, 'now'>;
  /** An id or an email address; absent: the one administrator there is. */
  user?: string;
  password: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** `vkit/0.1.0`, for the audit log. */
  client: string;
}

/** Administrators that are looked through for the one who is meant. */
const USERS_MAX = 1_000;

/**
 * Sets a password in the state itself, ends the account's sessions and records it as done by whoever has the files. Throws
 * `conflict` while a server has the state, `not_found` where there is no state or no such user.
 */
export async function resetLocalPassword(reset: LocalPasswordReset): Promise<UserBody> {
  const { now } = reset;
  const { dataDir, databaseUrl } = reset.state;
  // Opening would make an empty state, which helps nobody who has lost a password.
  if (databaseUrl === undefined && !existsSync(databasePath(dataDir))) {
    throw new VkitError('not_found', `There is no server's state in ${dataDir}.`, {
      hint: 'Name the --data-dir that vkit serve has.',
    });
  }
  const passwordHash = await hashPassword(reset.password);
  const { store } = await openState({ ...reset.state, now });
  try {
    return await store.transaction(async (tx) => {
      const user = await findUser(tx, reset.user);
      await tx.users.update(user.id, { password_hash: passwordHash, login: 'password' });
      await tx.sessions.revokeAllOf(user.id, timestamp(now()));
      const call = { correlationId: randomId('cor'), client: reset.client };
      const event = auditEvent({ now }, 'user.password_reset', call, null);
      await tx.audit.append({
        ...event,
        requester: { user_id: 'local', kind: 'system' },
        metadata: { ...event.metadata, user_id: user.id, email: user.email, local: true },
      });
      return userBody(user);
    });
  } finally {
    await store.close();
  }
}

async function findUser(tx: StoreRepositories, name: string | undefined): Promise<UserRow> {
  if (name !== undefined) {
    const found =
      (await tx.users.byId(name)) ?? (await tx.users.byEmail(name.trim().toLowerCase()));
    if (found) return found;
    throw new VkitError('not_found', `There is no user ${name.slice(0, 64)}.`);
  }
  const administrators = (await tx.users.withRole('admin', USERS_MAX)).filter(
    ({ disabled_at }) => disabled_at === null,
  );
  const [only] = administrators;
  if (only && administrators.length === 1) return only;
  const emails = administrators.map(({ email }) => email);
  throw new VkitError('usage', '--id is missing, and there is not exactly one administrator.', {
    ...(emails.length > 0 ? { hint: `The administrators are: ${emails.join(', ')}.` } : {}),
    details: { flag: '--id', administrators: emails },
  });
}
