import { auditEvent } from './audit-parts.js';
import type { CallMeta, ControlContext } from './context.js';
import type { Identity } from './identity.js';

export interface ForbiddenCall {
  /** What was called, without values: `POST /api/v1/orgs/:org/users`. */
  action: string;
  /** The id the call named. */
  target?: string;
}

const TARGET_CHARACTERS_MAX = 64;

/** Records that somebody who is known tried what they may not do; where it was about a request, under that request. */
export async function recordForbidden(
  ctx: ControlContext,
  identity: Identity,
  { action, target }: ForbiddenCall,
  call: CallMeta,
): Promise<void> {
  const event = auditEvent(ctx, 'access.refused', call, identity);
  const id = target?.slice(0, TARGET_CHARACTERS_MAX);
  await ctx.store.audit.append({
    ...event,
    ...(id?.startsWith('req_') ? { request: { request_id: id } } : {}),
    policy_evaluation: { policies_applied: [], access_granted: false, type: 'forbidden' },
    metadata: { ...event.metadata, action, ...(id === undefined ? {} : { target: id }) },
  });
}
