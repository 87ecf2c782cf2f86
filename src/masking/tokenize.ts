import type { FieldKind } from '../schema/field-type.js';
import type { AppliedMask, MaskedColumn } from './definition.js';
import { full } from './full.js';

/** Kinds of which every engine tells the same values apart, by a text that is the same in all of them. */
const TOKENIZED: readonly FieldKind[] = ['text', 'integer', 'numeric', 'uuid', 'date'];

/**
 * The raw value, sealed: no key reaches a database, so joins, grouping and distinct counts run on raw equality there, and
 * the data plane writes tokens as the rows stream by. NULL stays NULL. Other types get `full`.
 */
export function tokenize({ column, kind, type }: MaskedColumn): AppliedMask {
  if (!TOKENIZED.includes(kind)) return full();
  return { expr: column, kind, type, method: 'tokenize', sealed: true };
}
