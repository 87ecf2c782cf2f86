import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { ENGINES } from '../../src/engines/index.js';
import { addDatasource } from '../../src/services/add-datasource.js';
import type { DatasourceVariables } from '../../src/services/datasource-secret.js';
import {
  type ScanDatasourceInput,
  type ScanOutcome,
  scanDatasource,
} from '../../src/services/scan-datasource.js';
import { findMysql, mysqlGround, withDatabase } from '../helpers/mysql.js';
import { findPostgres, postgresGround, withSchema } from '../helpers/postgres.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

/** A project with the datasource `db` in a database of its own, in which statements can be run. */
export interface ScanGround {
  root: string;
  run(sql: string): Promise<void>;
  scan(options?: Partial<Pick<ScanDatasourceInput, 'apply' | 'sample'>>): Promise<ScanOutcome>;
  /** Changes the line of a field in the registry, as a person does. */
  review(field: string, from: string, to: string): Promise<void>;
  /** `registry.yaml` and the lock. */
  files(): Promise<string>;
}

interface Ground {
  /** Why it cannot be used here. */
  reason?: string | undefined;
  with<T>(use: (ground: ScanGround) => Promise<T>): Promise<T>;
}

const postgres = await findPostgres();
const mysql = await findMysql();

async function groundOf(
  root: string,
  run: ScanGround['run'],
  engine: string,
  config: object,
  variables: DatasourceVariables,
): Promise<ScanGround> {
  const added = { cwd: root, id: 'db', engine, config: JSON.stringify(config) };
  await addDatasource({ ...added, environment: 'development', engines: ENGINES });
  return {
    root,
    run,
    scan: (options = {}) =>
      scanDatasource({
        ...{ cwd: root, id: 'db', engines: ENGINES, apply: false, now: () => performance.now() },
        variables: () => variables,
        ...options,
      }),
    async review(field, from, to) {
      const path = join(root, 'config/registry.yaml');
      const before = await readFile(path, 'utf8');
      const line = new RegExp(`( {4}${field}: \\{.*)${from}`);
      const after = before.replace(line, `$1${to}`);
      if (after === before) throw new Error(`The registry does not say "${from}" of ${field}.`);
      await writeFile(path, after);
    },
    async files() {
      const names = ['registry.yaml', 'registry.lock.json'];
      const texts = names.map((name) => readFile(join(root, 'config', name), 'utf8'));
      return (await Promise.all(texts)).join('\n');
    },
  };
}

export const SCAN_GROUNDS: Record<'sqlite' | 'postgres' | 'mysql', Ground> = {
  sqlite: {
    async with(use) {
      const root = await temporaryFolder();
      const run = async (sql: string) => {
        const database = new DatabaseSync(join(root, 'data.db'));
        try {
          database.exec(sql);
        } finally {
          database.close();
        }
      };
      await run('PRAGMA user_version = 1');
      return use(await groundOf(root, run, 'sqlite', { path: './data.db' }, {}));
    },
  },
  postgres: {
    reason: postgres.reason,
    with: (use) =>
      withSchema(postgres.url ?? '', async ({ url, schema, client }) => {
        const root = await temporaryFolder();
        const { config, variables } = postgresGround(url, schema);
        const run = async (sql: string) => {
          await client.query(sql);
        };
        const ground = await groundOf(root, run, 'postgres', config, variables);
        await includeOnly(root, `${schema}.*`);
        return use(ground);
      }),
  },
  mysql: {
    reason: mysql.reason,
    with: (use) =>
      withDatabase(mysql.url ?? '', async ({ url, database, connection }) => {
        const root = await temporaryFolder();
        const { config, variables } = mysqlGround(url, database);
        const run = async (sql: string) => {
          await connection.query(sql);
        };
        const ground = await groundOf(root, run, 'mysql', config, variables);
        await includeOnly(root, `${database}.*`);
        return use(ground);
      }),
  },
};

async function includeOnly(root: string, glob: string): Promise<void> {
  const path = join(root, 'config/datasources/db.yaml');
  await writeFile(path, `${await readFile(path, 'utf8')}include: ["${glob}"]\n`);
}
