import type { Problem } from '../errors/index.js';
import { AQL_LIMITS } from './model.js';

/** Each group nests an object in a list; a few levels more are the query around them. */
const LEVELS_MAX = AQL_LIMITS.groupsDepthMax * 2 + 8;

/**
 * Measures a JSON value before anything recurses into it: a problem where it nests deeper than any query does, or where
 * its JSON text has more than 64 KiB. The walk keeps its own stack and stops at the first of the two.
 */
export function checkSize(input: unknown): Problem | undefined {
  const pending: { value: unknown; level: number }[] = [{ value: input, level: 1 }];
  let bytes = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, level } = next;
    if (level > LEVELS_MAX) {
      const message = `Groups nest at most ${AQL_LIMITS.groupsDepthMax} deep.`;
      return { pointer: '', code: 'limit', message };
    }
    if (typeof value !== 'object' || value === null) {
      bytes += scalarBytes(value);
    } else {
      const entries = Object.entries(value);
      // Brackets, and a comma between two entries.
      bytes += 2 + Math.max(0, entries.length - 1);
      for (const [key, entry] of entries) {
        if (!Array.isArray(value)) bytes += scalarBytes(key) + 1;
        pending.push({ value: entry, level: level + 1 });
        if (bytes > AQL_LIMITS.bytesMax) return tooLarge();
      }
    }
    if (bytes > AQL_LIMITS.bytesMax) return tooLarge();
  }
  return undefined;
}

/** Bytes of a scalar's JSON text; an escape takes up to six. */
function scalarBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(JSON.stringify(value));
  return String(value).length;
}

function tooLarge(): Problem {
  const message = `A query has at most ${AQL_LIMITS.bytesMax / 1024} KiB of JSON.`;
  return { pointer: '', code: 'limit', message };
}
