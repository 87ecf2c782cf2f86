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
    // Two bytes are the least a value and its separator take.
    bytes += typeof value === 'string' ? Buffer.byteLength(value) + 3 : 2;
    if (typeof value === 'object' && value !== null) {
      for (const [key, entry] of Object.entries(value)) {
        if (!Array.isArray(value)) bytes += Buffer.byteLength(key) + 3;
        pending.push({ value: entry, level: level + 1 });
        if (bytes + pending.length > AQL_LIMITS.bytesMax) return tooLarge();
      }
    }
    if (bytes > AQL_LIMITS.bytesMax) return tooLarge();
  }
  const text = JSON.stringify(input) as string | undefined;
  return Buffer.byteLength(text ?? '') > AQL_LIMITS.bytesMax ? tooLarge() : undefined;
}

function tooLarge(): Problem {
  const message = `A query has at most ${AQL_LIMITS.bytesMax / 1024} KiB of JSON.`;
  return { pointer: '', code: 'limit', message };
}
