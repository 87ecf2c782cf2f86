import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { BuiltInFunction } from '../../../src/aql/expression.js';
import { snowflakeDialect as dialect } from '../../../src/engines/snowflake/dialect.js';
import { FIELD_TYPES, type FieldKind } from '../../../src/schema/field-type.js';
import { readCaseFiles } from '../../aql/aql-fixtures.js';

const documented = parse(
  readFileSync(new URL('documented-functions.yaml', import.meta.url), 'utf8'),
) as Record<string, string>;

const KINDS = [...new Set<FieldKind>(Object.values(FIELD_TYPES))];

/** A value of each kind as a query binds it. */
const VALUES: Partial<Record<FieldKind, string | number | boolean | Uint8Array>> = {
  boolean: true,
  float: 1.5,
  numeric: '1.5',
  bytes: new Uint8Array([1]),
};

const CALLS: Record<BuiltInFunction, readonly string[]> = {
  to_text: ['x'],
  decimal_text: ['x'],
  concat: ['x', 'y'],
  left: ['x', '3'],
  right: ['x', '3'],
  char_length: ['x'],
  sha256_hex: ['x'],
  identity_key: ['x'],
  canonical_numeric: ['x'],
};

const AGGREGATES = ['count', 'count_distinct', 'sum', 'avg', 'min', 'max'] as const;

/** Everything the dialect can write, piece by piece. */
function everyPiece(): string[] {
  const calls = Object.entries(CALLS).map(([fn, args]) =>
    dialect.call(fn as BuiltInFunction, args),
  );
  const kinds = KINDS.flatMap((kind) => [
    dialect.placeholder(1, kind, VALUES[kind] ?? 'x'),
    dialect.key('x', kind),
    dialect.column('x', kind, 'other'),
    dialect.compare('eq', kind, 'x', 'y'),
    dialect.compare('lt', kind, 'x', 'y'),
    dialect.inList(kind, 'x', ['y'], false),
    dialect.inList(kind, 'x', ['y'], true),
    ...AGGREGATES.flatMap((fn) =>
      [true, false].map((ordered) =>
        dialect.aggregateOperand(dialect.aggregate(fn, 'x', kind, ordered), fn, kind, 'x'),
      ),
    ),
  ]);
  const types = [...Object.keys(FIELD_TYPES), 'text[]'].map((type) => dialect.nullOf(type));
  return [...calls, ...kinds, ...types, dialect.like('x', 'y', true), dialect.limit(1, 2)];
}

/** The words before a bracket, outside quotes. */
function wordsBeforeBrackets(sql: string): string[] {
  const bare = sql.replace(/"(?:[^"]|"")*"|'(?:[^'\\]|\\.|'')*'/g, '#');
  return [...bare.matchAll(/([A-Za-z_][A-Za-z0-9_.$]*)\s*\(/g)].map(([, word = '']) => word);
}

describe('the functions that the Snowflake dialect writes', () => {
  const pieces = everyPiece();
  const golden = readCaseFiles().flatMap(({ content }) =>
    content.cases.flatMap(({ snowflake }) => (snowflake ? [snowflake.sql] : [])),
  );

  it('are read out of SQL as they stand in it', () => {
    expect(wordsBeforeBrackets(`SELECT EVIL(x), "NO(" || 'NO(', db.f (1)`)).toEqual([
      'EVIL',
      'db.f',
    ]);
  });

  it('are all documented, in every case and in every piece', () => {
    expect(golden.length).toBeGreaterThan(50);
    const written = new Set([...golden, ...pieces].flatMap(wordsBeforeBrackets));
    expect([...written].filter((word) => !Object.hasOwn(documented, word))).toEqual([]);
  });

  it('are all of the list: it names none that is not written', () => {
    const written = new Set([...golden, ...pieces].flatMap(wordsBeforeBrackets));
    expect(Object.keys(documented).filter((word) => !written.has(word))).toEqual([]);
  });

  it('hash as SHA-256 does: the example of the page of SHA2 is the one of everywhere', () => {
    const hex = createHash('sha256').update('a', 'utf8').digest('hex');
    expect(hex).toMatch(/^ca978112/);
    expect(dialect.call('sha256_hex', ["'a'"])).toBe("SHA2(COLLATE('a', ''), 256)");
  });

  it('have a page of Snowflake’s documentation each', () => {
    for (const page of Object.values(documented)) {
      expect(page).toMatch(/^https:\/\/docs\.snowflake\.com\/en\/sql-reference\/[\w/-]+$/);
    }
  });
});
