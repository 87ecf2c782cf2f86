import { bigquery } from './bigquery/index.js';
import type { Engine } from './contract.js';
import { mysql } from './mysql/index.js';
import { postgres } from './postgres/index.js';
import { snowflake } from './snowflake/index.js';
import { sqlite } from './sqlite/index.js';

/** Every database vkit reads, by the name a datasource's `engine` has. Loads no driver. */
export const ENGINES = { postgres, mysql, snowflake, bigquery, sqlite } as const satisfies Record<
  string,
  Engine
>;

export type EngineName = keyof typeof ENGINES;

/** The engines that anybody can run on a machine of their own; the others are services of their vendors. */
export type LocalEngineName = Exclude<EngineName, 'snowflake' | 'bigquery'>;

/** The engine of a name from outside; `undefined` for one there is not. */
export function engineByName(name: string): Engine | undefined {
  return Object.hasOwn(ENGINES, name) ? ENGINES[name as EngineName] : undefined;
}
