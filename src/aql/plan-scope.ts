import type { Problem } from '../errors/index.js';
import type { PlanColumn } from './plan-sources.js';
import type { FieldRef } from './resolved-query.js';

/** What the parts of a plan need of each other. */
export interface PlanScope {
  column(ref: FieldRef): PlanColumn;
  /** Whether a field of one of the query's datasets is not readable raw: then nothing may depend on the order of rows. */
  guarded: boolean;
  problems: Problem[];
}
