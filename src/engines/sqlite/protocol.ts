import type { BoundValue } from '../../aql/expression.js';
import type { TableExpectation } from '../../aql/plan.js';
import type { ScannedSchema } from '../../schema/model.js';
import type { EncodedRow } from '../contract.js';

/** What the driver asks of a child. Each request is answered by one reply before the next is sent. */
export type ChildRequest =
  | { type: 'test'; path: string }
  | {
      type: 'introspect';
      path: string;
      include: readonly string[];
      exclude: readonly string[];
      withDefinitions: boolean;
    }
  | {
      type: 'run';
      path: string;
      sql: string;
      params: readonly BoundValue[];
      /** The normalised types of the output columns. */
      types: readonly string[];
      tables: readonly TableExpectation[];
      batchRows: number;
    }
  /** The next batch of the run: the child computes nothing before it is asked. */
  | { type: 'next' }
  /** Ends the run before its last batch. */
  | { type: 'stop' };

export type ChildReply =
  /** The first message of a child, unasked. */
  | { type: 'ready' }
  | { type: 'tested'; server: string; latencyMs: number }
  | { type: 'schema'; schema: ScannedSchema }
  | { type: 'batch'; rows: readonly EncodedRow[]; done: boolean }
  | { type: 'stopped' }
  | { type: 'changed'; dataset: string; difference: string }
  /** `reason` is SQLite's own text, for the operator alone; `code` is the name of what it is. */
  | { type: 'failed'; cause: 'unreachable' | 'locked' | 'error'; reason: string; code?: string };
