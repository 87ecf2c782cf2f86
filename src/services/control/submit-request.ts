import { createHash } from 'node:crypto';
import { aqlHash } from '../../aql/aql-hash.js';
import { pointerTo } from '../../aql/input-checks.js';
import type { Aql } from '../../aql/model.js';
import type { RequestAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { Decision } from '../../policy/model.js';
import type { RequestRow, StoreRepositories } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import { tokenAccess } from '../seal-rows.js';
import type { ActiveBundle } from './active-bundle.js';
import { missingMetadata } from './approvals-given.js';
import { auditDecision, auditEvent, auditRequest, requestReason } from './audit-parts.js';
import { inSpan } from './call-span.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import type { Identity } from './identity.js';
import { storeGrant } from './issue-grant.js';
import {
  concreteAql,
  hasOutput,
  type Judgement,
  judge,
  maskedColumns,
  planQuery,
} from './judge.js';
import { answerParts, loadRequest } from './load-request.js';
import { checkDatasourceAttributes, type NamedAttributes, narrowRequester } from './narrow.js';
import { notify } from './notify.js';
import { bundleFor } from './open-datasources.js';
import { requestAnswer } from './request-answer.js';
import { explainDenial } from './suggest-changes.js';

/** A request after its form was checked. */
export interface SubmitInput extends NamedAttributes {
  aql: Aql;
  datasource?: string;
  purpose?: string;
  reason?: string;
  metadata?: Readonly<Record<string, string>>;
  ttl_seconds?: number;
}

export interface Idempotency {
  route: string;
  key: string;
  /** The body as it came, canonical. */
  body: string;
}

/**
 * Decides one query: granted, waiting for approval, or denied, each recorded before it is answered. Throws `validation`,
 * `metadata_required`, `attribute_not_held` (recorded too) and `conflict` for an idempotency key used for another body.
 */
export async function submitRequest(
  ctx: ControlContext,
  identity: Identity,
  input: SubmitInput,
  call: CallMeta,
  idempotency?: Idempotency,
): Promise<RequestAnswer> {
  return inSpan(call.span, 'decide', async (span) => {
    const { answer, isNew } = await submitOnce(ctx, identity, input, call, idempotency);
    if (isNew) count(ctx, answer);
    span?.set('vkit.outcome', answer.status);
    return answer;
  });
}

async function submitOnce(
  ctx: ControlContext,
  identity: Identity,
  input: SubmitInput,
  call: CallMeta,
  idempotency: Idempotency | undefined,
): Promise<{ answer: RequestAnswer; isNew: boolean }> {
  const now = ctx.now();
  let explained: ActiveBundle | null = null;
  let isNew = true;
  // One transaction from reading the bundle to the last record: a decision never mixes two bundles.
  const answer = await ctx.store
    .transaction(async (tx) => {
      const earlier = idempotency ? await findEarlier(tx, identity, idempotency) : null;
      if (earlier !== null) {
        isNew = false;
        const found = await loadRequest(ctx, tx, earlier, call);
        return requestAnswer(await answerParts(ctx, tx, found, call));
      }
      const row = newRow(ctx, identity, input, now);
      const active = await ctx.activeBundle(tx);
      explained = active;
      if (!active) {
        const denied = {
          ...row,
          state: 'denied' as const,
          denial_type: 'no_active_bundle',
          state_reason: NO_BUNDLE,
        };
        return finish(ctx, tx, {
          row: denied,
          identity,
          call,
          idempotency,
          judgement: null,
          active: null,
        });
      }
      const judged = await decideRow(ctx, { row, identity, input, active, now });
      return finish(ctx, tx, { ...judged, identity, call, idempotency, active });
    })
    .catch(async (error: unknown) => {
      if (isRefusal(error)) await recordRefusal(ctx, identity, input, call, error);
      throw error;
    });
  // What would pass instead is looked for once the denial is on record: it holds nobody up, and undoes nothing.
  if (answer.state !== 'denied' || explained === null) return { answer, isNew };
  // As they may know it: nothing is suggested of a datasource that there is not for them.
  const active = bundleFor(explained, identity);
  const options = { active, identity, at: now, rowCap: ctx.settings.rowCap };
  return { answer: { ...answer, details: explainDenial(input, options) }, isNew };
}

function count({ activity }: ControlContext, { status }: RequestAnswer): void {
  activity.decisions[status === 'pending_approval' ? 'pending' : status] += 1;
  if (status === 'granted') activity.grants += 1;
}

const NO_BUNDLE =
  'No policy bundle is active, so nothing is allowed. Make one with: vkit policy bundle && vkit policy deploy';

interface Decided {
  row: RequestRow;
  judgement: Judgement | null;
}

async function decideRow(
  ctx: ControlContext,
  {
    row,
    identity,
    input,
    active,
    now,
  }: { row: RequestRow; identity: Identity; input: SubmitInput; active: ActiveBundle; now: number },
): Promise<Decided> {
  const narrowing = narrowRequester(identity, input, active.policies.clearances);
  const judgement = judge(active, identity, {
    aql: input.aql,
    narrowing,
    purpose: row.purpose,
    at: now,
  });
  const { decision, datasource } = judgement;
  // With `"*"` and nothing readable there is no output; where a policy says so, that is the answer.
  const empty = decision.denial === null && !hasOutput(judgement.resolved);
  const unknown = decision.denial === 'unknown_field' || empty;
  if (unknown || !datasource || elsewhere(input, datasource.name)) {
    // Nothing of what the registry knows goes into this answer: not even which datasource it would be.
    return { row: denied({ ...row, decision }, 'unknown_field', UNKNOWN, now), judgement };
  }
  const aql = concreteAql(row.aql, judgement.resolved);
  const decided: RequestRow = {
    ...row,
    aql,
    aql_hash: aqlHash(aql),
    decision,
    datasource: datasource.name,
  };
  checkDatasourceAttributes(datasource, input);
  if (decision.action === 'deny') {
    return { row: denied(decided, 'policy_denied', decision.reason ?? UNKNOWN, now), judgement };
  }
  const missing = missingMetadata(decision.approvals, row.metadata);
  if (missing.length > 0) throw metadataRequired(missing, decision);
  const planned = planQuery(active, judgement, {
    approved: true,
    rowCap: ctx.settings.rowCap,
    tokens: tokenAccess(ctx.tokens, row.id),
  });
  const shown = { ...decided, masked_fields: maskedColumns(planned) };
  if (decision.action === 'require_approval') {
    return { row: { ...shown, state: 'pending', state_reason: decision.reason }, judgement };
  }
  return { row: { ...shown, state: 'approved', decided_at: timestamp(now) }, judgement };
}

/** Said for what does not exist and for what this requester may not know of alike. */
const UNKNOWN = 'A dataset or field of the query is not known, or not open to you.';

function elsewhere(input: SubmitInput, datasource: string): boolean {
  return input.datasource !== undefined && input.datasource !== datasource;
}

function denied(row: RequestRow, type: string, reason: string, now: number): RequestRow {
  return {
    ...row,
    state: 'denied',
    denial_type: type,
    state_reason: reason,
    decided_at: timestamp(now),
  };
}

function metadataRequired(missing: readonly string[], decision: Decision): VkitError {
  const problems = missing.map((key) => {
    return { pointer: pointerTo('/metadata', key), code: 'required', message: 'is required' };
  });
  return new VkitError('metadata_required', `The request needs metadata: ${missing.join(', ')}.`, {
    hint: `Add it: --metadata '${JSON.stringify(Object.fromEntries(missing.map((key) => [key, '…'])))}'`,
    details: {
      keys: missing,
      problems,
      ...(decision.policy_id ? { policy_id: decision.policy_id } : {}),
    },
  });
}

function newRow(
  ctx: ControlContext,
  identity: Identity,
  input: SubmitInput,
  now: number,
): RequestRow {
  return {
    id: randomId('req'),
    requester_kind: identity.kind,
    requester_id: identity.id,
    aql: input.aql,
    aql_hash: aqlHash(input.aql),
    datasource: input.datasource ?? '',
    purpose: input.purpose ?? null,
    reason: input.reason ?? null,
    metadata: input.metadata ?? {},
    narrowing: {
      ...(input.role === undefined ? {} : { role: input.role }),
      ...(input.requester_clearance === undefined ? {} : { clearance: input.requester_clearance }),
    },
    ttl_seconds: input.ttl_seconds ?? null,
    state: 'pending',
    denial_type: null,
    state_reason: null,
    decision: null,
    masked_fields: [],
    created_at: timestamp(now),
    expires_at: timestamp(now + ctx.settings.requestTtlSeconds * 1000),
    decided_at: null,
  };
}

const EVENT_OF_STATE = {
  approved: 'request.granted',
  pending: 'request.pending',
  denied: 'request.denied',
} as const;

interface FinishInput extends Decided {
  identity: Identity;
  call: CallMeta;
  idempotency: Idempotency | undefined;
  active: ActiveBundle | null;
}

/** Requests of one requester that wait for approvers at the same time: more would bury those of others. */
const PENDING_MAX = 200;

async function refuseTooMany(tx: StoreRepositories, { id }: Identity): Promise<void> {
  if ((await tx.requests.count(id, 'pending')) < PENDING_MAX) return;
  throw new VkitError('rate_limited', `${PENDING_MAX} of your requests wait for an approval.`, {
    hint: 'Cancel those that you do not need: vkit requests list --state pending, vkit cancel ID',
    details: { retry_after_seconds: 60 },
  });
}

/** Writes the request, its record and, where nothing else is needed, its grant. */
async function finish(
  ctx: ControlContext,
  tx: StoreRepositories,
  input: FinishInput,
): Promise<RequestAnswer> {
  const { row, identity, call, judgement, active, idempotency } = input;
  if (row.state === 'pending') await refuseTooMany(tx, identity);
  await tx.requests.insert(row);
  if (idempotency) {
    await tx.idempotency.insert({
      requester_id: identity.id,
      route: idempotency.route,
      key: idempotency.key,
      body_hash: hashText(idempotency.body),
      request_id: row.id,
      created_at: row.created_at,
    });
  }
  const name = EVENT_OF_STATE[row.state as keyof typeof EVENT_OF_STATE];
  const event = auditEvent(ctx, name, call, identity);
  await tx.audit.append({
    ...event,
    request: auditRequest(ctx, row),
    metadata: { ...event.metadata, ...requestReason(row.reason) },
    ...(judgement
      ? {
          policy_evaluation: {
            ...auditDecision(judgement.decision, row.state === 'approved'),
            ...typeOf(row),
          },
        }
      : { policy_evaluation: { policies_applied: [], access_granted: false, ...typeOf(row) } }),
  });
  if (row.state === 'pending') {
    await notify(ctx, tx, { event: 'approval.requested', row, expiresAt: row.expires_at });
  }
  const grant =
    row.state === 'approved' && judgement && active
      ? await storeGrant(ctx, tx, call, {
          row,
          identity,
          judgement,
          active,
          ttlSeconds: Math.min(
            judgement.decision.ttl_seconds,
            row.ttl_seconds ?? Number.POSITIVE_INFINITY,
          ),
        })
      : null;
  return requestAnswer({
    row,
    grant,
    voices: [],
    requester: identity.name,
    correlationId: call.correlationId,
  });
}

function typeOf(row: RequestRow): { type?: string } {
  return row.denial_type === null ? {} : { type: row.denial_type };
}

/** The id of the request that was made with this key and body. */
async function findEarlier(
  tx: StoreRepositories,
  identity: Identity,
  { route, key, body }: Idempotency,
): Promise<string | null> {
  const found = await tx.idempotency.find(identity.id, route, key);
  if (!found) return null;
  if (found.body_hash !== hashText(body)) {
    throw new VkitError('conflict', 'This Idempotency-Key was used for another body.', {
      hint: 'Use a new key for a new request.',
    });
  }
  return found.request_id;
}

function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isRefusal(error: unknown): error is VkitError {
  return (
    error instanceof VkitError &&
    (error.code === 'attribute_not_held' ||
      error.code === 'metadata_required' ||
      error.code === 'validation')
  );
}

/** A refusal leaves no request behind, but it leaves a record. */
async function recordRefusal(
  ctx: ControlContext,
  identity: Identity,
  input: SubmitInput,
  call: CallMeta,
  error: VkitError,
): Promise<void> {
  const event = auditEvent(ctx, 'request.refused', call, identity);
  const attribute = error.details?.attribute;
  await ctx.store.audit.append({
    ...event,
    request: { dataset: input.aql.source_table },
    policy_evaluation: { policies_applied: [], access_granted: false, type: error.code },
    metadata: {
      ...event.metadata,
      ...requestReason(input.reason),
      ...(typeof attribute === 'string' ? { attribute } : {}),
    },
  });
  ctx.activity.decisions.refused += 1;
}
