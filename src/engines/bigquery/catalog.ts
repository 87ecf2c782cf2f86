import type { ForeignKey, ScannedTable, TableIdentity, TableKind } from '../../schema/model.js';
import { type CatalogColumn, scannedColumn, sha256Hex } from '../catalog-column.js';
import type { LiveTable } from '../table-difference.js';
import type { TableReference, TableResource } from './api.js';
import { nativeType, normaliseBigqueryType } from './type.js';

const KINDS: Readonly<Record<string, TableKind>> = {
  TABLE: 'table',
  SNAPSHOT: 'table',
  VIEW: 'view',
  MATERIALIZED_VIEW: 'materialized_view',
  EXTERNAL: 'foreign_table',
};

/** A table of the API by its identity in the registry, `project.dataset` being the schema. */
export function referenceOf({ schema, name }: TableIdentity, project: string): TableReference {
  const dot = schema.lastIndexOf('.');
  return {
    projectId: dot === -1 ? project : schema.slice(0, dot),
    datasetId: schema.slice(dot + 1),
    tableId: name,
  };
}

export function schemaOf({ projectId, datasetId }: Omit<TableReference, 'tableId'>): string {
  return `${projectId}.${datasetId}`;
}

/** The table as a query's check needs it; `undefined` for what is no dataset. */
export function liveTable(resource: TableResource): LiveTable | undefined {
  const { type = 'TABLE' } = resource;
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  if (kind === undefined) return undefined;
  const digest = definitionDigest(resource);
  return {
    kind,
    ...(digest === undefined ? {} : { definition_digest: digest }),
    columns: columnsOf(resource),
  };
}

/**
 * The table as a scan reports it. BigQuery does not enforce the primary keys it lets people declare, so none is
 * reported: the order of masked rows would rely on it.
 */
export function scannedTable(
  resource: TableResource,
  withDefinitions = false,
): ScannedTable | undefined {
  const live = liveTable(resource);
  if (live === undefined) return undefined;
  const { tableReference } = resource;
  return {
    table: { schema: schemaOf(tableReference), name: tableReference.tableId },
    kind: live.kind,
    primary_key: [],
    unique_keys: [],
    foreign_keys: foreignKeysOf(resource),
    ...(live.definition_digest === undefined ? {} : { definition_digest: live.definition_digest }),
    ...(withDefinitions ? definitionOf(resource) : {}),
    columns: columnsOf(resource).map((column) => scannedColumn(column, withDefinitions)),
  };
}

function columnsOf({ schema }: TableResource): CatalogColumn[] {
  return (schema?.fields ?? []).map((field, index) => ({
    name: field.name,
    position: index + 1,
    type: normaliseBigqueryType(field),
    native: nativeType(field),
    // A NULL array is stored as an empty one.
    nullable: field.mode !== 'REQUIRED' && field.mode !== 'REPEATED',
    generated: false,
    default: field.defaultValueExpression ?? null,
    comment: field.description ?? null,
  }));
}

function definitionOf({ view, materializedView }: TableResource): { definition?: string } {
  const { query } = view ?? materializedView ?? {};
  return query === undefined ? {} : { definition: query };
}

function definitionDigest({ view, materializedView }: TableResource): string | undefined {
  const definition = view ?? materializedView;
  if (definition?.query === undefined) return undefined;
  const { query, useLegacySql = false, userDefinedFunctionResources = [] } = definition;
  return sha256Hex(JSON.stringify([query, useLegacySql, userDefinedFunctionResources]));
}

function foreignKeysOf({ tableReference, tableConstraints }: TableResource): ForeignKey[] {
  return (tableConstraints?.foreignKeys ?? []).map(
    ({ referencedTable = {}, columnReferences = [] }) => {
      const target = { ...tableReference, ...referencedTable };
      return {
        columns: columnReferences.map(({ referencingColumn = '' }) => referencingColumn),
        references: {
          schema: schemaOf(target),
          table: target.tableId,
          columns: columnReferences.map(({ referencedColumn = '' }) => referencedColumn),
        },
      };
    },
  );
}
