/** What vkit reads of BigQuery's REST API (v2), as its reference has it: numbers and values are texts. */

/** One column of a table or of an answer, or one field of a STRUCT. */
export interface FieldSchema {
  name: string;
  type: string;
  /** Absent is NULLABLE. */
  mode?: string;
  description?: string;
  maxLength?: string;
  precision?: string;
  scale?: string;
  defaultValueExpression?: string;
  fields?: readonly FieldSchema[];
}

export interface TableReference {
  projectId: string;
  datasetId: string;
  tableId: string;
}

interface ViewDefinition {
  query?: string;
  useLegacySql?: boolean;
  userDefinedFunctionResources?: unknown;
}

/** `tables.get`. */
export interface TableResource {
  tableReference: TableReference;
  type?: string;
  schema?: { fields?: readonly FieldSchema[] };
  view?: ViewDefinition;
  materializedView?: ViewDefinition;
  tableConstraints?: {
    foreignKeys?: readonly {
      referencedTable?: Partial<TableReference>;
      columnReferences?: readonly { referencingColumn?: string; referencedColumn?: string }[];
    }[];
  };
}

/** One value of a row: text, rows of an array, fields of a STRUCT. */
export type WireValue = string | null | readonly { v: WireValue }[] | WireRow;
export interface WireRow {
  f: readonly { v: WireValue }[];
}

/** `jobs.getQueryResults`. */
export interface QueryResults {
  jobComplete?: boolean;
  schema?: { fields?: readonly FieldSchema[] };
  rows?: readonly WireRow[];
  pageToken?: string;
}
