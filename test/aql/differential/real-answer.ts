import { createSecretKey } from 'node:crypto';
import { buildPlan } from '../../../src/aql/build-plan.js';
import type { Catalog } from '../../../src/aql/catalog.js';
import type { Dialect } from '../../../src/aql/dialect.js';
import { expandStar } from '../../../src/aql/expand-star.js';
import { parseAql } from '../../../src/aql/parse-aql.js';
import type { OutputColumn, Plan } from '../../../src/aql/plan.js';
import { renderPlan } from '../../../src/aql/render.js';
import { resolveAql } from '../../../src/aql/resolve.js';
import type { Connector, EncodedRow } from '../../../src/engines/contract.js';
import type { Problem } from '../../../src/errors/index.js';
import { createTokenCodec } from '../../../src/masking/token-codec.js';
import { sealRows, tokenAccess } from '../../../src/services/seal-rows.js';
import type { ReferenceWorld } from '../reference/schema.js';

/** What a query comes to on its way through src/ and a database. */
export type RealAnswer =
  | { refused: readonly string[]; problems: readonly Problem[] }
  | {
      columns: readonly OutputColumn[];
      rows: readonly EncodedRow[];
      truncated: boolean;
      sql: string;
    };

/** A deliberate fault somewhere on the way. */
export interface Fault {
  world?(world: ReferenceWorld): ReferenceWorld;
  plan?(plan: Plan): Plan;
  dialect?(dialect: Dialect): Partial<Dialect>;
  rows?(rows: readonly EncodedRow[]): readonly EncodedRow[];
}

/** Real tokens, under a key that is no secret. */
const CODEC = createTokenCodec('test', [{ version: 1, key: createSecretKey(Buffer.alloc(32, 7)) }]);
/** Tokens that were made before: a value has one for good, and the reference makes those of every row for every query. */
const SEALED = new Map<string, string>();

function seal(value: string, domain: string): string {
  const key = JSON.stringify([value, domain]);
  const token = SEALED.get(key) ?? CODEC.seal(value, domain);
  SEALED.set(key, token);
  return token;
}

export const TEST_TOKENS = { ...tokenAccess(CODEC, 'gr_test'), seal };

const TIMEOUT_MS = 20_000;

/** From the JSON of the requester to rows, as the services do it. */
export async function realAnswer(
  json: unknown,
  catalog: Catalog,
  world: ReferenceWorld,
  dialect: Dialect,
  connector: Connector,
  fault: Fault = {},
): Promise<RealAnswer> {
  const { visibility, maxRows } = fault.world?.(world) ?? world;
  const parsed = parseAql(json);
  if ('problems' in parsed) return refusal(parsed.problems);
  const resolved = resolveAql(parsed.aql, catalog);
  const isHidden = (dataset: string, field: string | null) =>
    field !== null && visibility(dataset, field).state === 'hidden';
  const isDenied = resolved.references.some(({ dataset, field }) => isHidden(dataset, field));
  if (isDenied || resolved.unknown.length > 0) return { refused: ['denied'], problems: [] };
  if (resolved.problems.length > 0) return refusal(resolved.problems);
  const expanded = expandStar(resolved, (dataset, field) => !isHidden(dataset, field));
  const planned = buildPlan({
    resolved: expanded,
    visibility,
    limits: { maxRows },
    tokens: TEST_TOKENS,
    dialect,
  });
  if ('problems' in planned) return refusal(planned.problems);
  const plan = fault.plan?.(planned.plan) ?? planned.plan;
  const faulty = fault.dialect === undefined ? dialect : { ...dialect, ...fault.dialect(dialect) };
  const compiled = renderPlan(plan, faulty);
  const rows: EncodedRow[] = [];
  const batches = connector.run(compiled, { timeoutMs: TIMEOUT_MS });
  const domains = plan.outputs.map(({ token }) => token?.domain);
  for await (const batch of sealRows(batches, domains, CODEC)) rows.push(...batch);
  return {
    columns: plan.outputs.map(({ column }) => column),
    rows: (fault.rows?.(rows) ?? rows).slice(0, planned.rowsMax),
    truncated: planned.rowsMax === 0 || (planned.truncatable && rows.length > planned.rowsMax),
    sql: compiled.sql,
  };
}

function refusal(problems: readonly Problem[]): RealAnswer {
  return { refused: [...new Set(problems.map(({ code }) => code))].sort(), problems };
}
