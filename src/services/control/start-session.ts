import type { SessionRow, StoreRepositories } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { newToken } from '../token-secrets.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';

/** Makes a session and its token, which is stored as a hash, in the caller's transaction. */
export async function startSession(
  ctx: Pick<ControlContext, 'now' | 'settings'>,
  tx: StoreRepositories,
  { userId, method }: { userId: string; method: SessionRow['method'] },
  call: CallMeta,
): Promise<{ token: string; expiresAt: string }> {
  const { token, hash } = newToken('vks_');
  const now = ctx.now();
  const expiresAt = timestamp(now + ctx.settings.sessionTtlSeconds * 1000);
  await tx.sessions.insert({
    id: randomId('ses'),
    user_id: userId,
    token_hash: hash,
    created_at: timestamp(now),
    expires_at: expiresAt,
    revoked_at: null,
    method,
    client: call.client ?? null,
    address: call.address ?? null,
  });
  return { token, expiresAt };
}
