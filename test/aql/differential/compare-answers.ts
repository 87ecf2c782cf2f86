import { isDeepStrictEqual } from 'node:util';
import type { ReferenceAnswer } from '../reference/reference-answer.js';
import type { RealAnswer } from './real-answer.js';

/** What is wrong with an engine's answer, or `null` where it is one that the reference allows. */
export function differenceOf(real: RealAnswer, reference: ReferenceAnswer): string | null {
  if ('refused' in real || 'refused' in reference) {
    const [one, other] = [refusalOf(real), refusalOf(reference)];
    return one === other ? null : `refused: ${one}\n  reference: ${other}`;
  }
  if (!isDeepStrictEqual([...real.columns], [...reference.columns])) {
    return `columns: ${show(real.columns)}\n  reference: ${show(reference.columns)}`;
  }
  if (real.truncated !== reference.truncated) return `truncated: ${real.truncated}`;
  return differenceOfRows(real.rows, reference);
}

/**
 * Each list of ties takes its places of the order; of one that `offset` or a limit cuts, any rows may be there, as often as
 * the list has them.
 */
function differenceOfRows(
  rows: readonly (readonly string[])[],
  { ties, offset, rowsMax }: Extract<ReferenceAnswer, { ties: unknown }>,
): string | null {
  let start = 0;
  for (const tie of ties) {
    const end = start + tie.length;
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, rowsMax);
    const got = to > from ? rows.slice(from, to) : [];
    const left = tie.map((row) => show(row));
    for (const row of got) {
      const at = left.indexOf(show(row));
      if (at < 0) return `rows ${from} to ${to}: ${show(got)}\n  reference: ${show(tie)}`;
      left.splice(at, 1);
    }
    start = end;
  }
  const count = Math.max(0, Math.min(start - offset, rowsMax));
  return rows.length === count
    ? null
    : `${rows.length} rows: ${show(rows)}\n  reference: ${count} of ${show(ties)}`;
}

function refusalOf(answer: RealAnswer | ReferenceAnswer): string {
  return 'refused' in answer ? answer.refused.join(', ') : 'not at all';
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
