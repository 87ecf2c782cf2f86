import { describe, expect, it } from 'vitest';
import { postgresDialect } from '../../src/engines/postgres/dialect.js';
import { sqliteDialect } from '../../src/engines/sqlite/dialect.js';
import { FIELD_TYPES } from '../../src/schema/field-type.js';

describe.each([postgresDialect, sqliteDialect])('the dialect of $name', (dialect) => {
  it('quotes identifiers, whatever is in them', () => {
    expect(dialect.quoteIdentifier('plain')).toBe('"plain"');
    expect(dialect.quoteIdentifier('a"; DROP TABLE x; --')).toBe('"a""; DROP TABLE x; --"');
    expect(dialect.quoteIdentifier('""')).toBe('""""""');
  });

  it('refuses an identifier with a NUL', () => {
    expect(() => dialect.quoteIdentifier('a\0b')).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    expect(() => dialect.table({ schema: '', name: '\0' })).toThrow();
  });

  it('names tables in full, also of an engine without schemas', () => {
    expect(dialect.table({ schema: 's', name: 't' })).toBe('"s"."t"');
    expect(dialect.table({ schema: '', name: 't' })).toMatch(/^"(public|main)"\."t"$/);
  });

  it('doubles quotes in its own literals', () => {
    expect(dialect.textLiteral("it's")).toContain("'it''s'");
  });

  it('has a NULL of every type', () => {
    for (const type of Object.keys(FIELD_TYPES)) expect(dialect.nullOf(type)).toContain('NULL');
    expect(dialect.nullOf('constructor')).toContain('NULL');
  });

  it('writes a limit without an offset of 0', () => {
    expect(dialect.limit(5, 0)).toBe('LIMIT 5');
    expect(dialect.limit(0, 7)).toBe('LIMIT 0 OFFSET 7');
  });
});

describe('a NULL of PostgreSQL', () => {
  it.each([
    ['integer', 'CAST(NULL AS pg_catalog.int4)'],
    ['varchar[]', 'CAST(NULL AS pg_catalog.varchar[])'],
    ['enum', 'CAST(NULL AS pg_catalog.text)'],
    ['constructor', 'CAST(NULL AS pg_catalog.text)'],
  ])('of the type %s is %s', (type, expected) => {
    expect(postgresDialect.nullOf(type)).toBe(expected);
  });
});
