import type { TableExpectation } from '../../aql/plan.js';
import type { DriverErrors } from '../driver-error.js';
import { tableDifference } from '../table-difference.js';
import { liveTable, referenceOf } from './catalog.js';
import type { BigquerySession } from './session.js';

/**
 * Compares the tables of a query with what was reviewed. BigQuery has no locks, so a query is checked before it starts,
 * and again between its end and its first row. Throws `schema_changed` for the first table that differs.
 */
export async function checkTables(
  session: BigquerySession,
  expected: readonly TableExpectation[],
  errors: DriverErrors,
): Promise<undefined> {
  const live = await Promise.all(
    expected.map(({ table }) => session.getTable(referenceOf(table, session.project))),
  );
  for (const [index, table] of expected.entries()) {
    const resource = live[index];
    const difference = tableDifference(table, resource && liveTable(resource));
    if (difference !== undefined) throw errors.schemaChanged(table.dataset, difference);
  }
}
