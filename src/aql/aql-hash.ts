import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Aql } from './model.js';

/**
 * The SHA-256, in lower-case hex, of the canonical form (RFC 8785) of a parsed query: what binds a grant to exactly this
 * query. Two spellings of the same normal form have the same hash.
 */
export function aqlHash(aql: Aql): string {
  const canonical = canonicalize(aql) ?? '';
  return createHash('sha256').update(canonical, 'utf8').digest('hex');
}
