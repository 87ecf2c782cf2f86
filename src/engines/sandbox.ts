import type { ConnectionTarget, Sandbox } from './contract.js';
import type { EngineName } from './index.js';
import { loadDriver } from './load-driver.js';

/** An engine in which `vkit demo` can tell its story. Drivers load on first use. */
export interface SandboxMaker {
  /** Of the URLs of its servers; none where the place is a file. */
  urlSchemes: readonly string[];
  /** The key of `config` that names what is made: a file, a schema, a database. It must not exist. */
  placeKey: 'path' | 'schema' | 'database';
  create(target: ConnectionTarget): Promise<Sandbox>;
}

export const SANDBOXES = {
  postgres: {
    urlSchemes: ['postgres', 'postgresql'],
    placeKey: 'schema',
    async create(target) {
      const load = () => import('./postgres/sandbox.js');
      return (await loadDriver('pg', load)).createPostgresSandbox(target);
    },
  },
  mysql: {
    urlSchemes: ['mysql', 'mariadb'],
    placeKey: 'database',
    async create(target) {
      const load = () => import('./mysql/sandbox.js');
      return (await loadDriver('mysql2', load)).createMysqlSandbox(target);
    },
  },
  sqlite: {
    urlSchemes: [],
    placeKey: 'path',
    async create(target) {
      const load = () => import('./sqlite/sandbox.js');
      return (await loadDriver('@photostructure/sqlite', load)).createSqliteSandbox(target);
    },
  },
} as const satisfies Partial<Record<EngineName, SandboxMaker>>;

/** The engines that have one; the others have no place that nobody pays for. */
export type SandboxEngine = keyof typeof SANDBOXES;

export const SANDBOX_ENGINES = Object.keys(SANDBOXES) as SandboxEngine[];
