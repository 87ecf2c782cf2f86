import { VkitError } from '../../errors/index.js';
import { GRANT_ISSUER } from '../../grants/model.js';
import { verifyGrant } from '../../grants/verify-grant.js';
import type { GrantRow, RequestRow, StoreRepositories } from '../../store/model.js';
import { answerStream, type FetchStream, type Permitted, recordOutcome } from './answer-stream.js';
import { approvalsSatisfied, missingMetadata, presentVoices } from './approvals-given.js';
import { auditEvent, auditRequest, fetchParts, queryStarted } from './audit-parts.js';
import { type CallSpan, inSpan } from './call-span.js';
import { noSuchGrant } from './cancel-request.js';
import type { CallMeta, ControlContext } from './context.js';
import { storedNarrowing } from './decide-approval.js';
import type { Identity } from './identity.js';
import { type Judgement, judge } from './judge.js';
import type { Permit } from './kept-permits.js';

/**
 * Verifies a grant, evaluates the policies again with the requester's present attributes and the approvals that still
 * count, writes the record that rows will leave, and starts the query. The first batch has arrived when the promise
 * resolves, so what fails before it fails here. Aborting `gone` cancels the query in the database. Throws `not_found`, `grant_revoked`, `grant_expired`, `grant_invalid`,
 * `bundle_superseded`, `policy_denied`, `schema_changed`, `datasource_*`, `rate_limited`.
 */
export async function fetchGrant(
  ctx: ControlContext,
  identity: Identity,
  ref: string,
  call: CallMeta,
  gone?: AbortSignal,
): Promise<FetchStream> {
  const fetching = call.span?.child('fetch');
  try {
    const { stream, query } = await startFetch(ctx, identity, ref, spanOf(call, fetching), gone);
    return fetching && query ? tracedStream(stream, fetching, query) : stream;
  } catch (error) {
    fetching?.fail(error);
    fetching?.end();
    throw error;
  }
}

function spanOf(call: CallMeta, span: CallSpan | undefined): CallMeta {
  return span === undefined ? call : { ...call, span };
}

/** The spans of a fetch and its query end when its rows have left, or nobody takes them any more. */
function tracedStream(stream: FetchStream, fetching: CallSpan, query: CallSpan): FetchStream {
  let isOver = false;
  const over = (error?: unknown) => {
    if (isOver) return;
    isOver = true;
    query.set('vkit.rows', stream.outcome().rowCount);
    if (error !== undefined) query.fail(error);
    query.end();
    fetching.end();
  };
  stream.signal.addEventListener('abort', () => over(stream.signal.reason), { once: true });
  async function* batches() {
    try {
      yield* stream.batches;
      over();
    } catch (error) {
      over(error);
      throw error;
    } finally {
      over();
    }
  }
  return { ...stream, batches: batches() };
}

async function startFetch(
  ctx: ControlContext,
  identity: Identity,
  ref: string,
  call: CallMeta,
  gone?: AbortSignal,
): Promise<{ stream: FetchStream; query: CallSpan | undefined }> {
  // Registered first: a revocation from here on finds it and stops it.
  const running = ctx.running.start(identity.id, ref);
  const onGone = () => {
    if (running.isRunning()) running.abort(new VkitError('interrupted', 'The client went away.'));
  };
  if (gone?.aborted) onGone();
  else gone?.addEventListener('abort', onGone, { once: true });
  let permitted: Permitted;
  try {
    permitted = await inSpan(call.span, 'decide', () => permit(ctx, identity, ref, call));
  } catch (error) {
    running.end();
    throw error;
  }
  const startedAt = ctx.now();
  running.permitted(permitted);
  const query = call.span?.child('query');
  try {
    running.signal.throwIfAborted();
    const execution = await ctx.dataPlane.execute({
      jwt: permitted.grant.jwt,
      grantId: permitted.grant.id,
      requesterId: identity.id,
      aql: permitted.row.aql,
      active: permitted.active,
      judgement: permitted.judgement,
      signal: running.signal,
    });
    const pull = execution.batches[Symbol.asyncIterator]();
    const first = await pull.next();
    if (running.signal.aborted) await pull.return?.();
    running.signal.throwIfAborted();
    const stream = answerStream({
      ctx,
      call,
      permitted,
      execution,
      pull,
      first,
      running,
      startedAt,
    });
    return { stream, query };
  } catch (error) {
    const reason = running.signal.aborted ? running.signal.reason : error;
    query?.fail(reason);
    query?.end();
    const outcome = { call, permitted, startedAt, rows: 0, error: reason };
    await recordOutcome(ctx, outcome).finally(() => running.end());
    throw reason;
  }
}

async function permit(
  ctx: ControlContext,
  identity: Identity,
  ref: string,
  call: CallMeta,
): Promise<Permitted> {
  const kept = ctx.permits.find(identity, ref, ctx.now());
  if (kept) {
    const event = queryStarted(ctx, kept.permit, call);
    const started = await ctx.store.record(event, kept.revision);
    if (started) return { ...kept.permit, startedId: started.auditId, onDisk: started.onDisk };
  }
  const known: { row?: RequestRow } = {};
  try {
    return await ctx.store.transaction((tx) => permitWithin(ctx, tx, identity, ref, call, known));
  } catch (error) {
    // Whatever stopped it, nothing has run; the refusal is recorded, and without its record it is an error still.
    if (error instanceof VkitError && error.code !== 'not_found')
      await recordRefusal(ctx, identity, ref, call, error, known.row);
    throw error;
  }
}

async function permitWithin(
  ctx: ControlContext,
  tx: StoreRepositories,
  identity: Identity,
  ref: string,
  call: CallMeta,
  known: { row?: RequestRow },
): Promise<Permitted> {
  const revision = ctx.store.revision();
  const now = ctx.now();
  const grant = await tx.grants.byId(ref);
  const row =
    grant && grant.requester_id === identity.id ? await tx.requests.byId(grant.request_id) : null;
  if (!grant || !row) throw noSuchGrant(ref);
  known.row = row;
  if (grant.revoked_at !== null) throw revoked(grant);
  const active = await ctx.activeBundle(tx);
  if (!active) throw await bundleGone(tx, grant);
  const claims = await verifyGrant(grant.jwt, {
    keys: ctx.verifiedGrants.keys,
    verified: ctx.verifiedGrants,
    issuer: GRANT_ISSUER,
    org: ctx.org,
    now,
    active: { checksum: active.checksum, epoch: active.epoch },
    aqlSha256: row.aql_hash,
    requesterId: identity.id,
    grantId: grant.id,
  }).catch(async (error: unknown) => {
    const superseded = error instanceof VkitError && error.code === 'bundle_superseded';
    throw superseded ? await bundleGone(tx, grant) : error;
  });
  const judgement = judge(active, identity, {
    aql: row.aql,
    narrowing: storedNarrowing(row),
    purpose: row.purpose,
    at: now,
  });
  await refuseDenied(ctx, tx, identity, row, judgement);
  const parts = fetchParts(ctx, { identity, row, judgement });
  const permit: Permit = { identity, grant, row, active, judgement, parts };
  if (ctx.store.revision() === revision) ctx.permits.keep(permit, claims, { revision, now });
  const started = await tx.audit.append(queryStarted(ctx, permit, call));
  // The transaction ends once it is on disk.
  return { ...permit, startedId: started.audit_id, onDisk: async () => {} };
}

/** What the policies of this moment no longer allow is refused, whatever the grant says. */
async function refuseDenied(
  ctx: ControlContext,
  tx: StoreRepositories,
  identity: Identity,
  row: RequestRow,
  { decision }: Judgement,
): Promise<void> {
  const refuse = (message: string): VkitError =>
    new VkitError('policy_denied', message, {
      hint: 'Ask again: vkit request',
      ...(decision.policy_id ? { policyId: decision.policy_id } : {}),
    });
  if (decision.action === 'deny')
    throw refuse(decision.reason ?? 'The policies no longer allow this query.');
  if (decision.action !== 'require_approval') return;
  if (missingMetadata(decision.approvals, row.metadata).length > 0) {
    throw refuse('The policies now ask for metadata that this request does not have.');
  }
  const voices = await presentVoices(tx, await tx.approvals.ofRequest(row.id), identity, ctx.now());
  if (!approvalsSatisfied(decision.approvals, voices)) {
    throw refuse('The approvals of this request no longer satisfy the policies.');
  }
}

/** Why the bundle of a grant no longer holds: it was revoked, or another one has become active. */
async function bundleGone(tx: StoreRepositories, grant: GrantRow): Promise<VkitError> {
  const made = await tx.bundles.byChecksum(grant.bundle_checksum);
  const hint = 'Make the request again.';
  return made?.state === 'revoked'
    ? new VkitError('bundle_revoked', 'The bundle this grant was issued under was revoked.', {
        hint,
      })
    : new VkitError(
        'bundle_superseded',
        'The bundle this grant was issued under is no longer the active one.',
        { hint },
      );
}

function revoked(grant: GrantRow): VkitError {
  return new VkitError('grant_revoked', `The grant was revoked at ${grant.revoked_at}.`, {
    hint: 'Ask again: vkit request',
  });
}

async function recordRefusal(
  ctx: ControlContext,
  identity: Identity,
  ref: string,
  call: CallMeta,
  error: VkitError,
  row: RequestRow | undefined,
): Promise<void> {
  const event = auditEvent(ctx, 'query.refused', call, identity);
  await ctx.store.audit.append({
    ...event,
    ...(row ? { request: auditRequest(ctx, row) } : {}),
    policy_evaluation: { policies_applied: [], access_granted: false, type: error.code },
    metadata: { ...event.metadata, grant_id: ref.slice(0, 64) },
  });
  ctx.activity.fetches.refused += 1;
}
