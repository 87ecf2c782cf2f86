import type { FieldSchema, TableResource } from '../../../src/engines/bigquery/api.js';
import type { EngineGround } from '../../conformance/engine-ground.js';
import { DATASET, JobFailure, PROJECT, withBigquery } from '../../helpers/bigquery-emulator.js';
import { type Oracle, type OracleTable, oracleSkipped, startOracle } from './zetasql.js';

/** Types of the tests' tables that BigQuery has other names for. */
const TYPES: Readonly<Record<string, string>> = {
  integer: 'INT64',
  bigint: 'INT64',
  smallint: 'INT64',
  text: 'STRING',
  varchar: 'STRING',
  uuid: 'STRING',
  'double precision': 'FLOAT64',
  boolean: 'BOOL',
};
/** As `tables.get` names them. */
const API_TYPES: Readonly<Record<string, string>> = {
  INT64: 'INTEGER',
  FLOAT64: 'FLOAT',
  BOOL: 'BOOLEAN',
};

const CREATE = /^create table (\w+) \(([\s\S]*)\)$/;
const INSERT = /^insert into (\w+) values\s+([\s\S]*)$/;
const COLUMN = /^(\w+) (.*?)(?:\(\d+(?:, ?\d+)?\))?((?: not null| primary key| unique)*)$/;

interface Table extends OracleTable {
  rows: OracleTable['rows'];
  resource: TableResource;
}

/** BigQuery as far as it can be had without Google: its API emulated, its language Google's own. */
export const bigqueryOracle = {
  name: 'bigquery' as const,
  skipped: oracleSkipped,
  async withGround(
    use: (ground: Pick<EngineGround, 'target' | 'schema' | 'execute'>) => Promise<void>,
  ): Promise<void> {
    const oracle = await startOracle();
    const tables = new Map<string, Table>();
    try {
      await withBigquery(
        {
          tables: () => [...tables.values()].map(({ resource }) => resource),
          run: async (sql, parameters) => {
            const given = parameters.map(({ name, parameterType, parameterValue }) => ({
              name,
              type: parameterType.type,
              value: parameterValue.value,
            }));
            const result = await oracle
              .evaluate(foldNames(sql), given, [...tables.values()])
              .catch((error: Error) => {
                throw new JobFailure('invalidQuery', `${error.message}\n${sql}`);
              });
            const fields = result.columns.map((column) => fieldOf(column.name, column.type, false));
            const rows = result.values.map((values) => ({ f: values.map((v) => ({ v })) }));
            return { fields, rows };
          },
        },
        async ({ target }) =>
          use({ target, schema: DATASET, execute: (sql) => execute(oracle, tables, sql) }),
      );
    } finally {
      oracle.stop();
    }
  },
};

/** The catalog has no projects and datasets: a name in full is one name. */
function foldNames(sql: string): string {
  return sql.replaceAll(`\`${PROJECT}\`.\`${DATASET}\`.\``, `\`${PROJECT}.${DATASET}.`);
}

function fieldOf(name: string, type: string, isRequired: boolean): FieldSchema {
  return { name, type: API_TYPES[type] ?? type, mode: isRequired ? 'REQUIRED' : 'NULLABLE' };
}

/** The statements of the tests: CREATE TABLE, INSERT of literals; BigQuery has no indexes to create. */
async function execute(oracle: Oracle, tables: Map<string, Table>, sql: string): Promise<void> {
  const statements = sql.split(/;\s*(?:\n|$)/).map((statement) => statement.trim());
  for (const statement of statements) {
    const [, created, definition = ''] = CREATE.exec(statement) ?? [];
    const [, filled, values = ''] = INSERT.exec(statement) ?? [];
    if (created !== undefined) tables.set(created, newTable(created, definition));
    else if (filled !== undefined) await fill(oracle, tables.get(filled), values);
    else if (statement !== '' && !statement.startsWith('create index')) {
      throw new Error(`The oracle cannot run: ${statement}`);
    }
  }
}

function newTable(name: string, definition: string): Table {
  const columns = definition.split(/,(?![^(]*\))/).map((text) => {
    const [, column = '', declared = '', constraints = ''] = COLUMN.exec(text.trim()) ?? [];
    const type = TYPES[declared] ?? declared.toUpperCase();
    return { name: column, type, isRequired: constraints.includes('not null') };
  });
  const fields = columns.map((column) => fieldOf(column.name, column.type, column.isRequired));
  const tableReference = { projectId: PROJECT, datasetId: DATASET, tableId: name };
  return {
    name: `${PROJECT}.${DATASET}.${name}`,
    columns: columns.map((column) => ({ name: column.name, type: column.type })),
    rows: [],
    resource: { tableReference, type: 'TABLE', schema: { fields } },
  };
}

async function fill(oracle: Oracle, table: Table | undefined, values: string): Promise<void> {
  if (table === undefined) throw new Error('A row is for a table that there is not.');
  const members = table.columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ');
  const sql = `SELECT * FROM UNNEST(ARRAY<STRUCT<${members}>>[${values}])`;
  const { rows } = await oracle.evaluate(sql, [], []);
  table.rows = [...table.rows, ...rows];
}
