import type { Expr } from '../aql/expression.js';
import type { FieldKind } from '../schema/field-type.js';
import type { Mask, MaskMethod } from './model.js';

/** A column as it is read, before any mask. */
export interface MaskedColumn {
  column: Expr;
  kind: FieldKind;
  /** The normalised type. */
  type: string;
}

/** What stands in a column's place. */
export interface AppliedMask {
  expr: Expr;
  /** The kind of `expr`: text, but for `nullify`, which keeps the column's own. */
  kind: FieldKind;
  type: string;
  /** The method whose expression it is: `partial` of a number is `full`. */
  method: MaskMethod;
  /**
   * The expression is the raw value: whoever asks for it keeps it from being compared with anything but itself, and has
   * a token in its place before it leaves the data plane.
   */
  sealed?: true;
}

/**
 * One mask: the expression that takes the column's place in the derived table. It never fails on some values only, since
 * an error that depends on a value would reveal it, and it gives the same text in every engine.
 */
export type MaskDefinition = (target: MaskedColumn, mask: Mask) => AppliedMask;
