import type { App } from '../../app.js';
import type { Aql } from '../../aql/model.js';
import { renderPlan } from '../../aql/render.js';
import type { RequestAnswer } from '../../client/wire.js';
import { ENGINES, type EngineName } from '../../engines/index.js';
import { fetchGrant } from '../../services/control/fetch-grant.js';
import type { Identity } from '../../services/control/identity.js';
import { judge, planQuery } from '../../services/control/judge.js';
import { submitRequest } from '../../services/control/submit-request.js';
import { tokenAccess } from '../../services/seal-rows.js';
import { newCall } from './people.js';

export type Row = Readonly<Record<string, unknown>>;

/** An answer as it reached somebody. */
export interface Fetched {
  columns: readonly { name: string; type: string; masked: string | null }[];
  rows: readonly Row[];
}

/** A decision, without what differs from run to run. */
export interface Decided {
  status: RequestAnswer['status'];
  policy_id: string | null;
  reason: string | null;
  denied_fields: readonly string[];
}

/** As `vkit request` and an agent's `vaultkit_query` ask. */
export function request(
  { context }: App,
  identity: Identity,
  aql: Aql,
  more: { reason?: string; purpose?: string } = {},
): Promise<RequestAnswer> {
  return submitRequest(context, identity, { aql, ...more }, newCall());
}

/** As `vkit fetch` reads the rows of a grant. */
export async function fetchRows(
  { context }: App,
  identity: Identity,
  grantRef: string,
): Promise<Fetched> {
  const stream = await fetchGrant(context, identity, grantRef, newCall());
  const rows: Row[] = [];
  for await (const batch of stream.batches) {
    for (const row of batch) {
      const cells = stream.columns.map(({ name }, index) => [
        name,
        JSON.parse(row[index] ?? 'null'),
      ]);
      rows.push(Object.fromEntries(cells));
    }
  }
  const columns = stream.columns.map(({ name, type, masked }) => ({
    name,
    type,
    masked: masked ?? null,
  }));
  return { columns, rows };
}

/** The statement that the policies make of a query for this requester: the same compilation as when it runs. */
export async function compiledSql(app: App, identity: Identity, aql: Aql): Promise<string> {
  const { context } = app;
  const active = await context.activeBundle(context.store);
  if (active === null) return '';
  const question = { aql, narrowing: {}, purpose: null, at: context.now() };
  const judgement = judge(active, identity, question);
  const { plan } = planQuery(active, judgement, {
    approved: false,
    rowCap: context.settings.rowCap,
    tokens: tokenAccess(context.tokens, 'demo'),
  });
  const engine = ENGINES[judgement.datasource?.type as EngineName];
  return renderPlan(plan, engine.dialect).sql;
}

export function decided(answer: RequestAnswer): Decided {
  return {
    status: answer.status,
    policy_id: answer.policy_id ?? null,
    reason: answer.reason ?? null,
    denied_fields: answer.denied_fields ?? [],
  };
}
