import type { Problem } from '../errors/index.js';
import type { ConstantBounds } from './bind-value.js';
import type { PlanColumn } from './plan-columns.js';
import type { FieldRef } from './resolved-query.js';

/** What a plan that is run needs of the organisation's tokens. */
export interface TokenAccess {
  /** The text of a token; `undefined` where it does not authenticate in this domain. */
  open(token: string, domain: string): string | undefined;
  /** Secret, and the same for all fetches of one grant. */
  orderSalt: string;
}

/** What the parts of a plan need of each other. */
export interface PlanScope {
  column(ref: FieldRef): PlanColumn;
  /** Whether a field of one of the query's datasets is not readable raw: then nothing may depend on the order of rows. */
  guarded: boolean;
  /** Absent in a plan that is only checked: it cannot be written as SQL where it would need them. */
  tokens?: TokenAccess | undefined;
  /** The numbers that the datasource's engine compares. */
  constants: ConstantBounds;
  problems: Problem[];
}
