import type { LocalEngineName } from '../../src/engines/index.js';
import type { EngineGround } from '../conformance/engine-ground.js';
import { enginesUnderTest } from '../conformance/engines.js';
import { bigqueryOracle } from './bigquery/ground.js';

/** Engines whose SQL runs here: in the database itself, or in the reference engine of its language. */
export type RunnableEngine = LocalEngineName | 'bigquery';

export interface RunnableGround {
  name: RunnableEngine;
  /** Why it cannot run here. */
  skipped: string | null;
  withGround(
    use: (ground: Pick<EngineGround, 'target' | 'schema' | 'execute'>) => Promise<void>,
  ): Promise<void>;
}

export const grounds: readonly RunnableGround[] = [
  ...Object.values(enginesUnderTest),
  bigqueryOracle,
];
