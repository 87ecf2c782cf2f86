import { issueGrant } from '../../grants/issue-grant.js';
import { GRANT_ISSUER, type GrantBody } from '../../grants/model.js';
import type { Mask } from '../../masking/model.js';
import { effectiveMasks } from '../../policy/combine-decisions.js';
import type { GrantRow, RequestRow, StoreRepositories } from '../../store/model.js';
import { randomId } from '../../util/random-id.js';
import type { ActiveBundle } from './active-bundle.js';
import { auditEvent, auditRequest } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import type { Identity } from './identity.js';
import type { Judgement } from './judge.js';

export interface IssueInput {
  row: RequestRow;
  identity: Identity;
  judgement: Judgement;
  active: ActiveBundle;
  /** The shortest of decision, request and approvers; it runs from now. */
  ttlSeconds: number;
}

/**
 * Signs and stores the grant of an approved request and its audit record, in the caller's transaction: there is never an
 * approved request without its grant, nor a grant without its record.
 */
export async function storeGrant(
  ctx: ControlContext,
  tx: StoreRepositories,
  call: CallMeta,
  { row, identity, judgement, active, ttlSeconds }: IssueInput,
): Promise<GrantRow> {
  const issuedAt = Math.floor(ctx.now() / 1000);
  const id = randomId('gr');
  const body: GrantBody = {
    request_id: row.id,
    datasource: row.datasource,
    aql_sha256: row.aql_hash,
    bundle_checksum: active.checksum,
    epoch: active.epoch,
    roles: judgement.input.narrowing?.roles ?? identity.roles,
    clearance: judgement.input.narrowing?.clearance ?? identity.clearance,
    region: identity.region,
    environment: judgement.datasource?.environment ?? '',
    purpose: row.purpose,
    masks: flatMasks(judgement),
    max_rows: judgement.decision.max_rows,
    operations: ['select'],
  };
  const expires = issuedAt + ttlSeconds;
  const jwt = await issueGrant(
    {
      iss: GRANT_ISSUER,
      aud: ctx.org,
      sub: identity.id,
      jti: id,
      iat: issuedAt,
      nbf: issuedAt,
      exp: expires,
      vkit: body,
    },
    ctx.keys.grant,
  );
  const grant: GrantRow = {
    id,
    request_id: row.id,
    requester_id: identity.id,
    datasource: row.datasource,
    jwt,
    bundle_checksum: active.checksum,
    epoch: active.epoch,
    created_at: timestamp(ctx.now()),
    expires_at: timestamp(expires * 1000),
    revoked_at: null,
    revoke_reason: null,
  };
  await tx.grants.insert(grant);
  const event = auditEvent(ctx, 'grant.issued', call, identity);
  await tx.audit.append({
    ...event,
    request: auditRequest(ctx, row),
    metadata: { ...event.metadata, grant_id: id, ttl_expires: grant.expires_at },
  });
  return grant;
}

/** `dataset.field` to the mask that applies once the approvals are given, sorted by key. */
function flatMasks({ decision }: Judgement): Record<string, Mask> {
  const entries: [string, Mask][] = [];
  for (const [key, mask] of effectiveMasks(decision, { approved: true })) {
    if (mask !== null) entries.push([key.replace('\0', '.'), mask]);
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
