import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aqlHash } from '../../src/aql/aql-hash.js';
import { parseAql } from '../../src/aql/parse-aql.js';

function hashOf(input: unknown): string {
  const parsed = parseAql(input);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return aqlHash(parsed.aql);
}

describe('aqlHash', () => {
  it('is the SHA-256 of the canonical form', () => {
    const canonical = '{"columns":["b","a"],"limit":5,"source_table":"t"}';
    const expected = createHash('sha256').update(canonical).digest('hex');
    expect(hashOf({ source_table: 't', limit: 5, columns: ['b', 'a'] })).toBe(expected);
  });

  it('is the same for two spellings of one query', () => {
    const order = { column: 'a', direction: 'asc' };
    const one = hashOf({ source_table: 't', columns: ['a'], order_by: order, filters: null });
    const other = hashOf({
      order_by: [{ column: 'a' }],
      columns: ['a'],
      limit: 0,
      source_table: 't',
    });
    expect(one).toBe(other);
  });

  it('differs where a value differs only in its type', () => {
    const filter = (value: unknown) => [{ operator: 'eq', field: 'a', value }];
    const one = hashOf({ source_table: 't', columns: ['a'], filters: filter(1) });
    expect(hashOf({ source_table: 't', columns: ['a'], filters: filter('1') })).not.toBe(one);
  });
});
