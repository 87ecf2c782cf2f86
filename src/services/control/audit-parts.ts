import { createHmac } from 'node:crypto';
import { aqlHash } from '../../aql/aql-hash.js';
import type { Aql } from '../../aql/model.js';
import type { AuditEvent } from '../../audit/model.js';
import { sharedPart } from '../../audit/seal-record.js';
import { clearanceLevel, DEFAULT_CLEARANCES } from '../../policy/clearance.js';
import type { Decision } from '../../policy/model.js';
import type { GrantRow, RequestRow } from '../../store/model.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import type { Identity } from './identity.js';
import type { Judgement } from './judge.js';
import type { FetchParts } from './kept-permits.js';

/** The beginning of every record of a call. */
export function auditEvent(
  ctx: Pick<ControlContext, 'now'>,
  event: string,
  call: CallMeta,
  identity: Identity | null,
): AuditEvent & { metadata: Metadata } {
  return {
    event,
    timestamp: timestamp(ctx.now()),
    correlation_id: call.correlationId,
    ...(identity ? { requester: auditRequester(identity) } : {}),
    metadata: callMetadata(call),
  };
}

type Metadata = Record<string, string | number | boolean | null>;

function callMetadata({ client, address }: CallMeta): Metadata {
  return {
    ...(client === undefined ? {} : { client }),
    ...(address === undefined ? {} : { address }),
  };
}

export function fetchParts(
  ctx: Pick<ControlContext, 'keys'>,
  { identity, row, judgement }: { identity: Identity; row: RequestRow; judgement: Judgement },
): FetchParts {
  return {
    requester: sharedPart(auditRequester(identity)),
    request: sharedPart(auditRequest(ctx, row)),
    policy_evaluation: sharedPart(auditDecision(judgement.decision, true)),
  };
}

/** That rows are about to leave. */
export function queryStarted(
  ctx: Pick<ControlContext, 'now'>,
  { parts, grant }: { parts: FetchParts; grant: GrantRow },
  call: CallMeta,
): AuditEvent {
  return {
    event: 'query.started',
    timestamp: timestamp(ctx.now()),
    correlation_id: call.correlationId,
    ...parts,
    metadata: { ...callMetadata(call), grant_id: grant.id, ttl_expires: grant.expires_at },
  };
}

/** How many left, or why none did: `error` is a code. */
export function queryEnded(
  ctx: Pick<ControlContext, 'now'>,
  { parts, grant, startedId }: { parts: FetchParts; grant: GrantRow; startedId: string },
  call: CallMeta,
  execution: NonNullable<AuditEvent['execution']>,
): AuditEvent {
  const { requester, request } = parts;
  return {
    event: execution.error === undefined ? 'query.executed' : 'query.failed',
    timestamp: timestamp(ctx.now()),
    correlation_id: call.correlationId,
    of: startedId,
    requester,
    request,
    execution,
    metadata: { ...callMetadata(call), grant_id: grant.id },
  };
}

function auditRequester(identity: Identity): NonNullable<AuditEvent['requester']> {
  const level = clearanceLevel(DEFAULT_CLEARANCES, identity.clearance);
  return {
    user_id: identity.id,
    ...(identity.email === null ? {} : { email: identity.email }),
    // Of a person it is the e-mail address.
    ...(identity.kind === 'agent' ? { name: identity.name } : {}),
    role: identity.roles[0] ?? 'none',
    roles: identity.roles,
    ...(level === null ? {} : { clearance_level: level }),
    ...(identity.region === null ? {} : { region: identity.region }),
    kind: identity.kind,
    ...(identity.onBehalfOf ? { on_behalf_of: identity.onBehalfOf.id } : {}),
  };
}

/** Why a request is made, as whoever makes it says, among the metadata of the record of what became of it. */
export function requestReason(reason: string | null | undefined): Metadata {
  return reason === null || reason === undefined ? {} : { request_reason: reason };
}

/** The part about the request. The query itself is an HMAC: a plain hash of a guessable filter value is the value. */
export function auditRequest(
  ctx: Pick<ControlContext, 'keys'>,
  row: Pick<RequestRow, 'id' | 'datasource' | 'aql' | 'aql_hash' | 'purpose' | 'metadata'>,
): NonNullable<AuditEvent['request']> {
  return {
    request_id: row.id,
    datasource_id: row.datasource,
    dataset: row.aql.source_table,
    columns_requested: columnsRequested(row.aql),
    aql_hash: auditHmac(ctx, row.aql_hash),
    ...(row.purpose === null ? {} : { purpose: row.purpose }),
    metadata: row.metadata,
  };
}

/** The same for a query that is no request. */
export function auditAqlHash(ctx: Pick<ControlContext, 'keys'>, aql: Aql): string {
  return auditHmac(ctx, aqlHash(aql));
}

function auditHmac({ keys }: Pick<ControlContext, 'keys'>, text: string): string {
  return createHmac('sha256', keys.auditHmacKey).update(text).digest('hex');
}

/** The output columns as the query names them; aggregates as `func(field)`. */
export function columnsRequested(aql: Aql): string[] {
  return [
    ...(aql.columns ?? []),
    ...(aql.aggregates ?? []).map(({ func, field }) => `${func}(${field})`),
  ];
}

export function auditDecision(
  decision: Decision,
  granted: boolean,
): NonNullable<AuditEvent['policy_evaluation']> {
  return {
    policies_applied: decision.policies_applied,
    access_granted: granted,
    bundle_checksum: decision.bundle_checksum,
    ...(decision.reason === null ? {} : { reason: decision.reason }),
    ...(decision.denial === null ? {} : { type: decision.denial }),
  };
}
