import type { ScannedTable } from '../../schema/model.js';
import type { ScanOptions } from '../contract.js';
import { tableFilter } from '../table-filter.js';
import type { TableReference } from './api.js';
import { scannedTable, schemaOf } from './catalog.js';
import type { BigquerySession } from './session.js';

/** Tables that are read at the same time: each is a call of its own, which costs nothing. */
const PARALLEL_MAX = 8;

/** Reads every table and view of the project, by the calls of the catalog: no query runs, and nothing is billed. */
export async function readTables(
  session: BigquerySession,
  options: ScanOptions,
): Promise<ScannedTable[]> {
  const covers = referenceFilter(options);
  const references: TableReference[] = [];
  for (const datasetId of await session.listDatasets()) {
    for (const tableId of await session.listTables(datasetId)) {
      references.push({ projectId: session.project, datasetId, tableId });
    }
  }
  const wanted = references.filter(covers);
  const tables: ScannedTable[] = [];
  const work = async () => {
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      // One that is dropped meanwhile is no table any more.
      const resource = await session.getTable(next);
      const scanned = resource && scannedTable(resource, options.withDefinitions);
      if (scanned) tables.push(scanned);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_MAX }, work));
  return tables.sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

function keyOf({ table }: ScannedTable): string {
  return `${table.schema}\0${table.name}`;
}

/** Globs name a table as `dataset.table` or `project.dataset.table`. */
function referenceFilter({ include, exclude }: ScanOptions): (table: TableReference) => boolean {
  const includes = tableFilter(include ? { include } : {});
  const keeps = tableFilter(exclude ? { exclude } : {});
  return (reference) => {
    const names = [reference.datasetId, schemaOf(reference)];
    const { tableId } = reference;
    return (
      names.some((schema) => includes(schema, tableId)) &&
      names.every((schema) => keeps(schema, tableId))
    );
  };
}
