import { decimalText } from '../aql/bind-value.js';
import type { TokenAccess } from '../aql/plan-scope.js';
import type { EncodedRow } from '../engines/contract.js';
import type { TokenCodec } from '../masking/token-codec.js';

/** Tokens held for one answer, so that a value that repeats is sealed once. */
const TOKENS_HELD_MAX = 10_000;

/** What a plan needs of the organisation's tokens, for one grant. */
export function tokenAccess(codec: TokenCodec, grantId: string): TokenAccess {
  return {
    open: (token, domain) => codec.open(token, domain),
    orderSalt: codec.orderSalt(grantId),
  };
}

/**
 * Puts tokens in the place of raw values: `domains` says by column under which key, or nothing where the value leaves as
 * it is. NULL stays NULL.
 */
export async function* sealRows(
  batches: AsyncIterable<readonly EncodedRow[]>,
  domains: readonly (string | undefined)[],
  codec: TokenCodec,
): AsyncGenerator<readonly EncodedRow[], void, undefined> {
  const sealers = domains.map((domain) =>
    domain === undefined ? undefined : cellSealer(domain, codec),
  );
  if (sealers.every((sealer) => sealer === undefined)) {
    yield* batches;
    return;
  }
  for await (const rows of batches) {
    yield rows.map((row) => row.map((cell, index) => sealers[index]?.(cell) ?? cell));
  }
}

function cellSealer(domain: string, codec: TokenCodec): (cell: string) => string {
  const held = new Map<string, string>();
  return (cell) => {
    if (cell === 'null') return cell;
    const found = held.get(cell);
    if (found !== undefined) return found;
    const token = `"${codec.seal(textOfCell(cell), domain)}"`;
    if (held.size >= TOKENS_HELD_MAX) held.clear();
    held.set(cell, token);
    return token;
  };
}

/** The text a value is sealed as: a number in its decimal form, whatever JSON made of it. */
function textOfCell(cell: string): string {
  const value: unknown = JSON.parse(cell);
  return (typeof value === 'number' ? decimalText(value) : undefined) ?? String(value);
}
