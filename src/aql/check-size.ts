import type { Problem } from '../errors/index.js';
import { AQL_LIMITS } from './model.js';

/** Each group nests an object in a list; a few levels more are the query around them. */
const LEVELS_MAX = AQL_LIMITS.groupsDepthMax * 2 + 8;

/** An escaped UTF-16 unit is `\uXXXX`; one that is not takes at most three bytes of UTF-8. */
const BYTES_OF_UNIT_MAX = 6;

/** The longest JSON text of a number, `true`, `false` or `null`: -1.2345678901234567e-300. */
const BYTES_OF_NUMBER_MAX = 24;

/**
 * Measures a JSON value before anything recurses into it: a problem where it nests deeper than any query does, or where
 * its JSON text has more than 64 KiB. Nearly every query is small even if all its text were escaped, which takes no more
 * than the lengths of its strings to see; only the others are measured.
 */
export function checkSize(input: unknown): Problem | undefined {
  return bytesLeft(input, 1, AQL_LIMITS.bytesMax) >= 0 ? undefined : measure(input);
}

/** What of so many bytes the value leaves at least; negative, at once, where it may leave none or nests too deep. */
function bytesLeft(value: unknown, level: number, bytes: number): number {
  if (level > LEVELS_MAX) return -1;
  if (typeof value === 'string') return bytes - 2 - value.length * BYTES_OF_UNIT_MAX;
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) {
    return bytes - BYTES_OF_NUMBER_MAX;
  }
  if (typeof value !== 'object') return -1;
  // Brackets, then a comma after each entry, and a colon after each key.
  let left = bytes - 2;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index += 1) {
      left = bytesLeft(value[index], level + 1, left - 1);
    }
    return left;
  }
  for (const key of Object.keys(value)) {
    if (left < 0) break;
    left = bytesLeft(key, 1, left - 2);
    left = bytesLeft((value as Record<string, unknown>)[key], level + 1, left);
  }
  return left;
}

/** Counts the bytes. The walk keeps its own stack and stops at the first of the two problems. */
function measure(input: unknown): Problem | undefined {
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
