import type { Expr } from '../aql/expression.js';
import type { AppliedMask, MaskedColumn } from './definition.js';
import { full } from './full.js';

/**
 * SHA-256 in lower-case hex of a text's UTF-8 bytes, or of a number's canonical decimal text. NULL stays NULL. Other
 * types have no text that all engines agree on: they get `full`.
 */
export function hash({ column, kind }: MaskedColumn): AppliedMask {
  const text = hashedText(column, kind);
  if (text === undefined) return full();
  const expr: Expr = { node: 'call', fn: 'sha256_hex', args: [text] };
  return { expr, kind: 'text', type: 'text', method: 'hash' };
}

function hashedText(column: Expr, kind: MaskedColumn['kind']): Expr | undefined {
  if (kind === 'text' || kind === 'integer') return { node: 'call', fn: 'to_text', args: [column] };
  if (kind === 'numeric') return { node: 'call', fn: 'decimal_text', args: [column] };
  return undefined;
}
