import type { ApprovalItem, RequestAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { RequestRow, StoreRepositories } from '../../store/model.js';
import { mayJudge, presentVoices, requiredByRole } from './approvals-given.js';
import { auditEvent, auditRequest } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, loadIdentity } from './identity.js';
import { notify } from './notify.js';
import { type AnswerParts, approvalItem, requestAnswer } from './request-answer.js';

/** Requests a list holds at most. */
export const LIST_MAX = 500;

/**
 * The request, after its clock was looked at: a pending one past its time becomes `expired`, with its record, before
 * anybody acts on it. Throws `not_found`.
 */
export async function loadRequest(
  ctx: ControlContext,
  tx: StoreRepositories,
  id: string,
  call: CallMeta,
): Promise<RequestRow> {
  const row = await tx.requests.byId(id);
  if (!row) throw noSuchRequest(id);
  if (row.state !== 'pending' || row.expires_at > timestamp(ctx.now())) return row;
  const change = {
    state: 'expired',
    denial_type: 'expired',
    state_reason: 'Nobody approved the request in time.',
    decided_at: timestamp(ctx.now()),
  } as const;
  if (await tx.requests.transition(id, 'pending', change)) {
    await tx.audit.append({
      ...auditEvent(ctx, 'request.expired', call, null),
      request: auditRequest(ctx, row),
    });
    await notify(ctx, tx, { event: 'approval.expired', row });
  }
  return { ...row, ...change };
}

export function noSuchRequest(id: string): VkitError {
  return new VkitError('not_found', `There is no request ${id.slice(0, 64)}.`, {
    hint: 'See: vkit requests list',
  });
}

/** The parts of an answer about a request, read now. */
export async function answerParts(
  ctx: ControlContext,
  tx: StoreRepositories,
  row: RequestRow,
  call: CallMeta,
): Promise<AnswerParts> {
  const requester = await loadIdentity(tx, row.requester_kind, row.requester_id, ctx.now());
  const voices = requester
    ? await presentVoices(tx, await tx.approvals.ofRequest(row.id), requester, ctx.now())
    : [];
  return {
    row,
    grant: await tx.grants.byRequest(row.id),
    voices,
    requester: requester?.name ?? row.requester_id,
    correlationId: call.correlationId,
  };
}

/** One's own request, or one that waits for a role one holds; everything else is `not_found`. */
export async function showRequest(
  ctx: ControlContext,
  identity: Identity,
  id: string,
  call: CallMeta,
): Promise<RequestAnswer> {
  return ctx.store.transaction(async (tx) => {
    const row = await loadRequest(ctx, tx, id, call);
    if (row.requester_id !== identity.id && !awaits(row, identity)) throw noSuchRequest(id);
    const parts = await answerParts(ctx, tx, row, call);
    return row.requester_id === identity.id ? requestAnswer(parts) : approvalItem(parts);
  });
}

/** One's own requests, newest first. */
export async function listRequests(
  ctx: ControlContext,
  identity: Identity,
  filter: { states?: readonly RequestRow['state'][]; limit: number },
  call: CallMeta,
): Promise<RequestAnswer[]> {
  return ctx.store.transaction(async (tx) => {
    const rows = await tx.requests.list({ ...filter, requesterId: identity.id });
    const answers: RequestAnswer[] = [];
    for (const listed of rows) {
      const row = await loadRequest(ctx, tx, listed.id, call);
      answers.push(requestAnswer(await answerParts(ctx, tx, row, call)));
    }
    return answers;
  });
}

/** The requests that wait for a role this person holds and that they may judge, newest first. */
export async function listApprovals(
  ctx: ControlContext,
  identity: Identity,
  filter: { states: readonly RequestRow['state'][]; limit: number },
  call: CallMeta,
): Promise<ApprovalItem[]> {
  return ctx.store.transaction(async (tx) => {
    const items: ApprovalItem[] = [];
    for await (const listed of eachRequest(tx, filter.states)) {
      if (items.length >= filter.limit) break;
      if (!awaits(listed, identity)) continue;
      const { requester_kind: kind, requester_id: id } = listed;
      const requester = await loadIdentity(tx, kind, id, ctx.now());
      if (requester && !mayJudge(identity.id, requester)) continue;
      const row = await loadRequest(ctx, tx, listed.id, call);
      if (!filter.states.includes(row.state)) continue;
      items.push(approvalItem(await answerParts(ctx, tx, row, call)));
    }
    return items;
  });
}

/** Requests that are looked through for one list. */
const LOOKED_THROUGH_MAX = 5_000;

/** Requests in these states, the newest first, page by page: whoever makes many keeps none of the others out of sight. */
async function* eachRequest(
  tx: StoreRepositories,
  states: readonly RequestRow['state'][],
): AsyncGenerator<RequestRow, void, undefined> {
  let beforeId: string | undefined;
  for (let seen = 0; seen < LOOKED_THROUGH_MAX; ) {
    const page = await tx.requests.list({
      states,
      limit: LIST_MAX,
      ...(beforeId === undefined ? {} : { beforeId }),
    });
    yield* page;
    seen += page.length;
    beforeId = page.at(-1)?.id;
    if (page.length < LIST_MAX) return;
  }
}

/** Whether this person holds a role the request asks (or asked) an approval of, and is not its requester. */
export function awaits(row: RequestRow, identity: Identity): boolean {
  if (identity.kind !== 'user' || row.requester_id === identity.id || !row.decision) return false;
  const roles = requiredByRole(row.decision.approvals);
  return identity.roles.some((role) => roles.has(role));
}
