import type { Notice, NoticeEvent } from '../../notify/notice.js';
import type { RequestRow, StoreRepositories } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { requiredByRole } from './approvals-given.js';
import { type ControlContext, timestamp } from './context.js';

export interface NoticeInput {
  event: NoticeEvent;
  row: RequestRow;
  grantId?: string;
  /** Who did it, by address or name. */
  by?: string;
  expiresAt?: string;
}

/**
 * Puts a message for each channel that is to have it into the outbox, in the transaction of the thing itself: it is sent if, and
 * only if, that happened.
 */
export async function notify(
  ctx: Pick<ControlContext, 'org' | 'now' | 'notifications'>,
  tx: Pick<StoreRepositories, 'notifications' | 'users' | 'agentTokens'>,
  input: NoticeInput,
): Promise<void> {
  const roles = [...requiredByRole(input.row.decision?.approvals ?? []).keys()];
  const routes = ctx.notifications.filter(
    ({ events, approverRoles }) =>
      (events?.includes(input.event) ?? true) &&
      (approverRoles?.some((role) => roles.includes(role)) ?? true),
  );
  if (routes.length === 0) return;
  const at = timestamp(ctx.now());
  const notice = await noticeOf(ctx.org, at, roles, tx, input);
  for (const { channel } of routes) {
    await tx.notifications.insert({
      id: randomId('ntf'),
      channel,
      state: 'waiting',
      notice: { ...notice },
      created_at: at,
      attempts: 0,
      next_attempt_at: at,
      last_error: null,
    });
  }
}

/** A word of a vocabulary; what is longer or has spaces was written for one request and may hold anything. */
const PLAIN_WORD = /^[a-z][a-z_-]{0,39}$/;

async function noticeOf(
  org: string,
  at: string,
  roles: readonly string[],
  tx: Pick<StoreRepositories, 'users' | 'agentTokens'>,
  { event, row, grantId, by, expiresAt }: NoticeInput,
): Promise<Notice> {
  const { requester_kind: kind, requester_id: id, purpose, decision } = row;
  const account =
    kind === 'user' ? (await tx.users.byId(id))?.email : (await tx.agentTokens.byId(id))?.name;
  return {
    event,
    at,
    org,
    request_id: row.id,
    ...(grantId === undefined ? {} : { grant_id: grantId }),
    requester: account ?? id,
    requester_kind: kind,
    dataset: row.aql.source_table,
    datasource: row.datasource,
    ...(purpose !== null && PLAIN_WORD.test(purpose) ? { purpose } : {}),
    ...(decision?.policy_id ? { policy_id: decision.policy_id } : {}),
    approver_roles: roles,
    ...(by === undefined ? {} : { by }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
  };
}
