import { randomBytes } from 'node:crypto';
import type { App } from '../../app.js';
import { VkitError } from '../../errors/index.js';
import type { CallMeta } from '../../services/control/context.js';
import { authenticate, type Identity, loadIdentity } from '../../services/control/identity.js';
import { createAgentToken } from '../../services/control/manage-agent-tokens.js';
import { createUser } from '../../services/control/manage-users.js';
import { randomId } from '../../util/random-id.js';
import { REGION } from './open-shop.js';

export const ADMIN_EMAIL = 'admin@shop.test';

/** Somebody who asks or approves. The secret is a password or a token, and is shown by `--serve` alone. */
export interface Party {
  identity: Identity;
  secret: string;
}

export interface People {
  admin: Party;
  analyst: Party;
  officer: Party;
  agent: Party;
}

/** One call of somebody, for the audit log. */
export function newCall(): CallMeta {
  return { correlationId: randomId('cor'), client: 'vkit demo' };
}

/** Two people and an agent, made by the administrator of the first start. */
export async function makePeople(app: App): Promise<People> {
  const { context, generatedPassword } = app;
  const admin = {
    identity: await identityOf(app, (await context.store.users.byEmail(ADMIN_EMAIL))?.id ?? ''),
    secret: generatedPassword ?? '',
  };
  const person = async (email: string, role: string): Promise<Party> => {
    const password = randomBytes(18).toString('base64url');
    const account = { email, password, roles: [role], clearance: 'high', region: REGION };
    const user = await createUser(context, admin.identity, { ...account, purposes: [] }, newCall());
    return { identity: await identityOf(app, user.id), secret: password };
  };
  const [analyst, officer] = await Promise.all([
    person('analyst@shop.test', 'analyst'),
    person('security@shop.test', 'security'),
  ]);
  const { token = '' } = await createAgentToken(
    context,
    admin.identity,
    {
      name: 'support-bot',
      roles: [],
      clearance: 'medium',
      region: REGION,
      purposes: [],
      datasources: null,
      onBehalfOf: null,
      expiresInSeconds: 86_400,
    },
    newCall(),
  );
  const agent = {
    identity: await authenticate(context.store, token, context.now()),
    secret: token,
  };
  return { admin, analyst, officer, agent };
}

async function identityOf({ context }: App, userId: string): Promise<Identity> {
  const identity = await loadIdentity(context.store, 'user', userId, context.now());
  if (identity !== null) return identity;
  throw new VkitError('internal', 'An account of the demo is missing.');
}
