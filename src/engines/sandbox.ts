import type { ConnectionTarget, Sandbox } from './contract.js';
import type { EngineName } from './index.js';
import { loadDriver } from './load-driver.js';

/**
 * Makes the place that `config` names: the file at `path`, the schema `schema` or the database `database`, which must not
 * exist.
 */
export type CreateSandbox = (target: ConnectionTarget) => Promise<Sandbox>;

/** The engines in which `vkit demo` can tell its story. Drivers load on first use. */
export const SANDBOXES = {
  async postgres(target) {
    const load = () => import('./postgres/sandbox.js');
    return (await loadDriver('pg', load)).createPostgresSandbox(target);
  },
  async mysql(target) {
    const load = () => import('./mysql/sandbox.js');
    return (await loadDriver('mysql2', load)).createMysqlSandbox(target);
  },
  async sqlite(target) {
    const load = () => import('./sqlite/sandbox.js');
    return (await loadDriver('@photostructure/sqlite', load)).createSqliteSandbox(target);
  },
} as const satisfies Record<EngineName, CreateSandbox>;
