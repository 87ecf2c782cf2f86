import type { AggregateFunction } from './model.js';
import { AGGREGATE_FUNCTIONS } from './model.js';

/**
 * Reads `FUNC(field)` as `having` writes it: a function's name in any case, then one field name, or `*` for count, in
 * one pair of parentheses, with spaces only around these. `undefined` for anything else. What it returns is
 * looked up like every other name; no part of the text ever becomes SQL.
 */
export function parseHavingField(
  text: string,
): { func: AggregateFunction; field: string } | undefined {
  const trimmed = text.trim();
  const open = trimmed.indexOf('(');
  if (open < 0 || !trimmed.endsWith(')')) return undefined;
  const word = trimmed.slice(0, open).trim().toLowerCase();
  const func = AGGREGATE_FUNCTIONS.find((candidate) => candidate === word);
  const field = trimmed.slice(open + 1, -1).trim();
  if (func === undefined || field === '' || /[()]/.test(field)) return undefined;
  if (field === '*' && func !== 'count') return undefined;
  return { func, field };
}
