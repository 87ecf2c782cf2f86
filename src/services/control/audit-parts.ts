import { createHmac } from 'node:crypto';
import { aqlHash } from '../../aql/aql-hash.js';
import type { Aql } from '../../aql/model.js';
import type { AuditEvent } from '../../audit/model.js';
import { clearanceLevel, DEFAULT_CLEARANCES } from '../../policy/clearance.js';
import type { Decision } from '../../policy/model.js';
import type { RequestRow } from '../../store/model.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import type { Identity } from './identity.js';

/** The beginning of every record of a call. */
export function auditEvent(
  ctx: Pick<ControlContext, 'now'>,
  event: string,
  call: CallMeta,
  identity: Identity | null,
): AuditEvent & { metadata: Record<string, string | number | boolean | null> } {
  return {
    event,
    timestamp: timestamp(ctx.now()),
    correlation_id: call.correlationId,
    ...(identity ? { requester: auditRequester(identity) } : {}),
    metadata: {
      ...(call.client === undefined ? {} : { client: call.client }),
      ...(call.address === undefined ? {} : { address: call.address }),
    },
  };
}

function auditRequester(identity: Identity): NonNullable<AuditEvent['requester']> {
  const level = clearanceLevel(DEFAULT_CLEARANCES, identity.clearance);
  return {
    user_id: identity.id,
    ...(identity.email === null ? {} : { email: identity.email }),
    role: identity.roles[0] ?? 'none',
    roles: identity.roles,
    ...(level === null ? {} : { clearance_level: level }),
    ...(identity.region === null ? {} : { region: identity.region }),
    kind: identity.kind,
    ...(identity.onBehalfOf ? { on_behalf_of: identity.onBehalfOf.id } : {}),
  };
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
