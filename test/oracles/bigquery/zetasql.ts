import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeValue, encodeParameter, type ProtoValue } from './values.js';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const PACKAGE = join(FOLDER, 'node_modules', '@fivetrandevelopers', 'zetasql', 'lib', 'zetasql');
const START_MS_MAX = 20_000;
/** What BigQuery has beside the features of the language that are on by themselves: collations. */
const FEATURES = ['FEATURE_V_1_3_COLLATION_SUPPORT', 'FEATURE_V_1_3_ANNOTATION_FRAMEWORK'];

/** Why ZetaSQL cannot run here; `null` where it can. */
export const oracleSkipped: string | null = existsSync(PACKAGE)
  ? null
  : 'npm run oracle:bigquery installs it';

export interface OracleColumn {
  name: string;
  /** `INT64`. */
  type: string;
}

export interface OracleTable {
  /** In full, as one name. */
  name: string;
  columns: readonly OracleColumn[];
  rows: readonly { cell: readonly ProtoValue[] }[];
}

export interface OracleResult {
  columns: OracleColumn[];
  /** As BigQuery's API writes them. */
  values: (string | null)[][];
  rows: readonly { cell: readonly ProtoValue[] }[];
}

/** Google's own GoogleSQL, which runs queries over rows it is given. */
export interface Oracle {
  evaluate(
    sql: string,
    parameters: readonly { name: string; type: string; value: unknown }[],
    tables: readonly OracleTable[],
  ): Promise<OracleResult>;
  stop(): void;
}

interface Answer {
  content: { tableData: { row: { cell: ProtoValue[] }[] } };
  prepared: { columns: { name: string; type: { typeKind: string } }[] };
}

type Service = {
  waitForReady(deadline: number, done: (error?: Error) => void): void;
  close(): void;
} & Record<
  'evaluateQuery' | 'getLanguageOptions',
  (request: object, done: (error: Error | null, answer: unknown) => void) => void
>;

/** Starts the service in a process of its own, which `stop` ends. */
export async function startOracle(): Promise<Oracle> {
  const port = await freePort();
  const arm = process.arch.startsWith('arm') ? '_arm' : '';
  const binary = `remote_server${arm}${process.platform === 'darwin' ? '' : '.so'}`;
  const child: ChildProcess = spawn(join(PACKAGE, binary), ['127.0.0.1', String(port)], {
    stdio: 'ignore',
  });
  const service = connect(port);
  const stop = () => {
    service.close();
    child.kill('SIGKILL');
  };
  const call = <T>(method: 'evaluateQuery' | 'getLanguageOptions', request: object) =>
    new Promise<T>((resolve, reject) => {
      service[method](request, (error, answer) => (error ? reject(error) : resolve(answer as T)));
    });
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      service.waitForReady(Date.now() + START_MS_MAX, (error) =>
        error ? reject(error) : resolve(),
      );
    });
    const found = await call<{ enabledLanguageFeatures: string[] }>('getLanguageOptions', {
      maximumFeatures: true,
    });
    const languageOptions = {
      ...found,
      productMode: 'PRODUCT_EXTERNAL',
      enabledLanguageFeatures: [...new Set([...found.enabledLanguageFeatures, ...FEATURES])],
    };
    return {
      stop,
      async evaluate(sql, parameters, tables) {
        const typed = parameters.map(({ name, type }) => ({ name, type: typeProto(type) }));
        const answer = await call<Answer>('evaluateQuery', {
          sql,
          options: { languageOptions, defaultTimezone: 'UTC', queryParameters: typed },
          params: parameters.map(({ name, type, value }) => ({
            name,
            value: encodeParameter(type, value),
          })),
          simpleCatalog: {
            name: 'bigquery',
            builtinFunctionOptions: { languageOptions },
            table: tables.map(({ name, columns }) => ({
              name,
              column: columns.map((column) => ({ ...column, type: typeProto(column.type) })),
            })),
          },
          tableContent: Object.fromEntries(
            tables.map(({ name, rows }) => [name, { tableData: { row: rows } }]),
          ),
        });
        const columns = answer.prepared.columns.map(({ name, type }) => ({
          name,
          type: nameOfKind(type.typeKind),
        }));
        const rows = answer.content.tableData.row;
        const values = rows.map(({ cell }) =>
          columns.map(({ type }, at) => decodeValue(type, cell[at])),
        );
        return { columns, values, rows };
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** The packages of this folder have no types that the project could see. */
function connect(port: number): Service {
  const load = createRequire(join(FOLDER, 'package.json'));
  const grpc = load('@grpc/grpc-js');
  const definition = load('@grpc/proto-loader').loadSync('local_service.proto', {
    defaults: true,
    oneofs: true,
    longs: String,
    enums: String,
    includeDirs: [join(PACKAGE, 'protos')],
  });
  const { ZetaSqlLocalService } = grpc.loadPackageDefinition(definition).zetasql.local_service;
  return new ZetaSqlLocalService(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
}

function typeProto(type: string): { typeKind: string } {
  return { typeKind: `TYPE_${type === 'FLOAT64' ? 'DOUBLE' : type}` };
}

function nameOfKind(kind: string): string {
  const name = kind.replace(/^TYPE_/, '');
  return name === 'DOUBLE' ? 'FLOAT64' : name;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('No port is free.');
  return address.port;
}
