import type { Dialect } from '../aql/dialect.js';
import type { CompiledQuery } from '../aql/plan.js';
import type { Connector, EncodedRow, Engine } from '../engines/contract.js';
import { VkitError } from '../errors/index.js';
import {
  countValues,
  VALUE_CHARACTERS_MAX,
  type ValueCounts,
} from '../schema/classification/count-values.js';
import { kindOfType } from '../schema/field-type.js';
import { identityText } from '../schema/match-tables.js';
import type { ScannedColumn, ScannedTable, TableIdentity } from '../schema/model.js';

/** More rows than this say nothing that these do not. */
export const SAMPLE_ROWS_MAX = 1_000;
const TABLE_TIMEOUT_MS = 5_000;
/** Of all tables together; those that are left then are named as not sampled. */
const ALL_TIMEOUT_MS = 120_000;
/** A wide table is looked at in its first columns. */
const COLUMNS_MAX = 200;
const BATCH_ROWS = 100;

/** What was looked at: counts, and never a value. */
export interface SampledTables {
  /** Tables that were read. */
  tables: number;
  /** Tables that were to be read and could not be, with the code of why. */
  failed: readonly { table: TableIdentity; code: string }[];
  countsOf(table: TableIdentity, column: string): ValueCounts | undefined;
}

export interface SampleInput {
  connector: Pick<Connector, 'run'>;
  dialect: Dialect;
  /** Rows per table at most. */
  rows: number;
  /** What to look at: columns that nobody has reviewed yet. */
  columns: readonly { table: ScannedTable; columns: readonly ScannedColumn[] }[];
  now: () => number;
}

/** Throws `unsupported` for an engine of which no sample is taken. */
export function refuseSample(engine: Engine): void {
  if (engine.refusesSamples === undefined) return;
  throw new VkitError(
    'unsupported',
    `${engine.displayName} cannot be sampled: ${engine.refusesSamples}`,
    {
      hint: 'Scan without --sample: names, types and comments are classified all the same.',
    },
  );
}

/**
 * Reads at most so many rows of each table, one statement each, in a read-only transaction with a timeout of its own, and counts what
 * their values look like. Only base tables are read: a view may run anything. A table that cannot be read is named and left out.
 */
export async function sampleTables(input: SampleInput): Promise<SampledTables> {
  const counts = new Map<string, ReadonlyMap<string, ValueCounts>>();
  const failed: { table: TableIdentity; code: string }[] = [];
  const startedAt = input.now();
  for (const { table, columns } of input.columns) {
    const readable = columns.filter(isReadable).slice(0, COLUMNS_MAX);
    if (table.kind !== 'table' || readable.length === 0) continue;
    const leftMs = ALL_TIMEOUT_MS - (input.now() - startedAt);
    try {
      if (leftMs <= 0) throw new VkitError('query_timeout', 'The time for samples is used up.');
      counts.set(identityText(table.table), await sampleTable(input, table, readable, leftMs));
    } catch (error) {
      // What the database says may quote a value: its code alone is kept.
      if (!(error instanceof VkitError) || error.code === 'interrupted') throw error;
      failed.push({ table: table.table, code: error.code });
    }
  }
  return {
    tables: counts.size,
    failed,
    countsOf: (table, column) => counts.get(identityText(table))?.get(column),
  };
}

async function sampleTable(
  { connector, dialect, rows }: SampleInput,
  { table, kind }: ScannedTable,
  columns: readonly ScannedColumn[],
  leftMs: number,
): Promise<ReadonlyMap<string, ValueCounts>> {
  const values = columns.map((): string[] => []);
  const query: CompiledQuery = {
    sql: `SELECT ${columns.map((column) => cut(dialect, column)).join(', ')} FROM ${dialect.table(table)} ${dialect.limit(rows, 0)}`,
    params: [],
    columns: columns.map(({ name }) => ({ name, type: 'text' })),
    rowsMax: rows,
    tables: [
      {
        dataset: table.name,
        table,
        kind,
        columns: columns.map(({ name, type }) => ({ name, type })),
      },
    ],
  };
  const options = { timeoutMs: Math.min(TABLE_TIMEOUT_MS, leftMs), batchRows: BATCH_ROWS };
  for await (const batch of connector.run(query, options)) {
    for (const row of batch) keepTexts(row, values);
  }
  return new Map(columns.map(({ name }, place) => [name, countValues(values[place] ?? [])]));
}

function keepTexts(row: EncodedRow, values: readonly string[][]): void {
  row.forEach((cell, place) => {
    const value: unknown = JSON.parse(cell);
    if (typeof value === 'string') values[place]?.push(value);
  });
}

/** A column as text, cut in the database: a value of megabytes is not sent for its beginning. */
function cut(dialect: Dialect, { name, type }: ScannedColumn): string {
  const kind = kindOfType(type);
  const column = dialect.column(dialect.quoteIdentifier(name), kind, type);
  const text =
    kind === 'text'
      ? column
      : dialect.call(kind === 'numeric' ? 'decimal_text' : 'to_text', [column]);
  return dialect.call('left', [text, String(VALUE_CHARACTERS_MAX)]);
}

/** Texts and whole numbers: other types are plain from the type, or can hold anything and are `high` already. */
function isReadable({ type }: ScannedColumn): boolean {
  const kind = kindOfType(type);
  return type !== 'enum' && (kind === 'text' || kind === 'integer' || kind === 'numeric');
}
