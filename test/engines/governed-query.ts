import { buildPlan } from '../../src/aql/build-plan.js';
import { createCatalog } from '../../src/aql/catalog.js';
import { expandStar } from '../../src/aql/expand-star.js';
import { parseAql } from '../../src/aql/parse-aql.js';
import { renderPlan } from '../../src/aql/render.js';
import { resolveAql } from '../../src/aql/resolve.js';
import type { Bundle } from '../../src/bundle/model.js';
import type { Connector, Engine } from '../../src/engines/contract.js';
import type { ScannedTable } from '../../src/schema/model.js';
import { plainTokens, type VisibilityTable, visibilityOf } from '../aql/aql-fixtures.js';

/** The registry that a scan of these tables would give; `keyOf` names the dataset of a table. */
export function scannedRegistry(
  tables: readonly ScannedTable[],
  keyOf: (table: string) => string = (table) => table,
): Pick<Bundle, 'registry'> {
  const datasets = tables.map((scanned) => ({
    name: keyOf(scanned.table.name),
    datasource: 'd',
    table: scanned.table,
    kind: scanned.kind,
    primary_key: scanned.primary_key,
    unique_keys: scanned.unique_keys,
    fields: scanned.columns.map(({ name, type, position, nullable }) => ({
      name,
      type,
      position,
      nullable,
      sensitivity: 'low' as const,
    })),
  }));
  return { registry: { datasets, datasources: [] } };
}

/** The rows of a query as a requester of this visibility gets them, or the problems of its plan. */
export async function runGoverned(
  engine: Pick<Engine, 'dialect'>,
  connector: Connector,
  registry: Pick<Bundle, 'registry'>,
  query: unknown,
  masks: VisibilityTable = {},
): Promise<unknown> {
  const parsed = parseAql(query);
  if ('problems' in parsed) return parsed.problems;
  const visibility = visibilityOf(masks);
  const resolved = expandStar(
    resolveAql(parsed.aql, createCatalog(registry)),
    (dataset, field) => visibility(dataset, field).state !== 'hidden',
  );
  if (resolved.unknown.length > 0) return resolved.unknown;
  if (resolved.problems.length > 0) return resolved.problems;
  const planned = buildPlan({
    resolved,
    visibility,
    limits: { maxRows: null },
    tokens: plainTokens,
    dialect: engine.dialect,
  });
  if ('problems' in planned) return planned.problems;
  const compiled = renderPlan(planned.plan, engine.dialect);
  const rows: unknown[] = [];
  for await (const batch of connector.run(compiled, { timeoutMs: 20_000 })) {
    rows.push(...batch.map((row) => row.map((cell) => JSON.parse(cell))));
  }
  return rows;
}
